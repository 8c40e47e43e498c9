import { expect, test } from 'vitest';
import type { SegmentMessage } from '../../shared/segment.ts';
import { indexAfter, othersAfter } from './messages-after.ts';

/** With a gap after 3, as a restored backup leaves one. */
const messages = [1, 2, 3, 10, 11].map((seq) => ({
  seq,
  authorId: seq === 11 ? 'ana' : 'ben',
  body: seq === 2 ? null : `message ${seq}`,
})) as SegmentMessage[];

test('the first message after a seq is found, also in a gap, before the first and after the last', () => {
  expect([0, 1, 3, 7, 10, 11, 99].map((seq) => indexAfter(messages, seq))).toEqual([0, 1, 3, 3, 4, 5, 5]);
  expect(indexAfter([], 1)).toBe(0);
});

test('what is deleted, and what one wrote oneself, is not news', () => {
  expect(othersAfter(messages, 0, 'ana').map(({ seq }) => seq)).toEqual([1, 3, 10]);
  expect(othersAfter(messages, 3, 'ana').map(({ seq }) => seq)).toEqual([10]);
});
