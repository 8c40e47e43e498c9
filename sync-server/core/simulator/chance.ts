import * as prng from 'lib0/prng';
import type { RandomBytes } from '../../../shared/clock.ts';

/** Seeded chance: the same seed makes the same world. */
export interface Chance {
  /** A whole number from 0 to `below` - 1. */
  int(below: number): number;
  happens(probability: number): boolean;
  /** Undefined for an empty list. */
  oneOf<T>(list: readonly T[]): T | undefined;
  readonly bytes: RandomBytes;
}

export function makeChance(seed: number): Chance {
  const generator = prng.create(seed);
  const real = (): number => prng.real53(generator);
  const int = (below: number): number => Math.floor(real() * below);
  return {
    int,
    happens: (probability) => probability > 0 && real() < probability,
    oneOf: (list) => list[int(list.length)],
    bytes: (size) => Uint8Array.from({ length: size }, () => prng.uint32(generator, 0, 255)),
  };
}
