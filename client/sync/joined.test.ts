import { expect, test } from 'vitest';
import { makeJoined } from './joined.ts';

test('parts are joined in their order; the list is another one only when a part is', () => {
  const join = makeJoined<number>();
  const [a, b] = [[1, 2], [3]];
  const first = join([a, b]);
  expect(first).toEqual([1, 2, 3]);
  expect(join([a, b])).toBe(first);
  expect(join([a, [3, 4]])).toEqual([1, 2, 3, 4]);
  expect(join([[0], a, b])).toEqual([0, 1, 2, 3]);
  expect(join([])).toEqual([]);
});
