/** A token bucket over values of time: `burst` at once, `perMinute` in the long run. */
export interface Bucket {
  /** Takes one token; false when there is none. `now` in milliseconds. */
  take(now: number): boolean;
}

export function makeBucket(options: { burst: number; perMinute: number; now: number }): Bucket {
  let tokens = options.burst;
  let last = options.now;
  return {
    take(now) {
      tokens = Math.min(options.burst, tokens + (Math.max(0, now - last) * options.perMinute) / 60_000);
      last = now;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
