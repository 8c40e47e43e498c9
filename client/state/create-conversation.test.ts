import { createRoot, createSignal } from 'solid-js';
import { afterEach, expect, test } from 'vitest';
import { systemRandom } from '../../shared/clock.ts';
import { makeMessageId, makeUuid } from '../../shared/ids.ts';
import { openConversationReplica } from '../sync/conversation-replica.ts';
import { makeMemoryOutboxStore } from '../sync/outbox/outbox-store.ts';
import { NO_SIBLINGS, openOutbox } from '../sync/outbox/outbox.ts';
import { NO_CACHE } from '../sync/storage/replica-cache.ts';
import { makeTestClock, makeTestServer } from '../sync/test-server.ts';
import { createConversation } from './create-conversation.ts';

const [ana, ben, id] = [1, 2, 3].map((n) => makeUuid(n, systemRandom)) as [string, string, string];
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** Ana's view of a conversation in which Ben has written `before` messages, of which she has read `readTo`; she sees the newest `rows` of them. */
function setUp(before: number, readTo: number, rows = 1_000) {
  const server = makeTestServer(id, [ana, ben]);
  const clock = makeTestClock();
  const write = (body: string): void => server.write(1, ben, makeMessageId(clock.now(), systemRandom), body);
  for (let i = 1; i <= before; i++) write(`old ${i}`);
  const replica = openConversationReplica(id, {
    me: ana,
    openProvider: server.openProvider(ana),
    outbox: openOutbox({ store: makeMemoryOutboxStore(), siblings: NO_SIBLINGS, clock }),
    cache: NO_CACHE,
    moves: () => true,
    clock,
    random: systemRandom,
  });
  const [isAttended, setAttended] = createSignal(true);
  const reads: number[] = [];
  const [view, messages] = createRoot((dispose) => {
    closers.push(dispose, replica.close);
    const made = createConversation({
      replica,
      me: ana,
      clock,
      readTo,
      unreadCount: before - readTo,
      others: () => [{ id: ben, displayName: 'Ben' }],
      isAttended,
      onRead: (seq) => reads.push(seq),
    });
    return [made, made.window(() => [...made.ids().keys()].slice(-rows))] as const;
  });
  const dividers = (): (string | null)[] =>
    messages()
      .filter((message) => message.startsUnread)
      .map(({ text }) => text);
  return { server, clock, write, replica, view, messages, setAttended, reads, dividers };
}

test('[C6.1] what one sends is there at once, and keeps its place in the store when it gets its seq', async () => {
  const { server, view, messages } = setUp(1, 1);
  await server.flush();
  view.send('mine');
  const row = messages().at(-1)!;
  expect([row.text, row.seq, view.mark(row)]).toEqual(['mine', null, 'sending']);
  await expect.poll(() => view.mark(messages().at(-1)!)).toBe('kept');
  await server.flush();
  expect(messages().at(-1)).toBe(row);
  expect([row.seq, view.mark(row)]).toEqual([2, 'sent']);
});

test('[C4.2] the divider stays where it was on opening while the reader reads, and arrivals before their eyes make none', async () => {
  const { server, view, write, dividers } = setUp(3, 1);
  await server.flush();
  expect(dividers()).toEqual(['old 2']);
  expect(view.unread()).toEqual([2, 3]);
  view.markRead(3);
  write('new');
  await server.flush();
  expect(dividers()).toEqual(['old 2']);
});

test('[C4.2] who had nothing to catch up with gets no divider, though the read position stands before own messages', async () => {
  const { server, view, write, dividers } = setUp(0, 0);
  await server.flush();
  view.send('mine');
  await server.flush();
  write('an answer');
  await server.flush();
  expect(dividers()).toEqual([]);
  expect(view.firstUnread()).toBe(view.ids()[1]);
  expect([view.indexOf(view.ids()[1]!), view.countBefore(), view.hasOlderUnread(), view.waiting()]).toEqual([1, 0, false, 0]);
});

test('[C4.2] what comes while nobody looks gets a divider of its own', async () => {
  const { server, view, write, setAttended, dividers } = setUp(1, 1);
  await server.flush();
  expect(dividers()).toEqual([]);
  write('seen');
  await server.flush();
  view.markRead(2);
  setAttended(false);
  write('missed');
  write('missed too');
  await server.flush();
  expect(dividers()).toEqual(['missed']);
  expect(view.unread()).toEqual([3, 4]);
});

test('[C4.3] sending marks everything above as read and takes the divider away', async () => {
  const { server, view, reads, dividers } = setUp(3, 1);
  await server.flush();
  view.send('caught up');
  expect(reads).toEqual([3]);
  expect(view.unread()).toEqual([]);
  expect(dividers()).toEqual([]);
});

test('[C4.7] reading only goes forward', async () => {
  const { server, view, reads } = setUp(3, 2);
  await server.flush();
  [1, 2, 3, 2].forEach(view.markRead);
  expect(reads).toEqual([3]);
});

test('[C9.1, C9.2, C9.5] arrivals are announced once, bursts summed up; history and own ones are not', async () => {
  const { server, view, write, clock } = setUp(3, 3);
  await server.flush();
  view.send('mine');
  await server.flush();
  clock.pass(1_000);
  expect(view.announcement()).toBe(null);
  write('hello');
  await server.flush();
  clock.pass(1_000);
  const first = view.announcement();
  expect(first).toEqual({ text: 'Ben: hello' });
  write('hello');
  await server.flush();
  clock.pass(1_000);
  expect(view.announcement()).toEqual(first);
  expect(view.announcement()).not.toBe(first);
  for (let i = 0; i < 5; i++) write(`burst ${i}`);
  await server.flush();
  clock.pass(1_000);
  expect(view.announcement()).toEqual({ text: '5 new messages from Ben' });
});

test('[C5.9] with 60 of 400 rows shown an arrival makes rows of these alone', async () => {
  const { server, write, view, messages, replica } = setUp(200, 200, 60);
  await server.flush();
  for (let i = 0; i < 200; i++) view.send(`mine ${i}`);
  await server.flush();
  await expect.poll(() => view.waiting()).toBe(0);
  const [first] = messages();
  // Each own row asks what is to become of it.
  let asked = 0;
  let changes = 0;
  const { changeOf } = replica;
  replica.changeOf = (id) => ((asked += 1), changeOf(id));
  closers.push(replica.subscribe(() => (changes += 1)));
  write('new');
  await server.flush();
  expect(messages().at(-1)!.text).toBe('new');
  expect([messages().length, messages()[0]!.text, first!.text]).toEqual([60, 'mine 141', 'mine 140']);
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThanOrEqual(changes * 62);
});

test('the newest own message that fits is found, waiting or sent', async () => {
  const { server, view } = setUp(3, 3);
  await server.flush();
  expect(view.last(({ isOwn }) => isOwn)).toBe(undefined);
  view.send('one');
  await server.flush();
  view.send('two');
  expect(view.last(({ isOwn }) => isOwn)?.text).toBe('two');
  expect(view.last(({ isOwn, text }) => isOwn && text !== 'two')).toMatchObject({ text: 'one', seq: 4 });
  expect(view.at(4)?.text).toBe('two');
});

test('[C8.3] a reaction is in the row at once, on a message of others and on one that waits, and no other row is touched', async () => {
  const { server, view, messages } = setUp(2, 2);
  await server.flush();
  view.send('mine');
  const [first, second, mine] = messages();
  const untouched = second!.reactions;
  expect(view.react(first!.id, '👍', true)).toBe(true);
  view.react(mine!.id, '🎉', true);
  expect(messages().map(({ reactions }) => reactions.map(({ emoji }) => emoji))).toEqual([['👍'], [], ['🎉']]);
  expect([messages()[0] === first, second!.reactions === untouched]).toEqual([true, true]);
  const shown = first!.reactions;
  await server.flush();
  await expect.poll(() => messages().at(-1)!.seq).toBe(3);
  await server.flush();
  expect(messages().map(({ reactions }) => reactions)).toEqual([shown, [], [{ emoji: '🎉', people: [ana], isOwn: true }]]);
  expect([first!.reactions, first!.reactionFailure]).toEqual([[{ emoji: '👍', people: [ana], isOwn: true }], null]);
  view.react(first!.id, '👍', false);
  expect(first!.reactions).toEqual([]);
});
