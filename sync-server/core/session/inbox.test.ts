import { describe, expect, test } from 'vitest';
import { INBOX_CHANNEL } from '../../../shared/channels.ts';
import { CLOSE } from '../../../shared/close-codes.ts';
import { type InboxAnswer, type InboxChanges, decodeInboxAnswer, encodeInbox } from '../../../shared/inbox.ts';
import { KEEP_ALIVE_MS, LIMITS, RATES } from '../../../shared/limits.ts';
import { OLDEST_VERSION, PROTOCOL_VERSION } from '../../../shared/protocol-version.ts';
import { type Carrier, makeCarrier } from '../testing/carrier.ts';
import { settled } from '../testing/manual-clock.ts';
import { startTestNode } from '../testing/test-node.ts';
import { makeMemoryInbox } from '../../memory/inbox.ts';
import { makeMemoryMembership } from '../../memory/membership.ts';
import { openInbox } from './inbox.ts';

const code = (name: keyof typeof CLOSE): number => CLOSE[name].code;
const isChanges = (answer: InboxAnswer): answer is InboxChanges => 'changed' in answer;
const changesOf = (carrier: Carrier): InboxChanges[] => carrier.inbox().filter(isChanges);
const lastOf = (carrier: Carrier): InboxChanges => changesOf(carrier).at(-1)!;
const HELLO = { version: PROTOCOL_VERSION, cursor: null };

async function watching() {
  const world = await startTestNode();
  const [ana, ben] = [makeCarrier(world.node, world.ana), makeCarrier(world.node, world.ben)];
  for (const carrier of [ana, ben]) carrier.say({ hello: HELLO });
  await settled();
  const send = (text: string) => world.node.messaging.send(world.ana, world.conversationId, world.messageId(), [text, null, null]);
  /** Until what was hinted has been gathered, read and told. */
  const told = () => world.clock.advance(50);
  return { ...world, carriers: { ana, ben }, send, told };
}

describe('hello', () => {
  test('[I1] it is answered with both versions, then with the list', async () => {
    const { carriers, conversationId } = await watching();
    expect(carriers.ana.inbox()).toEqual([
      { hello: { version: PROTOCOL_VERSION, oldest: 1 } },
      { changed: [expect.objectContaining({ id: conversationId, unreadCount: 0 })], gone: [], cursor: expect.any(String) },
    ]);
  });

  test('[W13] the list that follows counts as an answer, and waits where too many were given', async () => {
    const { store, ana, clock } = await startTestNode();
    const answers: InboxAnswer[] = [];
    const waits = [500, 0];
    const charged: number[] = [];
    const inbox = openInbox({
      userId: ana,
      source: makeMemoryInbox(store),
      allowances: { question: () => waits.shift() ?? Infinity, answered: (_, bytes) => void charged.push(bytes) },
      membership: makeMemoryMembership(store),
      clock,
      logger: { info() {}, warn() {}, error() {} },
      send: (payload) => void answers.push(decodeInboxAnswer(payload)!),
      isFull: () => false,
      drained: () => () => {},
      end() {},
      watch: () => () => {},
      announce() {},
    });
    inbox.receive(encodeInbox({ hello: HELLO }));
    await clock.advance(499);
    expect(answers.filter(isChanges)).toEqual([]);
    await clock.advance(1);
    expect(answers.filter(isChanges)).toHaveLength(1);
    await clock.advance(3 * KEEP_ALIVE_MS);
    expect([answers.filter(isChanges).length > 1, charged.length]).toEqual([true, 1]);
    inbox.stop();
  });

  test('[I1] without it nothing is told', async () => {
    const { node, ben, conversationId, messageId, clock, ana } = await startTestNode();
    const carrier = makeCarrier(node, ben);
    await node.messaging.send(ana, conversationId, messageId(), ['hello', null, null]);
    await clock.advance(KEEP_ALIVE_MS * 2);
    expect(carrier.frames).toEqual([]);
  });

  test.each([
    ['twice', [{ hello: HELLO }, { hello: HELLO }]],
    ['after something else', [{ delivered: {} }, { hello: HELLO }]],
  ])('[I1] %s it ends the connection', async (_, requests) => {
    const { node, ana } = await startTestNode();
    const carrier = makeCarrier(node, ana);
    for (const request of requests) carrier.say(request);
    expect(carrier.closed).toEqual({ code: code('refused'), reason: 'malformed' });
  });

  test('[I1] [W4] a version that is too old ends the connection for good', async () => {
    const { node, ana } = await startTestNode();
    const carrier = makeCarrier(node, ana);
    carrier.say({ hello: { version: OLDEST_VERSION - 1, cursor: null } });
    expect(carrier.closed?.code).toBe(code('tooOld'));
    expect(carrier.frames).toEqual([]);
  });

  test('[I1] what is no message of the inbox ends the connection', async () => {
    const { node, ana } = await startTestNode();
    const carrier = makeCarrier(node, ana);
    carrier.send({ op: 'data', channel: INBOX_CHANNEL, payload: new TextEncoder().encode('{"hello":1}') });
    expect(carrier.closed).toEqual({ code: code('refused'), reason: 'malformed' });
  });
});

describe('changes', () => {
  test('[I3] a message comes to everybody’s list, as a whole row', async () => {
    const { carriers, send, told, conversationId } = await watching();
    await send('hello');
    await told();
    for (const [carrier, unreadCount] of [
      [carriers.ana, 0],
      [carriers.ben, 1],
    ] as const)
      expect(lastOf(carrier).changed).toEqual([
        expect.objectContaining({ id: conversationId, unreadCount, lastMessage: expect.objectContaining({ seq: 1, preview: 'hello' }) }),
      ]);
  });

  test('[I3] a read position comes to the reader’s other devices, on every node, and to nobody else', async () => {
    const { carriers, send, told, anotherNode, ben, conversationId } = await watching();
    await send('hello');
    await told();
    const elsewhere = await anotherNode();
    const other = makeCarrier(elsewhere, ben);
    other.say({ hello: HELLO });
    await told();
    const before = changesOf(carriers.ana).length;
    await elsewhere.messaging.markRead(ben, conversationId, 1);
    await told();
    for (const carrier of [carriers.ben, other]) expect(lastOf(carrier).changed).toMatchObject([{ lastReadSeq: 1, unreadCount: 0 }]);
    expect(changesOf(carriers.ana)).toHaveLength(before);
  });

  test('[I3] a new conversation comes by itself', async () => {
    const { carriers, node, told, ana, ben } = await watching();
    const { conversationId } = await node.messaging.openGroup(ana, 'Poets', [ben]);
    await told();
    expect(lastOf(carriers.ben).changed).toMatchObject([{ id: conversationId, kind: 'group', title: 'Poets' }]);
  });

  test('[I2] from a cursor on only what changed is told; the same is not told twice', async () => {
    const { node, carriers, send, told, ana, ben, clock } = await watching();
    const { conversationId: group } = await node.messaging.openGroup(ana, 'Poets', [ben]);
    await told();
    const { cursor } = lastOf(carriers.ben);
    carriers.ben.session.closed();
    await send('missed');
    const again = makeCarrier(node, ben);
    again.say({ hello: { version: PROTOCOL_VERSION, cursor } });
    await told();
    expect(lastOf(again).changed.map(({ lastMessage }) => lastMessage?.preview)).toEqual(['missed']);
    const before = changesOf(again).length;
    await node.messaging.openGroup(ana, 'elsewhere', [group]);
    await told();
    await clock.advance(1_000);
    expect(changesOf(again)).toHaveLength(before);
  });

  test('[I2] what happens while the list is read is told as well', async () => {
    const { node, ben, send, clock } = await watching();
    const carrier = makeCarrier(node, ben);
    carrier.say({ hello: HELLO });
    const sent = send('meanwhile');
    await clock.advance(100);
    await sent;
    await clock.advance(100);
    expect(lastOf(carrier).changed).toMatchObject([{ lastMessage: { preview: 'meanwhile' } }]);
  });

  test('[I2] a long list comes in pieces, of which the last has the cursor', async () => {
    const { node, ana, ben, told } = await watching();
    for (let i = 0; i < 60; i++) await node.messaging.openGroup(ana, `g${i}`, [ben]);
    const carrier = makeCarrier(node, ben);
    carrier.say({ hello: HELLO });
    await told();
    expect(changesOf(carrier).map(({ changed, cursor }) => [changed.length, typeof cursor])).toEqual([
      [50, 'object'],
      [11, 'string'],
    ]);
  });

  test('[I4] [I6] after 20 s of silence it reads again, and says at least that it is alive', async () => {
    const { carriers, store, clock, conversationId } = await watching();
    const before = changesOf(carriers.ben).length;
    await clock.advance(KEEP_ALIVE_MS);
    expect(changesOf(carriers.ben).slice(before)).toEqual([{ changed: [], gone: [], cursor: expect.any(String) }]);
    // A change whose hint was lost.
    const row = store.conversations.get(conversationId)!;
    row.title = 'changed';
    row.changed = ++store.changes;
    await clock.advance(KEEP_ALIVE_MS);
    expect(lastOf(carriers.ben).changed).toMatchObject([{ title: 'changed' }]);
  });

  test('[W7] who does not read is told nothing more until they have read, and then what changed meanwhile, once', async () => {
    const { carriers, send, told, clock } = await watching();
    carriers.ben.socket.stall();
    while (carriers.ben.socket.buffered() <= LIMITS.unsentLive) {
      await send('x'.repeat(100));
      await told();
    }
    const held = carriers.ben.socket.buffered();
    for (let i = 0; i < 5; i++) {
      await send(`m${i}`);
      await told();
    }
    expect(carriers.ben.socket.buffered()).toBe(held);
    const before = carriers.ben.inbox().length;
    carriers.ben.socket.drain();
    await clock.advance(100);
    expect(carriers.ben.inbox().length).toBeGreaterThan(before);
    expect(lastOf(carriers.ben).changed[0]?.lastMessage?.preview).toBe('m4');
    expect([carriers.ben.closed, carriers.ana.closed]).toEqual([null, null]);
  });

  test('[I5] [W13] who says too much is closed, and so is who says something too large', async () => {
    const { carriers, conversationId } = await watching();
    for (let i = 0; i < RATES.inbox.burst; i++) carriers.ben.say({ delivered: { [conversationId]: 0 } });
    expect(carriers.ben.closed).toEqual({ code: code('tryLater'), reason: 'too fast' });
    carriers.ana.send({ op: 'data', channel: 0, payload: new Uint8Array(LIMITS.frame + 1) });
    expect(carriers.ana.closed?.code).toBe(code('tooLarge'));
  });
});

describe('delivered', () => {
  test('[I5] it is stored at once, then at most once a second, the highest of each', async () => {
    const { carriers, send, row, clock, conversationId, ben } = await watching();
    for (let i = 0; i < 5; i++) await send(`m${i}`);
    const delivered = () => row().members.get(ben)!.delivered;
    const deliver = (seq: number): void => carriers.ben.say({ delivered: { [conversationId]: seq } });
    deliver(1);
    await clock.advance(1);
    expect(delivered()).toBe(1);
    deliver(4);
    deliver(2);
    await clock.advance(900);
    expect(delivered()).toBe(1);
    await clock.advance(200);
    expect(delivered()).toBe(4);
    deliver(99);
    await clock.advance(2_000);
    expect(delivered()).toBe(5);
  });

  test('[I5] [P4] everybody who watches sees it, on every node, of those who are here as well', async () => {
    const { carriers, send, open, anotherNode, clock, conversationId, ana, ben } = await watching();
    await send('hello');
    const other = await anotherNode();
    const peers = [await open(ana, conversationId), await open(ana, conversationId, { on: other })];
    const bens = await open(ben, conversationId);
    bens.sayHere(7, { typing: false });
    carriers.ben.say({ delivered: { [conversationId]: 1 } });
    await clock.advance(1_000);
    for (const peer of peers) {
      const positions = [...peer.states.values()].flatMap(({ state }) => ('away' in state ? [state.away] : []));
      expect(positions).toEqual([{ [ana]: [0, 0], [ben]: [0, 1] }]);
    }
  });

  test('[I5] of a conversation that is not one’s own nothing is stored', async () => {
    const { node, carriers, clock, ana, row, messageId } = await watching();
    const { conversationId } = await node.messaging.openGroup(ana, 'alone', ['00000000-0000-4000-8000-000000000009']);
    await node.messaging.send(ana, conversationId, messageId(), ['x', null, null]);
    carriers.ben.say({ delivered: { [conversationId]: 1 } });
    await clock.advance(100);
    expect([...row(conversationId).members.values()].map(({ delivered }) => delivered)).toEqual([0, 0]);
    expect(carriers.ben.closed).toBeNull();
  });
});

test.each([
  ['hello', 0],
  ['what changed', 1],
])('[W7, I6] a reader that is cut by %s, for being too slow, is not read for any more', async (_, heard) => {
  const { store, clock, ana } = await startTestNode();
  let [said, reads, watches] = [0, 0, 0];
  const inbox = openInbox({
    userId: ana,
    clock,
    source: {
      async changes() {
        reads += 1;
        return { changed: [], gone: ['x'], cursor: String(reads) };
      },
      concerned: async () => [],
    },
    membership: makeMemoryMembership(store),
    allowances: { question: () => 0, answered: () => {} },
    isFull: () => false,
    drained: () => () => {},
    logger: { info() {}, warn() {}, error() {} },
    send: () => void (said++ === heard && inbox.stop()),
    end: () => {},
    watch() {
      watches += 1;
      return () => void (watches -= 1);
    },
    announce: () => {},
  });
  inbox.receive(encodeInbox({ hello: HELLO }));
  await clock.advance(KEEP_ALIVE_MS * 3);
  expect([reads, watches]).toEqual([heard, 0]);
});
