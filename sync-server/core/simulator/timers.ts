import type { Scheduler } from './scheduler.ts';
import { placeNow, runIn } from './place.ts';

/** Puts virtual time in the place of the timers that libraries set inside of tabs; the product's own take a `Clock`. The answer takes it away again. */
export function installTimers(scheduler: Scheduler): () => void {
  const before = { setTimeout, clearTimeout, setInterval, clearInterval };
  const stops = new Map<number, () => void>();
  let last = 0;

  function set(task: () => void, delayMs: number, repeats: boolean): unknown {
    const place = placeNow();
    if (!place) return repeats ? before.setInterval(task, delayMs) : before.setTimeout(task, delayMs);
    const id = --last;
    function arm(): void {
      stops.set(
        id,
        scheduler.clock.after(delayMs, () => {
          stops.delete(id);
          if (!place!.isAlive()) return;
          if (repeats) arm();
          runIn(place!, task);
        }),
      );
    }
    arm();
    return id;
  }
  function clear(id: unknown): void {
    if (typeof id !== 'number') return before.clearTimeout(id as NodeJS.Timeout);
    stops.get(id)?.();
    stops.delete(id);
  }
  Object.assign(globalThis, {
    setTimeout: (task: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]) => set(() => task(...args), delayMs, false),
    setInterval: (task: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]) => set(() => task(...args), delayMs, true),
    clearTimeout: clear,
    clearInterval: clear,
  });
  return () => Object.assign(globalThis, before);
}
