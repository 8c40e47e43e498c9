import type { Clock } from '../../../shared/clock.ts';
import type { Chance } from './chance.ts';

/**
 * Everything that may happen next waits here; the seed picks. Time is virtual: it moves only when nothing is ready, or when the seed says so.
 */
export interface Scheduler {
  readonly clock: Clock;
  /** Puts something into the queue of what may happen next. */
  soon(task: () => void): void;
  /** A promise that resolves when the seed picks it, or rejects with what `fault` returns then. */
  pause(fault: () => Error | null): Promise<void>;
  /** Runs one thing and all that follows from it at once. False: nothing is left before `until` (virtual ms). */
  step(until: number): Promise<boolean>;
  now(): number;
}

const START = Date.UTC(2026, 0, 1);
/** How often time moves although something else is ready. */
const HURRY = 0.02;

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function makeScheduler(chance: Chance): Scheduler {
  let now = START;
  let nextTimer = 0;
  const ready: (() => void)[] = [];
  const timers = new Map<number, { at: number; task: () => void }>();

  function after(delayMs: number, task: () => void): () => void {
    const id = nextTimer++;
    timers.set(id, { at: now + Math.max(0, delayMs), task });
    return () => void timers.delete(id);
  }

  function fireTimer(until: number): boolean {
    let next: [number, { at: number; task: () => void }] | null = null;
    for (const entry of timers) if (!next || entry[1].at < next[1].at) next = entry;
    if (!next || next[1].at > until) return false;
    now = Math.max(now, next[1].at);
    timers.delete(next[0]);
    next[1].task();
    return true;
  }

  return {
    clock: { now: () => now, elapsed: () => now, after },
    now: () => now,
    soon: (task) => void ready.push(task),
    pause: (fault) =>
      new Promise((resolve, reject) => {
        ready.push(() => {
          const error = fault();
          if (error) reject(error);
          else resolve();
        });
      }),
    async step(until) {
      const hurried = ready.length === 0 || chance.happens(HURRY);
      if (!(hurried && fireTimer(until))) {
        if (ready.length === 0) return false;
        const i = chance.int(ready.length);
        const task = ready[i]!;
        ready[i] = ready.at(-1)!;
        ready.pop();
        task();
      }
      await settled();
      return true;
    },
  };
}
