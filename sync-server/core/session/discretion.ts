import type { Uuid } from '../../../shared/ids.ts';
import type { Privacy } from '../ports.ts';

/** Who is kept from whom in one conversation (P6): presence, typing, positions. It holds both ways. */
export interface Discretion {
  /** Whether nothing is kept from this person but what is kept from everybody. */
  isOrdinary(userId: Uuid): boolean;
  /** Whether this person is kept from nobody who is ordinary. */
  isShown(userId: Uuid): boolean;
  sees(one: Uuid, other: Uuid): boolean;
  isLike(other: Discretion): boolean;
  readonly key: string;
}

export function makeDiscretion({ silent, apart }: Privacy): Discretion {
  const alone = new Set(silent);
  const pairs = new Set(apart.map((pair) => pair.toSorted().join()));
  const paired = new Set(apart.flat());
  const key = JSON.stringify([[...alone].toSorted(), [...pairs].toSorted()]);
  return {
    isOrdinary: (userId) => !alone.has(userId) && !paired.has(userId),
    isShown: (userId) => !alone.has(userId),
    sees: (one, other) => one === other || !(alone.has(one) || alone.has(other) || pairs.has([one, other].toSorted().join())),
    isLike: (other) => other.key === key,
    key,
  };
}
