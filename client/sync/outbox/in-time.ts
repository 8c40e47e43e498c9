import type { Clock } from '../../../shared/clock.ts';

/** Ticks, for a busy tab is no stuck database. */
const STUCK_TICKS = 8;
const TICK_MS = 500;

/** What a transaction comes to; one that has not ended after so many ticks counts as failed: a stuck database stands in nobody's way. */
export function inTime<T>(clock: Clock, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let left = STUCK_TICKS;
    let cancel = clock.after(TICK_MS, tick);
    function tick(): void {
      if (--left > 0) cancel = clock.after(TICK_MS, tick);
      else reject(new Error('the database does not answer'));
    }
    work.then(resolve, reject).finally(() => cancel());
  });
}
