import type { LeavingEntry, StructId } from './outbox/entry.ts';
import type { Outbox } from './outbox/outbox.ts';

/** What the device is being told before it leaves. */
export interface Claims {
  size: () => number;
  has: (key: string) => boolean;
  /** Messages. */
  place: (keys: readonly string[]) => void;
  /** What others may write over, and by which struct it goes: after any end of this tab it can be told whether it arrived. */
  leave: (entry: LeavingEntry, next: StructId & { n: number }) => void;
}

/** So often the device is told that something may leave, before it leaves all the same. */
const CLAIM_TRIES = 3;

/** Calls `move` when the device knows. What it cannot be told at once it is told again; one that never hears stands in nobody's way. */
export function makeClaims(outbox: Outbox, move: () => void): Claims {
  const claiming = new Set<string>();
  function claim(keys: readonly string[], ask: (claimed: () => void) => void, tries = CLAIM_TRIES): void {
    for (const key of keys) claiming.add(key);
    ask(() => {
      const isLate = (key: string): boolean => outbox.get(key) !== undefined && !outbox.isKept(key) && !outbox.isOnlyHere(key);
      const late = tries > 1 ? keys.filter(isLate) : [];
      for (const key of keys) claiming.delete(key);
      if (late.length > 0) claim(late, (claimed) => outbox.claim(late, claimed), tries - 1);
      if (claiming.size === 0) move();
    });
  }
  return {
    size: () => claiming.size,
    has: (key: string) => claiming.has(key),
    place: (keys: readonly string[]) => claim(keys, (claimed) => outbox.claim(keys, claimed)),
    leave: (entry: LeavingEntry, next: StructId & { n: number }) => claim([entry.id], (claimed) => outbox.leave(entry, next, claimed)),
  };
}
