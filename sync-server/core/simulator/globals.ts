import { createHash, webcrypto } from 'node:crypto';
import type { RandomBytes } from '../../../shared/clock.ts';

/** What stands in the place of the machine's time and chance while a world runs. */
export interface Nature {
  now(): number;
  random: RandomBytes;
  /** Runs once after a delay, where it was asked for. */
  after(delayMs: number, task: () => void): () => void;
  /** Runs as soon as the seed picks it. */
  soon(task: () => void): void;
}

const real = { now: Date.now, setTimeout, clearTimeout, setInterval, clearInterval, setImmediate };
const realRandom = webcrypto.getRandomValues.bind(webcrypto);
let nature: Nature | null = null;
let timers = new Map<number, () => void>();
let lastTimer = 0;

/** Runs a world: until that ends, libraries find its time and its chance under the machine's names. */
export function inNature<T>(of: Nature, run: () => T): T {
  [nature, timers, lastTimer] = [of, new Map(), 0];
  try {
    return run();
  } finally {
    nature = null;
  }
}

function set(task: () => void, delayMs: number, repeats: boolean): number {
  const id = --lastTimer;
  const arm = (): void => {
    const stop = nature?.after(delayMs, () => {
      timers.delete(id);
      if (repeats) arm();
      task();
    });
    if (stop) timers.set(id, stop);
  };
  arm();
  return id;
}

function clear(id: unknown): void {
  if (typeof id !== 'number') return real.clearTimeout(id as NodeJS.Timeout);
  timers.get(id)?.();
  timers.delete(id);
}

type Task = (...args: unknown[]) => void;

// Libraries take some of these when they are loaded: this comes before them.
Date.now = () => (nature ? Math.floor(nature.now()) : real.now());
Object.assign(globalThis, {
  setTimeout: (task: Task, delayMs = 0, ...args: unknown[]) =>
    nature ? set(() => task(...args), delayMs, false) : real.setTimeout(task, delayMs, ...args),
  setInterval: (task: Task, delayMs = 0, ...args: unknown[]) =>
    nature ? set(() => task(...args), delayMs, true) : real.setInterval(task, delayMs, ...args),
  clearTimeout: clear,
  clearInterval: clear,
  setImmediate: (task: Task) => (nature ? nature.soon(task) : real.setImmediate(task)),
});
Math.random = () => {
  if (nature) return new DataView(nature.random(4).buffer).getUint32(0) / 2 ** 32;
  throw new Error('chance was asked for outside of a world');
};
Object.defineProperty(webcrypto, 'getRandomValues', {
  value<T extends ArrayBufferView<ArrayBuffer>>(into: T): T {
    if (!nature) return realRandom(into as never) as unknown as T;
    new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(nature.random(into.byteLength));
    return into;
  },
});
// The real one answers from another thread, at whatever moment.
Object.defineProperty(webcrypto, 'subtle', {
  value: {
    async digest(algorithm: string, bytes: Uint8Array): Promise<ArrayBuffer> {
      const made = createHash(algorithm.replace('-', '').toLowerCase()).update(bytes).digest();
      return new Uint8Array(made).buffer;
    },
  },
});
