import { createEffect, createRoot } from 'solid-js';
import { afterEach, expect, test } from 'vitest';
import { systemRandom } from '../../shared/clock.ts';
import { makeMessageId } from '../../shared/ids.ts';
import type { SegmentMessage } from '../../shared/segment.ts';
import { readKey } from '../sync/outbox/entry.ts';
import { settled } from '../sync/test-server.ts';
import { createConversationList } from './create-conversation-list.ts';
import { makeConversation, makePerson, makeTestSync } from './test-sync.ts';

const [ana, ben, chiara] = ['ana', 'ben', 'chiara'].map(makePerson) as [
  ReturnType<typeof makePerson>,
  ReturnType<typeof makePerson>,
  ReturnType<typeof makePerson>,
];
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

function setUp() {
  const device = makeTestSync();
  closers.push(device.outbox.close);
  const titles: number[] = [];
  const list = createRoot((dispose) => {
    closers.push(dispose);
    const made = createConversationList({
      sync: device.sync,
      me: ana.id,
      clock: device.clock,
      person: (id) => (id === chiara.id ? chiara : undefined),
    });
    createEffect(() => titles.push(made.unread()));
    return made;
  });
  return { ...device, list, titles };
}
const held = (count: number): SegmentMessage[] =>
  Array.from(
    { length: count },
    (_, i) => ({ id: makeMessageId(i, systemRandom), seq: i + 1, authorId: ben.id, body: `message ${i + 1}` }) as SegmentMessage,
  );

test('it is loaded when the device or the server has told, and what waits is known', async () => {
  const { list, world, take, notify } = setUp();
  expect(list.isLoaded()).toBe(false);
  take();
  expect(list.isLoaded()).toBe(false);
  await settled();
  expect(list.isLoaded()).toBe(true);
  world.isReady = false;
  notify();
  expect(list.isLoaded()).toBe(false);
});

test('[C4.5] one count: the sum of the rows, from one selector, and the rows say the same', async () => {
  const { list, titles, take } = setUp();
  const [one, two] = [makeConversation([ana, ben], 3), makeConversation([ana, chiara], 4)];
  take(one, two);
  expect([list.unread(), list.rows.map(({ name, unread }) => [name, unread])]).toEqual([
    7,
    [
      ['Chiara', 4],
      ['Ben', 3],
    ],
  ]);
  list.noteRead(two.id, 4);
  expect([list.unread(), list.rows.map(({ unread }) => unread)]).toEqual([3, [0, 3]]);
  take({ ...one, unreadCount: 0, lastReadSeq: 3 });
  expect([list.unread(), titles]).toEqual([0, [0, 7, 3, 0]]);
});

test('[C4.6, C11.1] what was read here, in another tab, or by the server’s word: the farthest counts, and never goes back', async () => {
  const { list, outbox, take } = setUp();
  const one = makeConversation([ana, ben], 10, { lastReadSeq: 2, unreadCount: 8 });
  take(one);
  expect([list.readTo(one.id), list.unread()]).toEqual([2, 8]);
  outbox.read(one.id, 6);
  expect([list.readTo(one.id), list.unread()]).toEqual([6, 4]);
  list.noteRead(one.id, 9);
  list.noteRead(one.id, 5);
  expect([list.readTo(one.id), list.unread()]).toEqual([9, 1]);
  outbox.done([outbox.get(readKey(one.id))!]);
  take({ ...one, lastReadSeq: 6, unreadCount: 4 });
  expect([list.readTo(one.id), list.unread()]).toEqual([9, 1]);
});

test('the device’s own documents count before the inbox tells', async () => {
  const { list, take, hold } = setUp();
  const one = makeConversation([ana, ben], 2, { lastReadSeq: 2, unreadCount: 0 });
  take(one);
  hold(one.id, held(5));
  expect([list.unread(), list.rows[0]!.unread]).toEqual([3, 3]);
});

test('[C3.2] what waits stands as the newest with its own text; a row keeps its identity through a change and a new order', async () => {
  const { list, outbox, clock, take, inbox } = setUp();
  const [one, two] = [makeConversation([ana, ben], 1), makeConversation([ana, chiara], 2)];
  take(one, two);
  const [, row] = list.rows;
  const messageId = makeMessageId(clock.now(), systemRandom);
  outbox.send(one.id, messageId, ['written in a tunnel', null, null]);
  expect(list.rows[0]).toBe(row);
  expect(row).toMatchObject({ preview: 'You: written in a tunnel', isWaiting: true, hasFailed: false });
  outbox.fail([`m:${messageId}`], 'blocked');
  expect(row).toMatchObject({ isWaiting: false, hasFailed: true });
  inbox.take({ changed: [], gone: [one.id], cursor: null });
  expect([list.rows.map(({ id }) => id), list.conversation(one.id)]).toEqual([[two.id], undefined]);
});

test('a direct conversation opens with whoever is known here, found or met; with a stranger it says why not', async () => {
  const { list, world, take } = setUp();
  take(makeConversation([ana, ben], 1));
  expect(await list.openDirect(ben.id)).toEqual({ id: ben.id });
  expect(await list.openDirect(chiara.id)).toEqual({ id: chiara.id });
  expect(await list.openDirect(makePerson('nobody').id)).toMatchObject({ problem: { words: 'This person is not known here.' } });
  expect(world.opened).toEqual([ben.id, chiara.id]);
});

test('it ends with its owner', () => {
  const { isWatched } = setUp();
  expect(isWatched()).toBe(true);
  closers.splice(0).forEach((close) => close());
  expect(isWatched()).toBe(false);
});

test('[G3] what a stranger asks stands apart, and counts for nothing; accepted or answered, it is a conversation, at once', async () => {
  const { list, take, hold, outbox, clock } = setUp();
  const [one, two] = [makeConversation([ana, ben], 2, { request: true }), makeConversation([ana, chiara], 3, { request: true })];
  take(one, two, makeConversation([ana, makePerson('dana')], 1));
  expect([list.rows.map(({ name }) => name), list.requests.map(({ name }) => name), list.unread()]).toEqual([
    ['Dana'],
    ['Chiara', 'Ben'],
    1,
  ]);
  expect(list.row(one.id)).toMatchObject({ name: 'Ben', isRequest: true });
  list.accept(one.id);
  expect([list.rows.map(({ name }) => name), list.requests.length, list.unread()]).toEqual([['Ben', 'Dana'], 1, 3]);
  outbox.send(two.id, makeMessageId(clock.now(), systemRandom), ['who are you?', null, null]);
  expect([list.requests.length, list.row(two.id)]).toMatchObject([0, { isRequest: false }]);
  // The server has it, and has not told yet that this is no request any more.
  outbox.done(outbox.of(two.id));
  hold(two.id, [{ ...held(1)[0]!, authorId: ana.id }]);
  expect([list.requests.length, list.row(two.id)]).toMatchObject([0, { isRequest: false }]);
});

test('[G3] a request that was declined is gone at once; a group is left', async () => {
  const { list, take, outbox } = setUp();
  const [one, group] = [
    makeConversation([ana, ben], 2, { request: true }),
    makeConversation([ana, chiara], 3, { request: true, kind: 'group', title: 'Strangers' }),
  ];
  take(one, group);
  list.decline(one.id);
  list.decline(group.id);
  expect([list.requests.length, list.rows.length]).toEqual([0, 0]);
  expect(outbox.entries()).toMatchObject([{ answer: 'hide' }, { answer: 'leave' }]);
});

test('[G5] a deleted account has its own name, and no handle', () => {
  const { list, take } = setUp();
  const gone = { ...ben, handle: '', displayName: 'Deleted account', deleted: true as const };
  take(makeConversation([ana, gone], 2));
  expect(list.rows[0]).toMatchObject({ name: 'Deleted account', handle: null, isGone: true, otherId: ben.id });
});
