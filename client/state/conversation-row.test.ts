import { expect, test } from 'vitest';
import type { Conversation } from '../../shared/api.ts';
import { systemRandom } from '../../shared/clock.ts';
import { makeMessageId, makeUuid } from '../../shared/ids.ts';
import type { SegmentMessage } from '../../shared/segment.ts';
import type { Entry, EntryState } from '../sync/outbox/entry.ts';
import { asRow, byNewest, countUnread } from './conversation-row.ts';

const [ana, ben, id] = [1, 2, 3].map((n) => makeUuid(n, systemRandom)) as [string, string, string];
const NOON = Date.parse('2026-06-10T12:00:00.000Z');
const member = (userId: string, displayName: string, avatarUrl: string | null = null): Conversation['members'][number] => ({
  id: userId,
  handle: displayName.toLowerCase(),
  displayName,
  bio: '',
  avatarUrl,
  role: 'member',
});
const direct = (seq: number, unreadCount: number, senderId = ben): Conversation => ({
  id,
  kind: 'direct',
  title: null,
  members: [member(ana, 'Ana'), member(ben, 'Ben', '/ben.webp')],
  lastMessage: { id: makeMessageId(0, systemRandom), seq, senderId, preview: 'hi', sentAt: new Date(NOON).toISOString() },
  unreadCount,
  lastReadSeq: seq - unreadCount,
  openSegment: 1,
});
const said = (seq: number, authorId: string, body: string | null = 'hi'): SegmentMessage => ({
  id: makeMessageId(0, systemRandom),
  seq,
  authorId,
  body,
  replyTo: null,
  editedAt: null,
  extras: null,
  writtenAt: 0,
  acceptedAt: null,
  reactions: new Map(),
});
const waiting = (text: string, at: number, state: EntryState = { kind: 'waiting' }): Entry => ({
  id: 'm',
  conversationId: id,
  order: 1,
  at,
  state,
  kind: 'message',
  messageId: 'm',
  value: [text, null, null],
  placed: false,
});
const row = (conversation: Conversation, entries: Entry[] = []) =>
  asRow({ conversation, me: ana, readTo: conversation.lastReadSeq, entries, messages: [], now: NOON });

test('a row has the other’s name and picture, and says who wrote last', () => {
  expect(row(direct(5, 2))).toMatchObject({ name: 'Ben', handle: 'ben', avatarUrl: '/ben.webp', preview: 'hi', unread: 2, lastAt: NOON });
  expect(row(direct(5, 0, ana))).toMatchObject({ preview: 'You: hi' });
  expect(row({ ...direct(5, 0), lastMessage: null })).toMatchObject({ preview: null, lastAt: null, unread: 0 });
  expect(row({ ...direct(5, 0), kind: 'group', title: 'Four' })).toMatchObject({ name: 'Four', handle: null });
});

test('[C6.3] what waits is the preview, at a time that is never later than now; what failed is marked', () => {
  expect(row(direct(5, 2), [waiting('soon', NOON + 999)])).toMatchObject({
    preview: 'You: soon',
    lastAt: NOON,
    isWaiting: true,
    hasFailed: false,
  });
  expect(row(direct(5, 2), [waiting('no', NOON, { kind: 'failed', code: 'blocked' })])).toMatchObject({
    isWaiting: false,
    hasFailed: true,
  });
});

test('[C4.8] unread follows seq: what was read here counts at once, in doubt the server’s count stands', () => {
  const count = (readTo: number, messages: SegmentMessage[] = [], conversation = direct(5, 4)): number =>
    countUnread({ conversation, me: ana, readTo, messages });
  expect(count(5)).toBe(0);
  expect(count(1)).toBe(4);
  expect(count(3)).toBe(2);
  const here = [said(2, ben), said(3, ana), said(4, ben, null), said(5, ben)];
  expect(count(1, here)).toBe(2);
  expect(count(4, here)).toBe(1);
  expect(count(1, here.slice(1))).toBe(4);
  expect(count(5, [...here, said(6, ben)])).toBe(1);
});

test('[C3.6] newest first; one that was just opened comes before all', () => {
  const at = (lastAt: number | null) => ({ ...row(direct(1, 0)), lastAt });
  expect([at(1), at(3), at(null), at(2)].sort(byNewest).map(({ lastAt }) => lastAt)).toEqual([null, 3, 2, 1]);
});
