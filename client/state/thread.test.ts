import { expect, test } from 'vitest';
import { systemRandom } from '../../shared/clock.ts';
import { makeMessageId } from '../../shared/ids.ts';
import type { SegmentMessage } from '../../shared/segment.ts';
import type { PendingMessage } from '../sync/pending.ts';
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
const waiting = (text: string): PendingMessage => ({
  id: makeMessageId(NOON, systemRandom),
  conversationId: 'c',
  value: [text, null, null],
  state: { kind: 'waiting' },
});
const thread = (messages: SegmentMessage[], more: Partial<Parameters<typeof projectThread>[0]> = {}) =>
  projectThread({ messages, pending: [], me: ana, now: NOON + 60 * MINUTE, unreadAfter: null, ...more });

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
