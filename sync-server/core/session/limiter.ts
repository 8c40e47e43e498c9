import type { Rate } from '../../../shared/limits.ts';

/** One allowance: `burst` at once, `perMinute` in the long run. Time is a value: milliseconds. */
export interface Bucket {
  /** Takes `cost`; milliseconds to wait where there is not enough, else 0. */
  take(now: number, cost?: number): number;
}

/**
 * One allowance per key. In memory, per node. When more keys are in use than it holds, all others share one allowance: it grows no
 * further, and lets nobody pass uncounted.
 */
export interface Limiter {
  /** Milliseconds until `cost` can be taken; 0: now. More than a burst can be taken when the burst is whole. */
  wait(key: string, now: number, cost?: number): number;
  /** Takes `cost`, whatever is there: what is missing has to refill first. */
  charge(key: string, now: number, cost?: number): void;
  /** Takes `cost`; milliseconds to wait where there is not enough, else 0. */
  take(key: string, now: number, cost?: number): number;
  /** Keys in memory. */
  size(): number;
}

const SWEEP_FROM = 1_000;
/** Keys at most, some 10 MB. */
const KEYS_MAX = 100_000;
const OTHERS = '\0';
/** Sums of fractions differ in their last digits. */
const HAIR = 1e-6;

/** Of an allowance only the time is kept at which it is full again. */
const costOf = ({ perMinute }: Rate): number => 60_000 / perMinute;
const fullAfter = (fullAt: number, now: number, rate: Rate, cost: number): number => Math.max(now, fullAt) + cost * costOf(rate);
const waitOf = (fullAt: number, now: number, rate: Rate, cost: number): number =>
  Math.max(0, Math.ceil(fullAfter(fullAt, now, rate, Math.min(cost, rate.burst)) - now - rate.burst * costOf(rate) - HAIR));

export function makeBucket(rate: Rate): Bucket {
  let fullAt = 0;
  return {
    take(now, cost = 1) {
      const wait = waitOf(fullAt, now, rate, cost);
      if (wait === 0) fullAt = fullAfter(fullAt, now, rate, cost);
      return wait;
    },
  };
}

/** Keys whose allowance is full again are forgotten. */
export function makeLimiter(rate: Rate): Limiter {
  const fullAt = new Map<string, number>();
  let sweepAt = SWEEP_FROM;

  function sweep(now: number): void {
    for (const [key, at] of fullAt) if (at <= now) fullAt.delete(key);
    sweepAt = Math.min(KEYS_MAX, Math.max(SWEEP_FROM, 2 * fullAt.size));
  }

  const keyOf = (key: string): string => (fullAt.size >= KEYS_MAX && !fullAt.has(key) ? OTHERS : key);

  const limiter: Limiter = {
    wait: (key, now, cost = 1) => waitOf(fullAt.get(keyOf(key)) ?? 0, now, rate, cost),
    charge(wanted, now, cost = 1) {
      const key = keyOf(wanted);
      if (fullAt.size >= sweepAt) sweep(now);
      fullAt.set(key, fullAfter(fullAt.get(key) ?? 0, now, rate, cost));
    },
    take(key, now, cost = 1) {
      const wait = limiter.wait(key, now, cost);
      if (wait === 0) limiter.charge(key, now, cost);
      return wait;
    },
    size: () => fullAt.size,
  };
  return limiter;
}
