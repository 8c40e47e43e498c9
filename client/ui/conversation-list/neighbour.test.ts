import { expect, test } from 'vitest';
import type { ConversationRow } from '../../state/create-conversation-list.ts';
import { neighbour } from './neighbour.ts';

const rows = [0, 3, 0, 1].map((unread, i) => ({ id: `${i}`, unread })) as ConversationRow[];

test('[C2] the conversation before and after the open one, none beyond the ends', () => {
  expect([neighbour(rows, '1', -1, false), neighbour(rows, '1', 1, false)]).toEqual(['0', '2']);
  expect([neighbour(rows, '0', -1, false), neighbour(rows, '3', 1, false)]).toEqual([null, null]);
  expect([neighbour(rows, undefined, 1, false), neighbour(rows, undefined, -1, false)]).toEqual(['0', '3']);
});

test('[C2] the next unread one, round the end, and not the open one', () => {
  expect([neighbour(rows, '0', 1, true), neighbour(rows, '1', 1, true), neighbour(rows, '3', 1, true)]).toEqual(['1', '3', '1']);
  expect([neighbour(rows, '0', -1, true), neighbour(rows, undefined, 1, true), neighbour(rows, undefined, -1, true)]).toEqual([
    '3',
    '1',
    '3',
  ]);
  expect(neighbour(rows.slice(2), '3', 1, true)).toBe(null);
  expect(neighbour([], undefined, 1, true)).toBe(null);
});
