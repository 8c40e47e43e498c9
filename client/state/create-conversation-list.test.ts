import { createRoot, createSignal } from 'solid-js';
import { expect, test } from 'vitest';
import type { Conversation } from '../../shared/api.ts';
import { systemRandom } from '../../shared/clock.ts';
import { makeMessageId, makeUuid } from '../../shared/ids.ts';
import { type Api, ApiError, makeApi } from '../sync/api.ts';
import { makeTestClock } from '../sync/test-server.ts';
import { asRow, createConversationList } from './create-conversation-list.ts';

const [ana, ben, id] = [1, 2, 3].map((n) => makeUuid(n, systemRandom)) as [string, string, string];
const member = (userId: string, displayName: string): Conversation['members'][number] => ({
  id: userId,
  handle: displayName.toLowerCase(),
  displayName,
  bio: '',
  avatarUrl: null,
  role: 'member',
});
const direct = (seq: number, unreadCount: number, senderId = ben): Conversation => ({
  id,
  kind: 'direct',
  title: null,
  members: [member(ana, 'Ana'), member(ben, 'Ben')],
  lastMessage: { id: makeMessageId(0, systemRandom), seq, senderId, preview: 'hi', sentAt: '2026-06-10T12:00:00.000Z' },
  unreadCount,
  lastReadSeq: seq - unreadCount,
  openSegment: 1,
});

test('a row has the other’s name, says who wrote last, and knows what was read here before the server does', () => {
  expect(asRow(direct(5, 2), ana, 0)).toMatchObject({ name: 'Ben', handle: 'ben', preview: 'hi', unread: 2 });
  expect(asRow(direct(5, 2), ana, 5)).toMatchObject({ unread: 0 });
  expect(asRow(direct(5, 0, ana), ana, 0)).toMatchObject({ preview: 'You: hi' });
  expect(asRow({ ...direct(5, 0), lastMessage: null }, ana, 0)).toMatchObject({ preview: null, lastAt: null, unread: 0 });
  expect(asRow({ ...direct(5, 0), kind: 'group', title: 'Four' }, ana, 0)).toMatchObject({ name: 'Four', handle: null });
});

function setUp(answers: (Conversation[] | ApiError)[]) {
  const clock = makeTestClock();
  let asked = 0;
  let signedOut = 0;
  const [isWorthwhile, setWorthwhile] = createSignal(true);
  const conversations: Api['conversations'] = async () => {
    const answer = answers[Math.min(asked++, answers.length - 1)]!;
    if (answer instanceof ApiError) throw answer;
    return answer;
  };
  const list = createRoot(() =>
    createConversationList({
      api: { ...makeApi({ fetch }), conversations },
      me: ana,
      clock,
      isWorthwhile,
      onSignedOut: () => (signedOut += 1),
    }),
  );
  return { clock, list, setWorthwhile, asked: () => asked, signedOut: () => signedOut };
}

test('[C4.5] one count for all, which vanishes at once when read here', async () => {
  const { list } = setUp([[direct(5, 2)]]);
  await expect.poll(list.unread).toBe(2);
  list.noteRead(id, 5);
  expect([list.unread(), list.rows[0]!.unread]).toEqual([0, 0]);
});

test('asks again and again while it is worthwhile, and at once when it becomes so', async () => {
  const { clock, list, asked, setWorthwhile } = setUp([[direct(5, 2)], [direct(6, 3)]]);
  await expect.poll(list.isLoaded).toBe(true);
  await expect.poll(() => (clock.pass(3_000), list.unread())).toBe(3);
  setWorthwhile(false);
  const before = asked();
  clock.pass(60_000);
  expect(asked()).toBe(before);
  setWorthwhile(true);
  expect(asked()).toBe(before + 1);
});

test('no answer is told and changes nothing; a session that is over is over', async () => {
  const { clock, list, signedOut } = setUp([[direct(5, 2)], new ApiError(0, 'unreachable', 'no network')]);
  await expect.poll(list.unread).toBe(2);
  await expect.poll(() => (clock.pass(3_000), list.isReached())).toBe(false);
  expect(list.unread()).toBe(2);
  expect(signedOut()).toBe(0);
  const over = setUp([new ApiError(401, 'unauthorized', 'Sign in.')]);
  await expect.poll(over.signedOut).toBe(1);
});
