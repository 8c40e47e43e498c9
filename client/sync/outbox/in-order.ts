import { equalityDeep } from 'lib0/function';
import type { Changes, Decide, Entry } from './entry.ts';
import { pick } from './outbox-store.ts';

/** A change that is to be written. */
export interface Job {
  ids: readonly string[];
  decide: Decide;
  /** What was decided here, when it was asked for, and over what. */
  here: Changes;
  base: ReadonlyMap<string, Entry>;
  written: () => void;
}

/**
 * Several changes as one, over what stands there. `known` is what the device failed to hold: what was decided over that here stands, for
 * the device would decide over something older; but what another tab has changed of a message there meanwhile stays, where this one left it as it was.
 */
export const inOrder =
  (jobs: readonly Job[], known: Pick<Job, 'here' | 'base'>): Decide =>
  (found) => {
    const now = new Map(found);
    const changes = new Map<string, Entry | null>();
    const blind = new Set(known.here.keys());
    function apply(made: Changes): void {
      for (const [id, entry] of made) {
        changes.set(id, entry);
        if (entry) now.set(id, entry);
        else now.delete(id);
      }
    }
    const rebase = ({ here, base }: Pick<Job, 'here' | 'base'>): Changes =>
      new Map([...here].map(([id, entry]) => [id, entry && withTheirs(entry, base.get(id), now.get(id))] as const));
    apply(rebase(known));
    for (const job of jobs) {
      const { ids, decide } = job;
      const isBlind = ids.some((id) => blind.has(id));
      if (isBlind) for (const id of ids) blind.add(id);
      apply(isBlind ? rebase(job) : decide(pick(ids, (id) => now.get(id))));
    }
    return changes;
  };

/** Ours, and of what ours left as it was, theirs. In other entries than messages one field says what another is about: they stay whole. */
function withTheirs(ours: Entry, base: Entry | undefined, theirs: Entry | undefined): Entry {
  if (ours.kind !== 'message' || base?.kind !== 'message' || theirs?.kind !== 'message') return ours;
  const before = new Map(Object.entries(base));
  const own = Object.entries(ours).filter(([field, value]) => !equalityDeep(value, before.get(field)));
  return { ...theirs, ...Object.fromEntries(own) };
}
