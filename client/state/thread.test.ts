import { expect, test } from 'vitest';
import { systemRandom } from '../../shared/clock.ts';
import { makeMessageId } from '../../shared/ids.ts';
import type { SegmentMessage } from '../../shared/segment.ts';
import type { ChangeEntry, MessageEntry } from '../sync/outbox/entry.ts';
import { projectReactions } from './reactions.ts';
import { projectThread } from './thread.ts';

const MINUTE = 60_000;
const NOON = new Date(2026, 5, 10, 12).getTime();
const [ana, ben] = ['ana', 'ben'];

const said = (seq: number, authorId: string, writtenAt: number): SegmentMessage => ({
  id: makeMessageId(writtenAt, systemRandom),
  seq,
  authorId,
  body: `message ${seq}`,
  replyTo: null,
  editedAt: null,
  extras: null,
  writtenAt,
  acceptedAt: null,
  reactions: new Map(),
});
const waiting = (text: string): MessageEntry => {
  const messageId = makeMessageId(NOON, systemRandom);
  const common = { id: `m:${messageId}`, conversationId: 'c', order: 1, at: NOON, state: { kind: 'waiting' } } as const;
  return { ...common, kind: 'message', messageId, value: [text, null, null], placed: false };
};
type Input = Parameters<typeof projectThread>[0];
const project = (messages: readonly SegmentMessage[], more: Partial<Input> = {}) =>
  projectThread({
    messages,
    pending: [],
    isLogged: () => false,
    changeOf: () => undefined,
    isKept: () => true,
    reactionsTo: (_, stored) => ({ shown: projectReactions(stored, undefined, ana), failure: null }),
    me: ana,
    now: NOON + 60 * MINUTE,
    unreadAfter: null,
    ...more,
  });
/** All rows. */
const thread = (messages: readonly SegmentMessage[], more: Partial<Input> = {}) => {
  const { pending, at } = project(messages, more);
  return Array.from({ length: messages.length + pending.length }, (_, i) => at(i)!);
};

test('[C3.1, C3.2] the order is that of seq, whatever the clocks say; own pending ones stand last, as written', () => {
  const rows = thread([said(1, ben, NOON), said(2, ana, NOON - 90 * MINUTE), said(3, ben, NOON - 5 * MINUTE)], {
    pending: [waiting('b'), waiting('a')],
  });
  expect(rows.map(({ text, seq }) => [text, seq])).toEqual([
    ['message 1', 1],
    ['message 2', 2],
    ['message 3', 3],
    ['b', null],
    ['a', null],
  ]);
});

test('[C3.5] a time in the future is shown as now', () => {
  const [row] = thread([said(1, ben, NOON + 600 * MINUTE)]);
  expect(row!.at).toBe(NOON + 60 * MINUTE);
});

test('[C10.2] a day begins with the first message of it', () => {
  const rows = thread([said(1, ben, NOON - 24 * 60 * MINUTE), said(2, ben, NOON), said(3, ben, NOON + MINUTE)]);
  expect(rows.map(({ startsDay }) => startsDay)).toEqual([true, true, false]);
});

test('[C3.4, C10.2] late mail belongs to the day on which it came', () => {
  const late = { ...said(2, ben, NOON - 24 * 60 * MINUTE), acceptedAt: NOON + MINUTE };
  const rows = thread([said(1, ben, NOON), late, said(3, ben, NOON + 2 * MINUTE)]);
  expect(rows.map(({ startsDay }) => startsDay)).toEqual([true, false, false]);
});

test('[C4.2] the divider stands before the first of others after the read position', () => {
  const messages = [said(1, ben, NOON), said(2, ana, NOON), said(3, ben, NOON), said(4, ben, NOON)];
  const divided = (unreadAfter: number | null) => thread(messages, { unreadAfter }).map(({ startsUnread }) => startsUnread);
  expect(divided(1)).toEqual([false, false, true, false]);
  expect(divided(4)).toEqual([false, false, false, false]);
  expect(divided(null)).toEqual([false, false, false, false]);
});

test('messages of one author within a few minutes are a run', () => {
  const rows = thread([said(1, ben, NOON), said(2, ben, NOON + MINUTE), said(3, ana, NOON + MINUTE), said(4, ana, NOON + 9 * MINUTE)]);
  expect(rows.map(({ startsRun, endsRun }) => [startsRun, endsRun])).toEqual([
    [true, false],
    [false, true],
    [true, true],
    [true, true],
  ]);
});

test('[C6.7] what waits to be changed is shown as changed, with word of it; what failed says so', () => {
  const messages = [said(1, ana, NOON), said(2, ana, NOON), said(3, ana, NOON)];
  const [edited, deleted] = messages.map(({ id }) => id);
  const common = { id: 'c:1', conversationId: 'c', order: 1, at: NOON, n: 1 };
  const changes = new Map<string, ChangeEntry>([
    [edited!, { ...common, kind: 'edit', messageId: edited!, body: 'better', state: { kind: 'waiting' } }],
    [deleted!, { ...common, kind: 'delete', messageId: deleted!, state: { kind: 'failed', code: 'gone' } }],
  ]);
  const rows = thread(messages, { changeOf: (id) => changes.get(id) });
  expect(rows.map(({ text, change, isEdited, failure }) => [text, change, isEdited, failure])).toEqual([
    ['better', 'edit', true, null],
    ['message 2', 'delete', false, 'gone'],
    ['message 3', null, false, null],
  ]);
});

test('a message that is in the log stands there once, though its entry is still here', () => {
  const message = said(1, ana, NOON);
  const pending = [{ ...waiting('a'), messageId: message.id }];
  expect(thread([message], { pending, isLogged: (id) => id === message.id })).toHaveLength(1);
});

/** Counts how many different messages are looked at. */
function counted(messages: readonly SegmentMessage[]) {
  const looked = new Set<string>();
  const watched = new Proxy(messages, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) looked.add(key);
      return Reflect.get(target, key) as unknown;
    },
  });
  return { watched, looked };
}

test('[C5.9] a row costs the same in a thread of 100 and of 10,000: it looks at its neighbours, and finds the divider by halves', () => {
  const all = Array.from({ length: 10_000 }, (_, i) => said(i + 1, i % 3 === 0 ? ana : ben, NOON + i));
  const costOf = (count: number): number => {
    const { watched, looked } = counted(all.slice(0, count));
    const { at } = project(watched, { unreadAfter: count - 40 });
    for (let i = count - 60; i < count; i++) at(i);
    return looked.size;
  };
  expect(costOf(100)).toBeLessThanOrEqual(61 + Math.log2(100));
  expect(costOf(10_000)).toBeLessThanOrEqual(61 + Math.log2(10_000) + 1);
});

test('beyond its ends a thread has no rows', () => {
  const { at } = project([said(1, ana, NOON)]);
  expect([at(-1), at(1)]).toEqual([undefined, undefined]);
});
