import type { Id } from './stored.ts';

/** Clocks of one client that follow one another in the history of one key: each has the one before it as its origin. */
export interface Run extends Id {
  readonly length: number;
  /** Origin of the first of them. */
  readonly origin: Id | null;
}

const same = (a: Id | null, b: Id | null): boolean => a === b || (a !== null && b !== null && a.client === b.client && a.clock === b.clock);

/** Whether a run ends with `id`. */
export const endsWith = (run: Run, id: Id | null): boolean =>
  id !== null && run.client === id.client && run.clock + run.length - 1 === id.clock;

/**
 * Whether a new item becomes the value of its key, as Yjs would decide on integration. No item of a lane has a right origin, so a key's
 * history is a walk of the tree of origins, parents first and siblings by ascending client id; its last item is the value. The new one
 * comes last when its origin is the last, or an ancestor of the last by a child with a smaller client id.
 */
export function becomesLast(last: Run | null, client: number, origin: Id | null, find: (id: Id) => Run): boolean {
  if (last === null || endsWith(last, origin)) return true;
  let run = last;
  let end = run.clock + run.length - 1;
  for (;;) {
    if (origin !== null && origin.client === run.client && origin.clock >= run.clock && origin.clock < end) return client > run.client;
    if (same(run.origin, origin)) return client > run.client;
    if (run.origin === null) return false;
    end = run.origin.clock;
    run = find(run.origin);
  }
}
