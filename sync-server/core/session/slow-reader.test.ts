import * as Y from 'yjs';
import { describe, expect, test } from 'vitest';
import { KEEP_ALIVE_MS, LIMITS, WAIT_MS } from '../../../shared/limits.ts';
import { parseDocumentId } from '../../../shared/ids.ts';
import { EMPTY_AWARENESS, encodeStep1 } from '../../../shared/protocol.ts';
import { addMessage, deleteMessage, editMessage, readMessages } from '../../../shared/segment.ts';
import { fakeSocket } from '../testing/fake-socket.ts';
import { makeManualClock, settled } from '../testing/manual-clock.ts';
import { type Peer, makePeer } from '../testing/peer.ts';
import { type TestNode, startTestNode } from '../testing/test-node.ts';
import { makeLiveFeed, watchReader } from './slow-reader.ts';

/** Ana writes, Ben watches the same segment. */
async function reading(): Promise<TestNode & { a: Peer; b: Peer; write: (count: number) => Promise<void> }> {
  const world = await startTestNode();
  const { open, ana, ben, conversationId, messageId } = world;
  const [a, b] = [await open(ana, `${conversationId}/1`), await open(ben, `${conversationId}/1`)];
  const write = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      a.change((doc) => addMessage(doc, ana, messageId(), ['x'.repeat(8_000), null, null]));
      await settled();
    }
  };
  return { ...world, a, b, write };
}

describe('a reader that does not keep up', () => {
  test('[W7] holds a bounded part of what comes, and sees all of it without a gap when it reads on', async () => {
    const { a, b, write, messageId, ana } = await reading();
    b.socket.stall();
    await write(10);
    const held = b.socket.buffered();
    await write(10);
    a.change((doc) => addMessage(doc, ana, messageId(), ['the last', null, null]));
    await settled();
    expect([held > LIMITS.unsentLive, held < 2 * LIMITS.unsentLive, b.socket.buffered()]).toEqual([true, true, held]);
    b.socket.drain();
    expect(readMessages(b.doc)).toEqual(readMessages(a.doc));
    expect(readMessages(b.doc)).toHaveLength(21);
    expect(b.doc.store.pendingStructs).toBeNull();
    await write(1);
    expect([readMessages(b.doc).length, b.closed]).toEqual([22, null]);
  });

  test('[W7] is caught up with deletions, acks and presence too', async () => {
    const { b, write, ben, ana, conversationId, messageId, clock, open } = await reading();
    const id = messageId();
    b.change((doc) => addMessage(doc, ben, id, ['mine', null, null]));
    await settled();
    const [root, anas] = [await open(ben, conversationId), await open(ana, conversationId)];
    await clock.advance(100);
    for (const peer of [b, root]) peer.socket.stall();
    await write(10);
    const again = await open(ben, `${conversationId}/1`);
    again.change((doc) => deleteMessage(doc, ben, id));
    b.change((doc) => addMessage(doc, ben, messageId(), ['while I was slow', null, null]));
    for (let i = 0; i < 2_000; i++) anas.sayHere(7, { typing: i % 2 === 0 });
    await clock.advance(1_000);
    const acked = b.acks.length;
    const questions = b.order.filter((what) => what === 'sync 0').length;
    for (const peer of [b, root]) peer.socket.drain();
    expect(readMessages(b.doc).find((message) => message.id === id)?.body).toBeNull();
    expect(b.acks).toHaveLength(acked);
    expect(b.order.filter((what) => what === 'sync 0').length).toBe(questions + 1);
    expect(root.states.get(7)?.state).toMatchObject({ user: { id: ana } });
  });

  test('[W2] [W7] gets nothing of the document before the answer to its first question: half of a change would look like a deletion', async () => {
    const { node, open, write, ana, ben, conversationId, messageId, clock } = await reading();
    const id = messageId();
    const [phone, laptop] = [await open(ana, `${conversationId}/1`), await open(ana, `${conversationId}/1`)];
    phone.change((doc) => addMessage(doc, ana, id, ['begun', null, null]));
    await settled();
    // What Ben's device holds is from before the edit, which another device has made.
    const held = Y.encodeStateAsUpdate(phone.doc);
    laptop.change((doc) => editMessage(doc, ana, id, 'ended', clock.now()));
    await settled();
    const texts: (string | null | undefined)[] = [];
    for (const isSlow of [true, false]) {
      const visit = {
        userId: ben,
        sid: 'sid',
        expiresAt: clock.now() + 900_000,
        name: parseDocumentId(`${conversationId}/1`)!,
        acks: true,
      };
      const peer = makePeer((socket) => node.open({ ...visit, socket }));
      Y.applyUpdate(peer.doc, held);
      peer.doc.on('update', () => texts.push(readMessages(peer.doc).find((message) => message.id === id)?.body));
      peer.socket.stall();
      await settled();
      await write(1);
      if (isSlow) {
        // As another channel of its socket may have filled it.
        peer.socket.send(Uint8Array.of(...EMPTY_AWARENESS, ...new Uint8Array(LIMITS.unsentLive)));
        await clock.advance(KEEP_ALIVE_MS);
      }
      peer.socket.drain();
      await clock.advance(1_000);
      expect(readMessages(peer.doc)).toEqual(readMessages(laptop.doc));
    }
    expect(new Set(texts)).toEqual(new Set(['ended']));
  });

  test('[W7] is not waited for: others hear everything at once, and it is closed when it has read nothing for 30 s', async () => {
    const { a, b, write, open, ana, conversationId, clock } = await reading();
    const other = await open(ana, `${conversationId}/1`);
    b.socket.stall();
    await write(10);
    expect([readMessages(other.doc).length, a.acks.length]).toEqual([10, 10]);
    await clock.advance(WAIT_MS - 1);
    expect(b.closed).toBeNull();
    await clock.advance(1);
    expect([b.closed, a.closed, other.closed]).toEqual([{ code: 1013, reason: 'too slow' }, null, null]);
  });

  test('[W7] [W13] its questions wait until it has read the answers, so that no new device is too slow for its own history', async () => {
    const { b, write, clock } = await reading();
    await write(10);
    const answers = () => b.order.filter((what) => what === 'sync 1').length;
    const before = answers();
    b.socket.stall();
    for (let i = 0; i < 20; i++) b.send(encodeStep1(Uint8Array.of(0)));
    await clock.advance(1_000);
    expect(b.socket.buffered()).toBeLessThan(2 * LIMITS.unsentLive);
    for (let i = 0; i < 20; i++) {
      b.socket.drain();
      b.socket.stall();
      await clock.advance(WAIT_MS / 2);
    }
    b.socket.drain();
    expect([answers() - before, b.closed]).toEqual([20, null]);
  });

  test('[W7] [W10] who shares its socket is caught up one after the other, never beyond what it may leave unsent', async () => {
    let unsent = 0;
    const waiting = new Set<() => void>();
    const socket = { buffered: () => unsent, drained: (then: () => void) => (waiting.add(then), () => void waiting.delete(then)) };
    const caughtUp: number[] = [];
    const feeds = [0, 1, 2].map((i) =>
      makeLiveFeed({
        socket,
        send: () => {},
        catchUp() {
          caughtUp.push(i);
          unsent = 2 * LIMITS.unsentLive;
        },
      }),
    );
    unsent = 2 * LIMITS.unsentLive;
    for (const feed of feeds) feed.send(new Uint8Array(1), null);
    for (let i = 1; i <= 3; i++) {
      unsent = 0;
      const all = [...waiting];
      waiting.clear();
      for (const then of all) then();
      expect(caughtUp).toHaveLength(i);
    }
  });
});

test('[W7] a thousand who do not read cost an update no more than one', () => {
  const doc = new Y.Doc();
  for (let i = 0; i < 3_000; i++) doc.getMap('lane').set(`${i}`, i);
  const update = Y.encodeStateAsUpdate(doc);
  const socket = { buffered: () => 2 * LIMITS.unsentLive, drained: () => () => {} };
  const feeds = Array.from({ length: 1_000 }, () => makeLiveFeed({ socket, send: () => {}, catchUp: () => {} }));
  const cost = (task: () => void): number => {
    const before = process.cpuUsage();
    task();
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  const sent = cost(() => feeds.forEach((feed) => feed.send(update, update)));
  // Reading it for each of them would be a thousand of these.
  const read = cost(() => feeds.slice(0, 200).forEach(() => Y.parseUpdateMeta(update)));
  expect(sent).toBeLessThan(read);
});

describe('a watched socket', () => {
  test('[W7] beyond 4 MiB its reader is too slow at once', () => {
    let slow = 0;
    const raw = fakeSocket();
    const socket = watchReader(raw, makeManualClock(), () => slow++);
    raw.stall();
    for (let sent = 0; sent <= LIMITS.unsent; sent += LIMITS.frame) socket.send(new Uint8Array(LIMITS.frame));
    expect(slow).toBe(0);
    socket.send(new Uint8Array(1));
    expect(slow).toBe(1);
  });

  test('[W7] who reads all the time is not too slow, however much is sent meanwhile', async () => {
    let slow = 0;
    let held = 0;
    const clock = makeManualClock();
    const socket = watchReader(
      { ...fakeSocket({ send: ({ byteLength }) => void (held += byteLength) }), buffered: () => held },
      clock,
      () => slow++,
    );
    for (let i = 0; i < 5; i++) {
      for (let sent = 0; sent < 16; sent++) socket.send(new Uint8Array(LIMITS.frame));
      held -= 15 * LIMITS.frame;
      await clock.advance(WAIT_MS);
    }
    expect([slow, held]).toEqual([0, 5 * LIMITS.frame]);
  });

  test('[W7] who reads a little every 30 s, or all of it once, is not too slow', async () => {
    let slow = 0;
    let held = 0;
    const clock = makeManualClock();
    const raw = { ...fakeSocket(), buffered: () => held };
    const socket = watchReader(raw, clock, () => slow++);
    held = LIMITS.unsentLive * 2;
    socket.send(Y.encodeStateVector(new Y.Doc()));
    for (let i = 0; i < 5; i++) {
      held -= 1_000;
      await clock.advance(WAIT_MS);
    }
    expect(slow).toBe(0);
    await clock.advance(WAIT_MS);
    expect(slow).toBe(1);
    const other = fakeSocket();
    const read = watchReader(other, clock, () => slow++);
    other.stall();
    read.send(new Uint8Array(LIMITS.unsentLive + 1));
    other.drain();
    await clock.advance(2 * WAIT_MS);
    expect(slow).toBe(1);
  });
});
