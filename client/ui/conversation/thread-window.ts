import { sharedStart } from '../../state/places.ts';

/** Rows one under another, by what is known of their heights. */
export interface Layout {
  ids: readonly string[];
  /** How far below the first row's upper edge each one begins; one more at the end. */
  offsets: Float64Array;
  /** The row at this height; the first one above all, the last one below. */
  indexAt: (y: number) => number;
}

/** A row that was never on the screen counts with so many pixels. */
const GUESS_PX = 56;

/**
 * Lays rows out. What `before` says of the rows above `from`, the first one whose height may have changed since, and above the first other row,
 * is taken over: an arrival at the end costs one row.
 */
export function layOut(ids: readonly string[], heights: Pick<ReadonlyMap<string, number>, 'get'>, before?: Layout, from = 0): Layout {
  const offsets = new Float64Array(ids.length + 1);
  const start = before ? Math.min(from, sharedStart(before.ids, ids)) : 0;
  if (before) offsets.set(before.offsets.subarray(0, start + 1));
  for (let i = start; i < ids.length; i++) offsets[i + 1] = offsets[i]! + (heights.get(ids[i]!) ?? GUESS_PX);
  return {
    ids,
    offsets,
    indexAt(y) {
      let low = 0;
      let high = ids.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (offsets[middle + 1]! > y) high = middle;
        else low = middle + 1;
      }
      return Math.max(0, low);
    },
  };
}

/** More rows than this are never in the document (C5.9). */
export const MAX_ROWS = 118;
/** So many beyond each edge of the screen: they are there before they are seen. */
const BEYOND = 30;

/**
 * Which rows to show, in order: those on the screen, some beyond its edges, and the pinned ones wherever they stand. A pinned row holds
 * the focus or an end of the selection: it stays in the document while the reader is elsewhere.
 */
export function rowsAround(count: number, first: number, last: number, pinned: readonly number[]): number[] {
  const room = MAX_ROWS - pinned.length;
  const beyond = Math.max(0, Math.min(BEYOND, (room - (last - first + 1)) >> 1));
  const end = Math.min(count, last + 1 + beyond);
  const start = Math.max(0, first - beyond, end - room);
  const window = Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
  const apart = pinned.filter((index) => index < start || index >= end);
  return [...new Set([...window, ...apart])].sort((a, b) => a - b);
}

/** The room before each of these rows, for those that are left out, and after the last one. */
export function gapsBetween(rows: readonly number[], count: number, { offsets }: Layout): { before: number[]; end: number } {
  const offset = (index: number): number => offsets[index]!;
  const before = rows.map((index, i) => offset(index) - offset(i === 0 ? 0 : rows[i - 1]! + 1));
  return { before, end: offset(count) - offset(rows.length === 0 ? 0 : rows.at(-1)! + 1) };
}
