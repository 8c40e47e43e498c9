import type { Uuid } from '../../../shared/ids.ts';
import type { Privacy } from '../ports.ts';

/** Who is kept from whom in one conversation (P6): presence, typing, positions. It holds both ways. */
export interface Discretion {
  /** Everybody sees everybody. */
  isOpen: boolean;
  sees(one: Uuid, other: Uuid): boolean;
  isLike(other: Discretion): boolean;
  readonly key: string;
}

export function makeDiscretion({ silent, apart }: Privacy): Discretion {
  const alone = new Set(silent);
  const pairs = new Set(apart.map((pair) => pair.toSorted().join()));
  const key = JSON.stringify([[...alone].toSorted(), [...pairs].toSorted()]);
  return {
    isOpen: alone.size === 0 && pairs.size === 0,
    sees: (one, other) => one === other || !(alone.has(one) || alone.has(other) || pairs.has([one, other].toSorted().join())),
    isLike: (other) => other.key === key,
    key,
  };
}
