import { expect, test } from 'vitest';
import type { RowInput } from './conversation-row.ts';
import { makeRows } from './make-rows.ts';
import { makeConversation, makePerson } from './test-sync.ts';

const [ana, ben] = ['ana', 'ben'].map(makePerson) as [ReturnType<typeof makePerson>, ReturnType<typeof makePerson>];
const NOTHING = { me: ana.id, readTo: 0, entries: [], messages: [], now: 0 } as const;
const inputs = (count: number): RowInput[] =>
  Array.from({ length: count }, (_, i) => ({ ...NOTHING, conversation: makeConversation([ana, ben], i + 1) }));

test('one change among 500 conversations makes one row', () => {
  const rowsOf = makeRows();
  const all = inputs(500);
  const before = rowsOf(all);
  expect(rowsOf(all.map((input) => ({ ...input, now: 1 })))).toEqual(before);
  const changes: Partial<RowInput>[] = [
    { conversation: { ...all[70]!.conversation, unreadCount: 9 } },
    { messages: [] },
    { entries: [] },
    { readTo: 3 },
    { me: ben.id },
  ];
  for (const change of changes) {
    const after = rowsOf(all.map((input, i) => (i === 70 ? { ...input, ...change } : input)));
    expect(after.flatMap((row, i) => (row === before[i] ? [] : i))).toEqual([70]);
  }
});

test('what is gone is forgotten', () => {
  const rowsOf = makeRows();
  const all = inputs(2);
  const [, before] = rowsOf(all);
  rowsOf(all.slice(0, 1));
  const [, after] = rowsOf(all);
  expect(after).toEqual(before);
  expect(after).not.toBe(before);
});
