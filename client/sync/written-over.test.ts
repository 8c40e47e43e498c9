import { afterEach, expect, test } from 'vitest';
import { systemRandom } from '../../shared/clock.ts';
import { makeMessageId, makeUuid } from '../../shared/ids.ts';
import { type ConversationReplica, openConversationReplica } from './conversation-replica.ts';
import type { Entry } from './outbox/entry.ts';
import { type OutboxStore, makeMemoryOutboxStore } from './outbox/outbox-store.ts';
import { NO_SIBLINGS, type Outbox, openOutbox } from './outbox/outbox.ts';
import { NO_CACHE } from './storage/replica-cache.ts';
import { makeTestClock, makeTestServer, settled } from './test-server.ts';

const [ana, ben, id] = [1, 2, 3].map((n) => makeUuid(n, systemRandom)) as [string, string, string];
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

interface Device {
  replica: ConversationReplica;
  outbox: Outbox;
  close: () => void;
}
const body = ({ replica }: Device): string | null | undefined => replica.messages()[0]?.body;

function setUp() {
  const server = makeTestServer(id, [ana, ben]);
  const clock = makeTestClock();
  /** A device of Ana: what is in `store` stays when it ends; the copy of the document does not. */
  function start(store: OutboxStore): Device {
    const outbox = openOutbox({ store, siblings: NO_SIBLINGS, clock });
    const deps = { me: ana, openProvider: server.openProvider(ana), outbox, cache: NO_CACHE, moves: () => true, clock };
    const replica = openConversationReplica(id, { ...deps, random: systemRandom });
    const close = (): void => {
      replica.close();
      outbox.close();
    };
    closers.push(close);
    return { replica, outbox, close };
  }
  return { server, clock, start };
}

/** A store that writes so many more changes, and answers none after. */
function endingStore(held: Map<string, Entry>) {
  const store = makeMemoryOutboxStore(held);
  let left = Infinity;
  return {
    store: {
      load: store.load,
      change: (ids, decide) => (left-- > 0 ? store.change(ids, decide) : new Promise(() => {})),
    } satisfies OutboxStore,
    endAfter: (writes: number) => void (left = writes),
  };
}

const points = [0, 1, 2, 3, 4].flatMap((writes) => Array.from({ length: 8 }, (_, steps) => [writes, steps] as const));

test.each(points)(
  'ended after %i writes and %i deliveries, a device does not set an edit again that another has written over',
  async (writes, steps) => {
    for (const isCut of [false, true]) {
      const { server, clock, start } = setUp();
      const held = new Map<string, Entry>();
      const { store, endAfter } = endingStore(held);
      const first = start(store);
      const second = start(makeMemoryOutboxStore());
      await server.flush();
      first.replica.send('text');
      await server.flush();
      const message = first.replica.messages()[0]!.id;
      expect([body(second), first.outbox.entries()]).toEqual(['text', []]);

      endAfter(writes);
      clock.pass(1);
      first.replica.edit(message, 'first');
      for (let step = 0; step < steps; step++) await server.step();
      first.close();
      if (isCut) server.cut();
      if (isCut) server.heal();
      await server.flush();
      const hasArrived = body(second) === 'first';
      second.replica.edit(message, 'second');
      await server.flush();
      expect(second.outbox.entries()).toEqual([]);

      const again = start(makeMemoryOutboxStore(held));
      await server.flush();
      // What the device knew to be written is sent; what had arrived gives way to what came after it.
      const isSent = writes > 0 && !hasArrived;
      expect([body(again), body(second)]).toEqual(Array(2).fill(isSent ? 'first' : 'second'));
      await settled();
      expect(again.outbox.entries()).toEqual([]);
    }
  },
);

test('an edit made anew is another edit: what arrived of the one before does not count for it', async () => {
  const { server, start } = setUp();
  const first = start(makeMemoryOutboxStore());
  await server.flush();
  first.replica.send('text');
  await server.flush();
  const message = first.replica.messages()[0]!.id;
  for (const text of ['one', 'two', 'one', 'three']) first.replica.edit(message, text);
  await server.step();
  first.replica.edit(message, 'two');
  await server.flush();
  first.replica.edit(message, 'one');
  await server.flush();
  expect([body(first), first.outbox.entries()]).toEqual(['one', []]);
});

test('nothing leaves before the device knows that it may have left, whatever happens meanwhile', async () => {
  const { server, start } = setUp();
  const held = new Map<string, Entry>();
  const { store, endAfter } = endingStore(held);
  const first = start(store);
  await server.flush();
  endAfter(1);
  first.replica.send('text');
  server.write(1, ben, makeMessageId(1, systemRandom), 'meanwhile');
  await server.flush();
  expect([server.log(1).length, [...held.values()]]).toEqual([1, [expect.objectContaining({ placed: false })]]);
  first.close();
  // So it can still be changed where it is.
  const again = start(makeMemoryOutboxStore(held));
  await settled();
  again.replica.edit(again.replica.pending()[0]!.messageId, 'changed');
  await server.flush();
  expect(again.replica.messages().map((message) => message.body)).toEqual(['meanwhile', 'changed']);
});
