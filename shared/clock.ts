/** Time as a value. Core code takes a `Clock`; only the composition roots make the real one. Milliseconds since 1970. */
export interface Clock {
  now(): number;
  /** Runs `task` once after `delayMs`; the returned function ends it before it runs. */
  after(delayMs: number, task: () => void): () => void;
}

/** Chance as a value: `size` random bytes. */
export type RandomBytes = (size: number) => Uint8Array;

/** The machine's own clock. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, task) {
    const timer: unknown = setTimeout(task, delayMs);
    if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function') timer.unref();
    return () => clearTimeout(timer as number);
  },
};

/** Cryptographic chance, in browsers and in Node. */
export const systemRandom: RandomBytes = (size) => crypto.getRandomValues(new Uint8Array(size));
