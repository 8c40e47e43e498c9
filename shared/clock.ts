/** Time as a value. Core code takes a `Clock`; only the composition roots make the real one. */
export interface Clock {
  /** Milliseconds since 1970, as the machine says: it may be put forward and back. For what is stored and shown. */
  now(): number;
  /** Milliseconds since some moment of this process, at the pace of time, whatever is done to the machine's clock. For how long something takes. */
  elapsed(): number;
  /** Runs `task` once after `delayMs`; the returned function ends it before it runs. */
  after(delayMs: number, task: () => void): () => void;
}

/** Chance as a value: `size` random bytes. */
export type RandomBytes = (size: number) => Uint8Array;

/** The machine's own clock. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(delayMs, task) {
    const timer: unknown = setTimeout(task, delayMs);
    if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function') timer.unref();
    return () => clearTimeout(timer as number);
  },
};

/** Cryptographic chance, in browsers and in Node. */
export const systemRandom: RandomBytes = (size) => crypto.getRandomValues(new Uint8Array(size));
