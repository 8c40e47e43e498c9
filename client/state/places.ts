/** Whether two lists hold the same in the same order. */
export const isSameList = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a === b || (a.length === b.length && a.every((item, i) => item === b[i]));

/** How many items two lists have in common from their beginning. */
export function sharedStart<T>(a: readonly T[], b: readonly T[]): number {
  const end = Math.min(a.length, b.length);
  let at = 0;
  while (at < end && a[at] === b[at]) at += 1;
  return at;
}

/** Where each id of a list stands. */
export interface Places {
  /** Takes another list; only what differs from the last one's beginning is entered anew. */
  follow: (ids: readonly string[]) => Places;
  of: (id: string) => number | undefined;
}

export function makePlaces(): Places {
  const places = new Map<string, number>();
  let known: readonly string[] = [];
  const self: Places = {
    follow(ids) {
      const start = sharedStart(known, ids);
      for (let i = start; i < known.length; i++) places.delete(known[i]!);
      for (let i = start; i < ids.length; i++) places.set(ids[i]!, i);
      known = ids;
      return self;
    },
    of: (id) => places.get(id),
  };
  return self;
}
