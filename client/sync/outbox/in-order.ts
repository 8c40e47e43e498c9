import type { Changes, Decide, Entry } from './entry.ts';
import { pick } from './outbox-store.ts';

/** A change that is to be written. */
export interface Job {
  ids: readonly string[];
  decide: Decide;
  /** What was decided here, when it was asked for. */
  here: Changes;
  written: () => void;
}

/**
 * Several changes as one, over what stands there. `known` is what the device failed to hold: what was decided over that here stands, for
 * the device would decide over something older.
 */
export const inOrder =
  (jobs: readonly Job[], known: Changes): Decide =>
  (found) => {
    const now = new Map(found);
    const changes = new Map<string, Entry | null>();
    const blind = new Set(known.keys());
    function apply(made: Changes): void {
      for (const [id, entry] of made) {
        changes.set(id, entry);
        if (entry) now.set(id, entry);
        else now.delete(id);
      }
    }
    apply(known);
    for (const { ids, decide, here } of jobs) {
      const isBlind = ids.some((id) => blind.has(id));
      if (isBlind) for (const id of ids) blind.add(id);
      apply(isBlind ? here : decide(pick(ids, (id) => now.get(id))));
    }
    return changes;
  };
