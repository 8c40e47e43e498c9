import * as prng from 'lib0/prng';
import type { RandomBytes } from '../../../shared/clock.ts';

/** Seeded chance: the same seed makes the same world. */
export interface Chance {
  /** A whole number from 0 to `below` - 1. */
  int(below: number): number;
  happens(probability: number): boolean;
  oneOf<T>(list: readonly T[]): T | undefined;
  readonly bytes: RandomBytes;
}

export function makeChance(seed: number): Chance {
  const generator = prng.create(seed);
  const int = (below: number): number => Math.floor(prng.real53(generator) * below);
  return {
    int,
    happens: (probability) => prng.real53(generator) < probability,
    oneOf: (list) => list[int(list.length)],
    bytes: (size) => Uint8Array.from({ length: size }, () => int(256)),
  };
}
