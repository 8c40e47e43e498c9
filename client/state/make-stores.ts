import { type SetStoreFunction, createStore } from 'solid-js/store';

/**
 * Turns rows into a store each, by id: the same store for as long as its row is among them. One is worked on only when its row says something
 * else, which is looked at without a store: most of what happens changes no row, or one.
 */
export function makeStores<T extends { id: string }>(): (rows: readonly T[]) => readonly T[] {
  let kept = new Map<string, { source: T; row: T; set: SetStoreFunction<T> }>();
  const isSame = (a: T, b: T): boolean => a === b || (Object.keys(b) as (keyof T)[]).every((key) => a[key] === b[key]);
  return (rows) => {
    const before = kept;
    kept = new Map();
    return rows.map((source) => {
      const known = before.get(source.id);
      const [row, set] = known ? [known.row, known.set] : createStore({ ...source });
      if (known && !isSame(known.source, source)) set({ ...source });
      kept.set(source.id, { source, row, set });
      return row;
    });
  };
}
