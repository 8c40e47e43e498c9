import { expect, test } from 'vitest';
import { systemRandom } from '../../shared/clock.ts';
import { makeMessageId, makeUuid } from '../../shared/ids.ts';
import { makeDeparted } from './departed.ts';
import { type Entry, type MessageEntry, changeKey, messageKey } from './outbox/entry.ts';
import { makeTestClock } from './test-server.ts';

const conversationId = makeUuid(1, systemRandom);
const common = { conversationId, at: 1, state: { kind: 'waiting' } } as const;
let order = 0;
function message(placed = true): MessageEntry {
  const messageId = makeMessageId(1, systemRandom);
  return { ...common, order: ++order, id: messageKey(messageId), kind: 'message', messageId, value: ['text', null, null], placed };
}
const deletion = ({ messageId }: MessageEntry): Entry => ({
  ...common,
  order: ++order,
  id: changeKey(messageId),
  kind: 'delete',
  messageId,
  n: null,
});

function setUp() {
  const clock = makeTestClock();
  const logged = new Set<string>();
  const world = { isLive: true, changes: 0 };
  let held: readonly Entry[] = [];
  const departed = makeDeparted({
    clock,
    isHeld: (id) => held.some((entry) => entry.id === id),
    isToGo: (id) => held.some((entry) => entry.kind === 'delete' && entry.messageId === id),
    isLogged: (id) => logged.has(id),
    isLive: () => world.isLive,
    onChange: () => (world.changes += 1),
  });
  function look(...entries: Entry[]): void {
    held = entries;
    departed.look(entries.flatMap((entry) => (entry.kind === 'message' && entry.placed ? entry : [])));
  }
  return { clock, logged, world, departed, look };
}

test('[C11.1] a message that another tab has seen arrive stays until it arrives here, in its order', () => {
  const { logged, departed, look } = setUp();
  const [a, b, c] = [message(), message(), message()];
  look(a, b, c);
  look(c);
  expect([departed.messages(), departed.has(a.messageId), departed.has(c.messageId)]).toEqual([[a, b], true, false]);
  logged.add(a.messageId);
  look(c);
  expect(departed.messages()).toEqual([b]);
  logged.add(b.messageId);
  logged.add(c.messageId);
  look();
  expect(departed.messages()).toEqual([]);
});

test('[C6.5] what was taken back before it could leave, or deleted, is gone at once', () => {
  const { departed, look } = setUp();
  const [a, b] = [message(false), message()];
  look(a, b, deletion(b));
  look();
  expect(departed.messages()).toEqual([]);
});

test('what leaves the outbox when it is in the log here is nothing to wait for', () => {
  const { logged, departed, look } = setUp();
  const a = message();
  look(a);
  logged.add(a.messageId);
  look();
  expect(departed.messages()).toEqual([]);
});

test('what never comes is given up some seconds after this tab has all that there is, not before', () => {
  const { clock, world, departed, look } = setUp();
  world.isLive = false;
  const a = message();
  look(a);
  look();
  clock.pass(60_000);
  expect([departed.messages(), world.changes]).toEqual([[a], 0]);
  world.isLive = true;
  clock.pass(5_000);
  expect([departed.messages(), world.changes]).toEqual([[], 1]);
});
