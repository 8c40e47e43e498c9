import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as decoding from 'lib0/decoding';
import { describe, expect, test } from 'vitest';
import { makeMemoryMembership } from '../../memory/membership.ts';
import { makeMemoryStore } from '../../memory/store.ts';
import { LIMITS, RATES } from '../../../shared/limits.ts';
import { encodeAwareness } from '../../../shared/protocol.ts';
import { addMessage } from '../../../shared/segment.ts';
import { makeManualClock, settled } from '../testing/manual-clock.ts';
import type { Peer } from '../testing/peer.ts';
import { type TestNode, startTestNode } from '../testing/test-node.ts';
import { makePresence } from './presence.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
function heapUsed(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/** An awareness update, as a visitor receives it. */
function hello(client: number): Uint8Array {
  const decoder = decoding.createDecoder(encodeAwareness([{ client, clock: 1, state: { typing: true } }]));
  decoding.readVarUint(decoder);
  return decoding.readVarUint8Array(decoder);
}

/** Ana and Ben in the root of a conversation with three messages of Ana's. */
async function bothThere(): Promise<TestNode & { a: Peer; b: Peer }> {
  const world = await startTestNode();
  const { open, ana, ben, conversationId, messageId, clock } = world;
  const segment = await open(ana, `${conversationId}/1`);
  for (const text of ['one', 'two', 'three']) segment.change((doc) => addMessage(doc, ana, messageId(), [text, null, null]));
  await settled();
  segment.session.closed();
  const [a, b] = [await open(ana, conversationId), await open(ben, conversationId)];
  await clock.advance(100);
  return { ...world, a, b };
}

const awayOf = (peer: Peer): unknown => [...peer.states.values()].map(({ state }) => state.away).find((away) => away !== undefined);

describe('presence', () => {
  test('[P2] others see typing, with the identity that the server fills in', async () => {
    const { a, b, clock, ben } = await bothThere();
    b.sayHere(7, { typing: true, user: { id: 'somebody else' }, admin: true });
    await clock.advance(100);
    expect(a.states.get(7)?.state).toEqual({ user: { id: ben }, typing: true, read: 0 });
  });

  test('[P3] a connection is never sent its own entry, and what it relays of others is skipped', async () => {
    const { a, b, clock, ana } = await bothThere();
    a.sayHere(5, { typing: false });
    b.sayHere(7, { typing: true });
    await clock.advance(100);
    a.send(
      encodeAwareness([
        { client: 7, clock: 2 ** 50, state: null },
        { client: 5, clock: 3, state: { typing: true } },
      ]),
    );
    await clock.advance(100);
    expect(b.states.get(5)?.state).toMatchObject({ user: { id: ana }, typing: true });
    expect([a.states.has(5), b.states.has(7)]).toEqual([false, false]);
    expect(a.states.get(7)?.state).toMatchObject({ typing: true });
  });

  test('[P2] an id that somebody else holds is not taken over, and one id speaks for a connection', async () => {
    const { a, b, clock, ana, ben } = await bothThere();
    a.sayHere(5, { typing: false });
    b.sayHere(5, { typing: true });
    b.sayHere(7, { typing: false });
    b.sayHere(8, { typing: true });
    await clock.advance(100);
    expect(b.states.get(5)?.state).toMatchObject({ user: { id: ana }, typing: false });
    expect(a.states.get(7)?.state).toMatchObject({ user: { id: ben } });
    expect(a.states.has(8)).toBe(false);
  });

  test('[P2] the clock towards others is the server’s: a huge one freezes nobody', async () => {
    const { a, b, clock } = await bothThere();
    b.sayHere(7, { typing: true }, 2 ** 53 - 1);
    await clock.advance(100);
    const { clock: first } = a.states.get(7)!;
    expect(first).toBeLessThan(2 ** 52);
    b.sayHere(7, { typing: false }, 1);
    await clock.advance(100);
    expect(a.states.get(7)?.clock).toBeGreaterThan(first);
    expect(a.states.get(7)?.state.typing).toBe(false);
  });

  test('[P2] entries over 512 bytes are not taken', async () => {
    const { a, b, clock } = await bothThere();
    b.sayHere(7, { typing: true, pad: 'x'.repeat(LIMITS.awareness) });
    await clock.advance(100);
    expect(a.states.has(7)).toBe(false);
    expect(b.closed).toBeNull();
  });

  test.each([
    ['no JSON', '{'],
    ['no object', '5'],
    ['nested without end', '['.repeat(500)],
  ])('[W8] a state that is %s is refused', async (_, text) => {
    const { b, a } = await bothThere();
    const state = new TextEncoder().encode(text);
    const inner = [1, 7, 1, ...(state.length > 127 ? [(state.length & 127) | 128, state.length >> 7] : [state.length]), ...state];
    b.send(Uint8Array.of(1, ...(inner.length > 127 ? [(inner.length & 127) | 128, inner.length >> 7] : [inner.length]), ...inner));
    expect(b.closed?.code).toBe(4408);
    expect(a.closed).toBeNull();
  });

  test('[W8] a client id of more digits than a number has is refused: written again, it would have no end', async () => {
    const { b, a } = await bothThere();
    const inner = [1, ...Array.from({ length: 147 }, () => 0x80), 1, 1, 2, 0x7b, 0x7d];
    b.send(Uint8Array.of(1, (inner.length & 127) | 128, inner.length >> 7, ...inner));
    expect([b.closed?.code, a.closed]).toEqual([4408, null]);
  });

  test('[P5] a leaver is gone for the others at once', async () => {
    const { a, b, clock } = await bothThere();
    b.sayHere(7, { typing: true });
    await clock.advance(100);
    expect(a.states.has(7)).toBe(true);
    b.session.closed();
    await clock.advance(100);
    expect(a.states.has(7)).toBe(false);
  });

  test('[P2] a device that comes back before its dead connection was noticed takes its entry over', async () => {
    const { a, b, open, ben, conversationId, clock } = await bothThere();
    b.sayHere(7, { typing: true });
    const again = await open(ben, conversationId);
    again.sayHere(7, { typing: false });
    await clock.advance(100);
    b.session.closed();
    await clock.advance(100);
    expect(a.states.get(7)?.state.typing).toBe(false);
  });

  test('[P3] what a connection was sent of others it can relay, now or after they left, and it speaks for nobody', async () => {
    const { a, b, open, ana, conversationId, clock } = await bothThere();
    a.sayHere(5, { typing: true });
    await clock.advance(100);
    b.sayHere(5, { typing: true });
    await clock.advance(100);
    a.session.closed();
    await clock.advance(100);
    b.sayHere(5, { typing: true }, 9);
    b.sayHere(7, { typing: true });
    const again = await open(ana, conversationId);
    again.sayHere(5, { typing: false });
    await clock.advance(100);
    expect(b.states.get(5)?.state).toMatchObject({ user: { id: ana }, typing: false });
    expect([...again.states.keys()].filter((client) => client === 5 || client === 7)).toEqual([7]);
  });

  test('[P3] who comes back before the dead connection was noticed is never sent an entry under its own id', async () => {
    const { b, open, ben, conversationId, clock } = await bothThere();
    b.sayHere(7, { typing: true });
    await clock.advance(100);
    const again = await open(ben, conversationId);
    again.sayHere(7, { typing: true });
    await clock.advance(30_000);
    expect(again.order.filter((what) => what === 'awareness 7')).toEqual([]);
  });

  test('[W6] [P3] very many entries come in pieces that a stock client can relay', async () => {
    const { open, ben, conversationId, clock, ana } = await bothThere();
    for (let i = 0; i < 300; i++) (await open(i < 100 ? ana : ben, conversationId)).sayHere(1_000 + i, { typing: false });
    const late = await open(ana, conversationId);
    await clock.advance(100);
    expect(late.states.size).toBeGreaterThanOrEqual(300);
    const sizes = late.messages.map(({ byteLength }) => byteLength);
    expect(Math.max(...sizes)).toBeLessThan(LIMITS.frame);
    for (const message of late.messages.filter(([type]) => type === 1)) late.send(message);
    expect(late.closed).toBeNull();
  });

  test('[P2] who goes and comes again on one connection is there again, under the same client id and no other', async () => {
    const { a, b, clock } = await bothThere();
    for (const state of [{ typing: true }, null]) b.sayHere(7, state);
    await clock.advance(100);
    expect([a.states.has(7), a.order.includes('awareness 7')]).toEqual([false, true]);
    b.sayHere(8, { typing: true });
    b.sayHere(7, { typing: true });
    await clock.advance(100);
    expect([...a.states.keys()].filter((client) => client === 7 || client === 8)).toEqual([7]);
  });

  test('[P2] ghosts, removals and renamings of others in one frame change nothing', async () => {
    const { a, b, clock, ana, ben, open, conversationId } = await bothThere();
    const c = await open(ana, conversationId);
    a.sayHere(5, { typing: true });
    b.sayHere(7, { typing: true });
    await clock.advance(100);
    const before = c.order.length;
    b.send(
      encodeAwareness([
        { client: 5, clock: 2 ** 40, state: null },
        { client: 5, clock: 2 ** 41, state: { typing: false, user: { id: ben } } },
        ...Array.from({ length: 1_000 }, (_, i) => ({ client: 10_000 + i, clock: 1, state: { typing: true } })),
        {
          client: 7,
          clock: 0,
          state: { typing: true, user: { id: ana }, read: -1, away: { [ana]: [99, 99] }, __proto__: { admin: true } },
        },
      ]),
    );
    await clock.advance(100);
    expect(c.order.slice(before)).toEqual(['awareness 7']);
    expect(c.states.get(5)?.state).toMatchObject({ user: { id: ana }, typing: true });
    expect(c.states.get(7)?.state).toEqual({ user: { id: ben }, typing: true, read: 0 });
    expect(b.closed).toBeNull();
  });

  test('[P2] [W13] more of it than anybody types waits, and more entries than a room can have are refused', async () => {
    const { a, b, clock } = await bothThere();
    for (let i = 0; i < RATES.presence.burst + 20; i++) b.sayHere(7, { typing: i % 2 === 0 }, i);
    b.sayHere(7, { typing: true }, 999);
    await clock.advance(100);
    expect(a.states.get(7)?.state.typing).toBe(false);
    await clock.advance(5_000);
    expect([a.states.get(7)?.state.typing, b.closed]).toEqual([true, null]);
    b.send(encodeAwareness(Array.from({ length: 1_025 }, (_, i) => ({ client: i, clock: 1, state: null }))));
    await settled();
    expect(b.closed?.code).toBe(4408);
  });

  test('[P5] after very many who came, spoke and went the heap is as before, and nobody is left', async () => {
    const clock = makeManualClock();
    let sent = 0;
    let isEmpty = false;
    const presence = makePresence({
      conversationId: 'c',
      serverClient: 1,
      membership: makeMemoryMembership(makeMemoryStore()),
      clock,
      logger: { info() {}, warn() {}, error() {} },
      nextClock: clock.now,
      announce() {},
      tell() {},
      onEmpty: () => void (isEmpty = true),
    });
    const stays = presence.enter({ userId: 'ana', send: () => void sent++ });
    const come = (from: number, to: number): void => {
      for (let i = from; i < to; i++) {
        const guest = presence.enter({ userId: `user ${i % 50}`, send: () => {} });
        guest.receive(hello(10 + i));
        guest.leave();
      }
    };
    await clock.advance(100);
    come(0, 5_000);
    await clock.advance(100);
    const before = heapUsed();
    for (let i = 1; i <= 10; i++) {
      come(i * 5_000, (i + 1) * 5_000);
      await clock.advance(100);
    }
    expect(heapUsed() - before).toBeLessThan(2 * 1024 * 1024);
    expect(sent).toBeGreaterThan(0);
    stays.leave();
    expect(isEmpty).toBe(false);
    await clock.advance(30_000);
    expect(isEmpty).toBe(true);
  });

  test('[P6] a block between two is told to those two alone, not to everybody who is there', async () => {
    const clock = makeManualClock();
    const apart: [string, string][] = [];
    const presence = makePresence({
      conversationId: 'c',
      serverClient: 1,
      membership: { ...makeMemoryMembership(makeMemoryStore()), privacy: () => Promise.resolve({ silent: [], apart }) },
      clock,
      logger: { info() {}, warn() {}, error() {} },
      nextClock: clock.now,
      announce() {},
      tell() {},
      onEmpty() {},
    });
    const sent = [0, 0, 0];
    const guests = sent.map((_, i) => presence.enter({ userId: `${i}`, send: () => void sent[i]!++ }));
    for (const [i, guest] of guests.entries()) guest.receive(hello(10 + i));
    await clock.advance(100);
    sent.fill(0);
    apart.push(['0', '1']);
    presence.positionsChanged();
    await clock.advance(100);
    // One has gone for each of the two, and the third is told once more.
    expect(sent).toEqual([2, 2, 0]);
  });

  test('[P1] segments have no awareness', async () => {
    const { open, ana, ben, conversationId, clock } = await bothThere();
    const [a, b] = [await open(ana, `${conversationId}/1`), await open(ben, `${conversationId}/1`)];
    b.sayHere(7, { typing: true });
    await clock.advance(100);
    expect([a.states.size, b.closed]).toEqual([0, null]);
  });

  test('changes of one tick are one message, and who comes later is told what stands', async () => {
    const { a, b, open, ana, conversationId, clock } = await bothThere();
    const before = a.messages.length;
    for (let i = 0; i < 10; i++) b.sayHere(7, { typing: i % 2 === 0 }, i);
    await clock.advance(100);
    expect(a.messages).toHaveLength(before + 1);
    const late = await open(ana, conversationId);
    await clock.advance(100);
    expect(late.states.get(7)?.state).toMatchObject({ typing: false });
  });
});

describe('read positions', () => {
  test('[P4] they are stored before anybody sees them, forward only, never beyond the last message', async () => {
    const { a, b, row, ben, clock } = await bothThere();
    b.sayHere(7, { typing: false, read: 2 });
    await clock.advance(100);
    expect([row().members.get(ben)?.read, a.states.get(7)?.state.read]).toEqual([2, 2]);
    b.sayHere(7, { typing: false, read: 1 });
    await clock.advance(100);
    expect([row().members.get(ben)?.read, a.states.get(7)?.state.read]).toEqual([2, 2]);
    b.sayHere(7, { typing: false, read: 99 });
    await clock.advance(100);
    expect([row().members.get(ben)?.read, a.states.get(7)?.state.read]).toEqual([3, 3]);
  });

  test('[P4] those of all members stand in one entry of the server, also when they have left, and it is renewed', async () => {
    const { a, b, ana, ben, clock } = await bothThere();
    b.sayHere(7, { typing: false, read: 2 });
    await clock.advance(100);
    expect(awayOf(a)).toEqual({ [ana]: [0, 0], [ben]: [2, 0] });
    b.session.closed();
    await clock.advance(100);
    expect(awayOf(a)).toEqual({ [ana]: [0, 0], [ben]: [2, 0] });
    const before = a.messages.length;
    await clock.advance(25_000);
    expect(a.messages.length).toBeGreaterThan(before);
  });

  test('[P4] reading over HTTP is seen on every node', async () => {
    const { anotherNode, open, node, ana, ben, conversationId, clock, b } = await bothThere();
    b.session.closed();
    const elsewhere = await open(ana, conversationId, { on: await anotherNode() });
    expect(await node.messaging.markRead(ben, conversationId, 3)).toBe(3);
    await clock.advance(200);
    expect(awayOf(elsewhere)).toEqual({ [ana]: [0, 0], [ben]: [3, 0] });
    expect(await node.messaging.markRead('00000000-0000-7000-8000-000000000000', conversationId, 3)).toBeNull();
  });

  test('[P4] a group of more than 32 has no entry of those who are away', async () => {
    const world = await startTestNode();
    const others = Array.from({ length: 32 }, (_, i) => `00000000-0000-7000-8000-0000000000${(10 + i).toString(16)}`);
    const { conversationId } = await world.node.messaging.openGroup(world.ana, 'Crowd', others);
    const a = await world.open(world.ana, conversationId);
    await world.clock.advance(25_000);
    expect(awayOf(a)).toBeUndefined();
  });

  test('[P4] a position that moves nothing is told to nobody, and one beyond the end waits for no later messages', async () => {
    const { b, store, row, ben, ana, clock, open, conversationId, messageId } = await bothThere();
    const hints: unknown[] = [];
    store.listeners.add((hint) => hint.kind === 'positions' && hints.push(hint));
    for (let i = 0; i < 20; i++) b.sayHere(7, { typing: false, read: 1e9 }, i);
    await clock.advance(100);
    expect(hints).toHaveLength(1);
    const segment = await open(ana, `${conversationId}/1`);
    segment.change((doc) => addMessage(doc, ana, messageId(), ['four', null, null]));
    await settled();
    b.sayHere(7, { typing: true, read: 3 }, 99);
    await clock.advance(100);
    expect(row().members.get(ben)?.read).toBe(3);
  });

  test('[P4] of one connection ten positions are stored at once, then one a second, the newest', async () => {
    const { b, store, ben, clock, conversationId, node, ana, messageId } = await bothThere();
    for (let i = 0; i < 40; i++) await node.messaging.send(ana, conversationId, messageId(), [`${i}`, null, null]);
    const read = (): number => store.conversations.get(conversationId)!.members.get(ben)!.read;
    for (let seq = 1; seq <= 30; seq++) {
      b.sayHere(7, { typing: false, read: seq }, seq);
      await settled();
    }
    expect(read()).toBe(RATES.reads.burst);
    await clock.advance(60_000 / RATES.reads.perMinute);
    expect(read()).toBe(30);
  });
});
