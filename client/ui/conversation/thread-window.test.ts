import { array, assert, constant, integer, property, tuple } from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_ROWS, gapsBetween, layOut, rowsAround } from './thread-window.ts';

const ids = ['a', 'b', 'c', 'd'];
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

test('a row stands below those before it, and is found by each of its pixels', () => {
  const { offsets, indexAt } = layOut(
    ids,
    new Map([
      ['a', 10],
      ['b', 20],
      ['c', 30.5],
      ['d', 40],
    ]),
  );
  expect([...offsets]).toEqual([0, 10, 30, 60.5, 100.5]);
  expect([-5, 0, 9, 10, 29, 30, 60.4, 60.5, 900].map(indexAt)).toEqual([0, 0, 0, 1, 1, 2, 2, 3, 3]);
  expect(layOut([], new Map()).indexAt(10)).toBe(0);
});

test('what was never shown is guessed, all of it alike', () => {
  const { offsets } = layOut(ids, new Map([['b', 100]]));
  expect(offsets[4]).toBe(100 + 3 * offsets[1]!);
});

test('whatever comes, goes and changes its height, what is taken over from the layout before is what would be laid out anew', () => {
  const size = integer({ min: 1, max: 100 });
  const step = tuple(array(integer({ min: 0, max: 15 }), { maxLength: 16 }), array(tuple(integer({ min: 0, max: 15 }), size)));
  assert(
    property(array(step, { maxLength: 8 }), (steps) => {
      const heights = new Map<string, number>();
      let layout = layOut([], heights);
      for (const [numbers, sizes] of steps) {
        for (const [n, height] of sizes) heights.set(String(n), height);
        const changed = layout.ids.findIndex((id) => sizes.some(([n]) => String(n) === id));
        layout = layOut([...new Set(numbers.map(String))], heights, layout, changed === -1 ? Infinity : changed);
        expect(layout.offsets).toEqual(layOut(layout.ids, heights).offsets);
      }
    }),
  );
});

test('[C5.9] an arrival at the end of 10,000 rows asks for one height', () => {
  const all = range(0, 10_000).map(String);
  const before = layOut(all, new Map());
  const asked: string[] = [];
  const heights = { get: (id: string) => (asked.push(id), undefined) };
  layOut([...all, 'new'], heights, before, Infinity);
  layOut(all, heights, before, 9_998);
  expect(asked).toEqual(['new', '9998', '9999']);
});

test('[C5.9] rows on the screen and some beyond, and the pinned ones wherever they are', () => {
  expect(rowsAround(10_000, 500, 510, [])).toEqual(range(470, 541));
  expect(rowsAround(10_000, 500, 510, [3, 505])).toEqual([3, ...range(470, 541)]);
  expect(rowsAround(20, 0, 8, [])).toEqual(range(0, 20));
  expect(rowsAround(0, 0, 0, [])).toEqual([]);
});

test('[C5.9] however high the screen, however many messages: never more than so many rows, and the newest of a long screen', () => {
  const count = integer({ min: 1, max: 20_000 });
  const at = (max: number) => integer({ min: 0, max });
  assert(
    property(
      count.chain((n) => tuple(constant(n), at(n - 1), at(n - 1), array(at(n - 1), { maxLength: 3 }))),
      ([n, one, other, pinned]) => {
        const [first, last] = [Math.min(one, other), Math.max(one, other)];
        const rows = rowsAround(n, first, last, pinned);
        expect(rows.length).toBeLessThanOrEqual(MAX_ROWS);
        expect(rows).toContain(last);
        for (const pin of pinned) expect(rows).toContain(pin);
        expect(rows).toEqual([...new Set(rows)].sort((a, b) => a - b));
      },
    ),
  );
});

test('rows and the gaps between them are as high as all rows', () => {
  const heights = new Map(range(0, 1_000).map((i) => [String(i), 20 + (i % 7) * 10.25]));
  const all = range(0, 1_000).map(String);
  const layout = layOut(all, heights);
  const rows = rowsAround(1_000, 400, 420, [2, 3, 900]);
  const { before, end } = gapsBetween(rows, 1_000, layout);
  let y = 0;
  rows.forEach((index, i) => {
    y += before[i]!;
    expect(y).toBeCloseTo(layout.offsets[index]!);
    y += heights.get(String(index))!;
  });
  expect(y + end).toBeCloseTo(layout.offsets[1_000]!);
  expect(gapsBetween([], 3, layOut(['a', 'b', 'c'], new Map()))).toEqual({ before: [], end: 3 * layOut(['a'], new Map()).offsets[1]! });
});
