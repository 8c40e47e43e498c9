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
  const keptFrom = new Map<Uuid, Set<Uuid>>();
  for (const [one, other] of [...apart, ...apart.map(([first, second]) => [second, first] as const)])
    keptFrom.set(one, (keptFrom.get(one) ?? new Set()).add(other));
  const key = JSON.stringify([[...alone].toSorted(), [...new Set(apart.map((pair) => pair.toSorted().join()))].toSorted()]);
  return {
    isOrdinary: (userId) => !alone.has(userId) && !keptFrom.has(userId),
    isShown: (userId) => !alone.has(userId),
    sees: (one, other) => one === other || !(alone.has(one) || alone.has(other) || keptFrom.get(one)?.has(other)),
    isLike: (other) => other.key === key,
    key,
  };
}
