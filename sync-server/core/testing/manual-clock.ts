import type { Clock } from '../../../shared/clock.ts';

/** A clock that a test moves by hand. */
export interface ManualClock extends Clock {
  /** Moves on, running what falls due in order; what each timer sets off has happened before the next one runs. */
  advance(ms: number): Promise<void>;
  /** Puts the machine's clock forward, or back, by so much, while no time goes by. */
  jump(ms: number): void;
}

export const settled = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

export function makeManualClock(start = Date.UTC(2026, 0, 1)): ManualClock {
  let now = start;
  let off = 0;
  let timers: { at: number; task: () => void }[] = [];
  return {
    now: () => now + off,
    elapsed: () => now - start,
    jump: (ms) => void (off += ms),
    after(delayMs, task) {
      const timer = { at: now + delayMs, task };
      timers.push(timer);
      return () => void (timers = timers.filter((other) => other !== timer));
    },
    async advance(ms) {
      const until = now + ms;
      for (;;) {
        await settled();
        const next = timers.toSorted((a, b) => a.at - b.at)[0];
        if (!next || next.at > until) break;
        now = Math.max(now, next.at);
        timers = timers.filter((timer) => timer !== next);
        next.task();
      }
      now = until;
      await settled();
    },
  };
}
