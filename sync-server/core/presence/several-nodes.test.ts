import { describe, expect, test } from 'vitest';
import { type Uuid, makeUuid, parseDocumentId } from '../../../shared/ids.ts';
import { QUERY_AWARENESS } from '../../../shared/protocol.ts';
import { addMessage } from '../../../shared/segment.ts';
import { type MemoryStore, notify } from '../../memory/store.ts';
import type { Node } from '../node.ts';
import type { Hint, PresenceNews } from '../ports.ts';
import { makeCarrier } from '../testing/carrier.ts';
import type { Peer } from '../testing/peer.ts';
import { type TestNode, startTestNode } from '../testing/test-node.ts';

/** A tick on the node where it happens, one on the bus, one on the node where it is seen. */
const SEEN_MS = 200;
/** Two nodes know of each other. */
const MET_MS = 200;

/** Ana on one node, Ben on another, in the root of their conversation; three messages of Ana's are in it. */
async function apart(): Promise<TestNode & { there: Node; a: Peer; b: Peer; see(): Promise<void> }> {
  const world = await startTestNode();
  const { open, ana, ben, node, conversationId, messageId, clock, anotherNode } = world;
  for (const text of ['one', 'two', 'three']) await node.messaging.send(ana, conversationId, messageId(), [text, null, null]);
  const there = await anotherNode();
  await clock.advance(MET_MS);
  const [a, b] = [await open(ana, conversationId), await open(ben, conversationId, { on: there })];
  await clock.advance(SEEN_MS);
  return { ...world, there, a, b, see: () => clock.advance(SEEN_MS) };
}

const typingOf = (peer: Peer, client: number): unknown => peer.states.get(client)?.state.typing;
const awayOf = (peer: Peer): unknown => [...peer.states.values()].map(({ state }) => state.away).findLast((away) => away !== undefined);

/** Hints that a node sent which is not there any more, or stands still. */
function ghostNode(store: MemoryStore, id = '00000000-0000-7000-8000-00000000dead') {
  return {
    id,
    says: (news: PresenceNews, clock = 1) => notify(store, { kind: 'presence', node: id, clock, news: [news] }),
    greets: (conversationIds: Uuid[] = []) => notify(store, { kind: 'who-is-here', node: id, clock: 1, conversationIds }),
  };
}

/** What one is told of a root over HTTP. */
async function askOverHttp(node: Node, userId: Uuid, conversationId: Uuid, see: () => Promise<void>): Promise<string> {
  const asked = node.exchange({ userId, sid: 'sid', name: parseDocumentId(conversationId)! }, [QUERY_AWARENESS]);
  await see();
  const result = await asked;
  return 'messages' in result ? result.messages.map((message) => new TextDecoder().decode(message)).join() : result.reason;
}

function silenced(store: MemoryStore): () => void {
  const listeners = [...store.listeners];
  store.listeners.clear();
  return () => listeners.forEach((listener) => store.listeners.add(listener));
}

function record(store: MemoryStore): Hint[] {
  const hints: Hint[] = [];
  store.listeners.add((hint) => hints.push(hint));
  return hints;
}

describe('[P8] presence on several nodes', () => {
  test('[P2] typing is seen on the other node, both ways, with the identity that its server fills in', async () => {
    const { a, b, ana, ben, see } = await apart();
    b.sayHere(7, { typing: true, user: { id: 'somebody else' } });
    a.sayHere(5, { typing: false });
    await see();
    expect(a.states.get(7)?.state).toEqual({ user: { id: ben }, typing: true, read: 0 });
    expect(b.states.get(5)?.state).toEqual({ user: { id: ana }, typing: false, read: 0 });
    b.sayHere(7, { typing: false });
    await see();
    expect(typingOf(a, 7)).toBe(false);
    expect([a.states.has(5), b.states.has(7)]).toEqual([false, false]);
  });

  test('[P5] a leaver is gone on the other node at once', async () => {
    const { a, b, see } = await apart();
    b.sayHere(7, { typing: true });
    await see();
    b.session.closed();
    await see();
    expect(a.states.has(7)).toBe(false);
  });

  test('who comes first to a root on a node is told at once who is in it elsewhere', async () => {
    const { b, open, ana, ben, node, conversationId, clock, anotherNode, see } = await apart();
    b.sayHere(7, { typing: true });
    await see();
    const third = await anotherNode();
    await clock.advance(MET_MS);
    const late = await open(ana, conversationId, { on: third });
    await see();
    expect(late.states.get(7)?.state).toEqual({ user: { id: ben }, typing: true, read: 0 });
    expect(node.counts().sessions).toBe(1);
  });

  test('[P4] a read position is seen on the other node, in the entry and in that of those who are away', async () => {
    const { a, b, ana, ben, see } = await apart();
    b.sayHere(7, { typing: false, read: 2 });
    await see();
    expect(a.states.get(7)?.state.read).toBe(2);
    expect(awayOf(a)).toEqual({ [ana]: [0, 0], [ben]: [2, 0] });
  });

  test('[P6] a block ends it both ways at once, on every node, and its end brings it back', async () => {
    const { a, b, node, there, ana, ben, see } = await apart();
    a.sayHere(5, { typing: false });
    b.sayHere(7, { typing: false });
    await see();
    await there.messaging.setBlocked(ben, ana, true);
    await see();
    b.sayHere(7, { typing: true, read: 3 });
    a.sayHere(5, { typing: true });
    await see();
    expect([a.states.has(7), b.states.has(5), awayOf(a), awayOf(b)]).toEqual([false, false, { [ana]: [0, 0] }, { [ben]: [3, 0] }]);
    await node.messaging.setBlocked(ben, ana, false);
    await see();
    expect([typingOf(a, 7), typingOf(b, 5)]).toEqual([true, true]);
  });

  test('[P6] [L12] a block of which no hint came ends it within 6 s', async () => {
    const { a, b, there, store, ana, ben, see, clock } = await apart();
    b.sayHere(7, { typing: true });
    await see();
    const restore = silenced(store);
    await there.messaging.setBlocked(ben, ana, true);
    await clock.advance(6_000);
    expect(a.states.has(7)).toBe(false);
    restore();
  });

  test('[P6] nobody elsewhere learns of one who was asked and has not accepted', async () => {
    const { node, there, open, ana, clock, see } = await apart();
    const carl = makeUuid(clock.now(), (size) => new Uint8Array(size).fill(3));
    const { conversationId } = await node.messaging.openGroup(ana, 'Trip', [carl]);
    const [a, c] = [await open(ana, conversationId), await open(carl, conversationId, { on: there })];
    await see();
    a.sayHere(5, { typing: true });
    c.sayHere(9, { typing: true });
    await see();
    expect([a.states.has(9), c.states.has(5)]).toEqual([false, false]);
    await node.messaging.members.accept(carl, conversationId);
    await see();
    expect([typingOf(a, 9), typingOf(c, 5)]).toEqual([true, true]);
  });

  test('[G2] whoever is removed is gone at once, though the node they are on goes on speaking of them', async () => {
    const { node, open, store, ana, ben, see, clock } = await apart();
    const { conversationId } = await node.messaging.openGroup(ana, 'Trip', [ben]);
    const a = await open(ana, conversationId);
    await see();
    const { says } = ghostNode(store);
    says([conversationId, 9, ben, clock.now(), true, 1]);
    await see();
    expect(typingOf(a, 9)).toBe(true);
    await node.messaging.members.remove(ana, conversationId, ben);
    await see();
    says([conversationId, 9, ben, clock.now(), true, 1]);
    await see();
    expect(a.states.has(9)).toBe(false);
    await node.messaging.members.put(ana, conversationId, { userId: ben, role: undefined });
    await see();
    expect(typingOf(a, 9)).toBe(true);
  });

  test('[P5] a node that dies leaves nobody longer than 35 s', async () => {
    const { a, store, ben, see, conversationId, clock } = await apart();
    const ghost = ghostNode(store);
    ghost.says([conversationId, 9, ben, clock.now(), true, null]);
    await see();
    expect(a.states.has(9)).toBe(true);
    await clock.advance(35_000);
    expect(a.states.has(9)).toBe(false);
  });

  test('one who only sits there stays, for the other node and for stock clients, which forget after 30 s', async () => {
    const { a, b, clock, see } = await apart();
    b.sayHere(7, { typing: false });
    await see();
    for (let i = 0; i < 6; i++) {
      const before = a.states.get(7)!.clock;
      await clock.advance(21_000);
      expect(a.states.get(7)!.clock).toBeGreaterThan(before);
    }
  });

  test('[F6] without the bus nobody is a ghost for more than 35 s, and with it all are there again at the next turn', async () => {
    const { a, b, store, clock, see } = await apart();
    b.sayHere(7, { typing: true });
    a.sayHere(5, { typing: true });
    await see();
    const restore = silenced(store);
    await clock.advance(35_000);
    expect([a.states.has(7), b.states.has(5)]).toEqual([false, false]);
    b.sayHere(7, { typing: false });
    await clock.advance(60_000);
    restore();
    await clock.advance(6_000);
    expect([typingOf(a, 7), typingOf(b, 5)]).toEqual([false, true]);
  });

  test('[P5] [W15] a node that stops takes its people with it, and has said so when it ends', async () => {
    const { a, b, there, store, see } = await apart();
    b.sayHere(7, { typing: true });
    await see();
    const hints = record(store);
    await there.stop();
    const news = hints.flatMap((hint) => (hint.kind === 'presence' ? hint.news : []));
    expect(news.map(([, client, , , typing]) => [client, typing])).toEqual([[7, null]]);
    await see();
    expect(a.states.has(7)).toBe(false);
  });

  test('only the node on which somebody is can say that they are gone', async () => {
    const { a, b, store, ben, conversationId, see, clock } = await apart();
    const ghost = ghostNode(store);
    ghost.greets();
    b.sayHere(7, { typing: true });
    await see();
    ghost.says([conversationId, 7, ben, clock.now(), null, null]);
    await see();
    expect(typingOf(a, 7)).toBe(true);
  });

  test('what is said again is told again while somebody types, and else with the next turn', async () => {
    const { a, b, store, see } = await apart();
    b.sayHere(7, { typing: false });
    await see();
    const hints = record(store);
    const told = (): number => hints.filter(({ kind }) => kind === 'presence').length;
    for (let i = 0; i < 5; i++) {
      b.sayHere(7, { typing: false }, 2 + i);
      await see();
    }
    expect(told()).toBe(0);
    const before = a.states.get(7)!.clock;
    for (let i = 0; i < 5; i++) {
      b.sayHere(7, { typing: true }, 10 + i);
      await see();
    }
    expect(told()).toBe(5);
    expect(a.states.get(7)!.clock).toBeGreaterThan(before);
  });

  test('[P6] who comes back soon is told nothing by what was known of blocks when they went', async () => {
    const { a, b, node, there, store, ana, ben, conversationId, see } = await apart();
    b.sayHere(7, { typing: true });
    await see();
    a.session.closed();
    const restore = silenced(store);
    await there.messaging.setBlocked(ben, ana, true);
    expect(await askOverHttp(node, ana, conversationId, see)).not.toContain('"typing"');
    restore();
  });

  test('[P2] a device that comes to another node before its dead connection was noticed takes its entry over', async () => {
    const { a, b, open, ben, node, conversationId, see, clock } = await apart();
    b.sayHere(7, { typing: true });
    await see();
    const again = await open(ben, conversationId, { on: node });
    again.sayHere(7, { typing: false });
    await see();
    expect(typingOf(a, 7)).toBe(false);
    b.session.closed();
    await clock.advance(45_000);
    expect(typingOf(a, 7)).toBe(false);
    expect([...again.order, ...b.order].filter((what) => what === 'awareness 7')).toEqual([]);
  });

  test('[F19] of what a node says that stood still meanwhile, an older connection takes nothing over', async () => {
    const { a, b, store, ben, conversationId, see, clock } = await apart();
    b.sayHere(7, { typing: false });
    await see();
    ghostNode(store).says([conversationId, 7, ben, clock.now() - 60_000, true, null]);
    await see();
    expect(typingOf(a, 7)).toBe(false);
    b.sayHere(7, { typing: true });
    await see();
    expect(typingOf(a, 7)).toBe(true);
  });

  test('[P2] an id that somebody on another node holds is not taken over, nor spoken for from there', async () => {
    const { a, b, store, ana, ben, open, there, conversationId, see, clock } = await apart();
    b.sayHere(7, { typing: false });
    await see();
    a.sayHere(7, { typing: true });
    ghostNode(store).says([conversationId, 7, ana, clock.now() + 1_000, true, null]);
    await see();
    const watcher = await open(ana, conversationId, { on: there });
    await see();
    for (const peer of [a, watcher]) expect(peer.states.get(7)?.state).toEqual({ user: { id: ben }, typing: false, read: 0 });
  });

  test('[F9] whoever changes to a node whose clock is behind is shown what happens there', async () => {
    const { a, b, store, ana, ben, conversationId, see, clock } = await apart();
    const ahead = clock.now() + 3_600_000;
    ghostNode(store).says([conversationId, 9, ben, ahead - 1, true, null], ahead);
    await see();
    b.sayHere(7, { typing: true });
    a.sayHere(5, { typing: true });
    await see();
    expect(a.states.get(9)!.clock).toBeGreaterThan(ahead);
    expect(a.states.get(7)!.clock).toBeGreaterThan(ahead);
    expect(awayOf(a)).toMatchObject({ [ana]: [0, 0] });
  });

  test('[W12] over HTTP, too, one sees who types on another node', async () => {
    const { a, b, node, ana, conversationId, see, clock } = await apart();
    a.session.closed();
    b.sayHere(7, { typing: true });
    await see();
    const ask = (): Promise<string> => askOverHttp(node, ana, conversationId, see);
    expect(await ask()).toContain('"typing":true');
    b.sayHere(7, { typing: false });
    await clock.advance(10_000);
    expect(await ask()).toContain('"typing":false');
  });

  test('a node that hears of no other tells nobody anything', async () => {
    const { open, store, ana, ben, conversationId, clock } = await startTestNode();
    const hints = record(store);
    const [a, b] = [await open(ana, conversationId), await open(ben, conversationId)];
    for (let i = 0; i < 10; i++) a.sayHere(5, { typing: i % 2 === 0 }, i);
    b.sayHere(7, { typing: true });
    await clock.advance(60_000);
    expect(hints.filter(({ kind }) => kind === 'presence')).toEqual([]);
    const greetings = hints.filter(({ kind }) => kind === 'who-is-here');
    expect(greetings.length).toBeLessThanOrEqual(13);
  });

  test('[I6] [F6] a list that no hint reaches is read with every poll', async () => {
    const { node, there, store, ana, ben, conversationId, messageId, clock } = await apart();
    const restore = silenced(store);
    await clock.advance(12_000);
    const carrier = makeCarrier(there, ben);
    carrier.say({ hello: { version: 1, cursor: null } });
    await clock.advance(100);
    const before = carrier.inbox().length;
    await node.messaging.send(ana, conversationId, messageId(), ['quiet', null, null]);
    await clock.advance(6_000);
    expect(carrier.inbox().slice(before)).toEqual([
      expect.objectContaining({ changed: [expect.objectContaining({ lastMessage: expect.objectContaining({ preview: 'quiet' }) })] }),
    ]);
    restore();
  });

  test('[F6] [L12] without the bus all messages reach the other node within 6 s, in one order', async () => {
    const { open, there, store, ana, ben, conversationId, messageId, clock, row } = await apart();
    const restore = silenced(store);
    const [a, b] = [await open(ana, `${conversationId}/1`), await open(ben, `${conversationId}/1`, { on: there })];
    for (let i = 0; i < 20; i++) {
      a.change((doc) => addMessage(doc, ana, messageId(), [`a${i}`, null, null]));
      b.change((doc) => addMessage(doc, ben, messageId(), [`b${i}`, null, null]));
      await clock.advance(100);
    }
    await clock.advance(6_000);
    const [one, other] = [a, b].map(({ doc }) => doc.getArray('log').toJSON());
    expect(one).toHaveLength(43);
    expect(other).toEqual(one);
    expect([...row().messages.values()].map(({ seq }) => seq).toSorted((x, y) => x - y)).toEqual(one!.map((_, i) => i + 1));
    restore();
  });
});
