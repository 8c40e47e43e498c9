import * as Y from 'yjs';
import { describe, expect, test } from 'vitest';
import { CLOSE, encodeSpread } from '../../../shared/close-codes.ts';
import { KEEP_ALIVE_MS, LIMITS } from '../../../shared/limits.ts';
import { EMPTY_AWARENESS, encodeStep1, encodeUpdate } from '../../../shared/protocol.ts';
import { addMessage, readLog } from '../../../shared/segment.ts';
import { fakeSocket } from '../testing/fake-socket.ts';
import { settled } from '../testing/manual-clock.ts';
import { EMPTY_STEP2, frame, wrap } from '../testing/peer.ts';
import { startTestNode } from '../testing/test-node.ts';

const code = (name: keyof typeof CLOSE): number => CLOSE[name].code;

describe('opening a document', () => {
  test('[W2] the first message is step 1, and a step 1 is answered by a step 2', async () => {
    const { open, ana, conversationId } = await startTestNode();
    const peer = await open(ana, `${conversationId}/1`);
    expect(peer.order.slice(0, 2)).toEqual(['sync 0', 'sync 1']);
    expect(peer.doc.getMap('meta').toJSON()).toEqual({ n: 1, firstSeq: 1 });
    const before = peer.order.length;
    peer.send(encodeStep1(Y.encodeStateVector(peer.doc)));
    expect(peer.order.slice(before)).toEqual(['sync 1']);
  });

  test.each([
    ['a conversation that does not exist', '00000000-0000-5000-8000-000000000000/1'],
    ['a segment that does not exist', '/2'],
    ['a root as somebody’s private document', 'user'],
  ])('[W4] [D1] %s is not found', async (_, id) => {
    const { open, ana, conversationId } = await startTestNode();
    const documentId = id === '/2' ? `${conversationId}/2` : id === 'user' ? `user:${conversationId}/1` : id;
    expect((await open(ana, documentId)).closed?.code).toBe(code('notFound'));
  });

  test('[W4] [H4] who never was a member gets the answer of a conversation that does not exist; a former one is told so', async () => {
    const { open, row, ben, node, ana, conversationId } = await startTestNode();
    const { conversationId: other } = await node.messaging.openDirect(ana, '00000000-0000-7000-8000-000000000000');
    expect((await open(ben, `${other}/1`)).closed?.code).toBe(code('notFound'));
    row().members.delete(ben);
    row().former.add(ben);
    expect((await open(ben, `${conversationId}/1`)).closed?.code).toBe(code('notMember'));
  });

  test('[D8] a person’s private document is made when its owner opens it, and opens for nobody else', async () => {
    const { open, ana, ben } = await startTestNode();
    expect((await open(ben, `user:${ana}/1`)).closed?.code).toBe(code('notFound'));
    const [phone, laptop] = [await open(ana, `user:${ana}/1`), await open(ana, `user:${ana}/1`)];
    phone.change((doc) => doc.getMap(`u:${ana}`).set('stheme', 'dark'));
    await settled();
    expect(laptop.doc.getMap(`u:${ana}`).toJSON()).toEqual({ stheme: 'dark' });
    expect(phone.closed).toBeNull();
  });

  test('[R3] a load that fails is told to everybody who waits, and the next one tries again', async () => {
    const { open, faults, ana, conversationId } = await startTestNode();
    faults.push({ moment: 'read', error: new Error('the disk is on fire') });
    const [first, second] = await Promise.all([open(ana, `${conversationId}/1`), open(ana, `${conversationId}/1`)]);
    expect([first.closed?.code, second.closed?.code]).toEqual([code('tryLater'), code('tryLater')]);
    expect((await open(ana, `${conversationId}/1`)).order[0]).toBe('sync 0');
  });

  test('[R3] who joins a load that began before the document was made is served', async () => {
    const { open, node, ana } = await startTestNode();
    const id = '00000000-0000-7000-8000-00000000000a';
    const early = open(ana, `user:${ana}/1`);
    const late = open(ana, `user:${ana}/1`);
    expect([(await early).closed, (await late).closed]).toEqual([null, null]);
    expect(node.counts().rooms).toBe(1);
    expect((await open(id, `user:${id}/2`)).closed?.code).toBe(code('notFound'));
  });

  test('[R4] a room without watchers and work is closed', async () => {
    const { open, node, ana, conversationId } = await startTestNode();
    const peer = await open(ana, `${conversationId}/1`);
    expect(node.counts()).toEqual({ rooms: 1, sessions: 1 });
    peer.session.closed();
    expect(node.counts()).toEqual({ rooms: 0, sessions: 0 });
  });

  test('[R2] frames that come before the room is open wait for it', async () => {
    const { node, ana, conversationId, clock, store } = await startTestNode();
    const sent: Uint8Array[] = [];
    const session = node.open({
      userId: ana,
      sid: 's',
      expiresAt: clock.now() + 1e6,
      name: { kind: 'segment', conversationId, n: 1 },
      acks: true,
      socket: fakeSocket({ send: (message) => void sent.push(message) }),
    });
    const doc = new Y.Doc();
    addMessage(doc, ana, 'AZt22qgydBa_HO03_2gW8w', ['early', null, null]);
    session.receive(encodeUpdate(Y.encodeStateAsUpdate(doc)));
    await settled();
    expect(store.conversations.get(conversationId)!.messages.size).toBe(1);
  });
});

describe('acks', () => {
  test('[W3] [L7] a write comes back to everybody, then the writer is acked', async () => {
    const { open, ana, ben, conversationId, messageId } = await startTestNode();
    const [a, b] = [await open(ana, `${conversationId}/1`), await open(ben, `${conversationId}/1`, { acks: false })];
    const id = messageId();
    a.change((doc) => addMessage(doc, ana, id, ['hello', null, null]));
    await settled();
    expect(a.order.slice(-2)).toEqual(['sync 2', 'ack']);
    expect(a.acks).toEqual([[a.doc.clientID, 1]]);
    expect(readLog(b.doc)).toEqual([id]);
    b.change((doc) => addMessage(doc, ben, messageId(), ['hi', null, null]));
    await settled();
    expect(b.order).not.toContain('ack');
    expect(readLog(a.doc)).toHaveLength(2);
  });

  test('[W3] [A6] a neutralised entry is told before the ack that covers it', async () => {
    const { open, ana, ben, conversationId, messageId } = await startTestNode();
    const [a, b] = [await open(ana, `${conversationId}/1`), await open(ben, `${conversationId}/1`)];
    const id = messageId();
    a.change((doc) => addMessage(doc, ana, id, ['mine', null, null]));
    await settled();
    b.change((doc) => addMessage(doc, ben, id, ['mine too', null, null]));
    await settled();
    expect(b.told).toEqual([{ client: b.doc.clientID, clock: 0, code: 'duplicate' }]);
    expect(b.order.indexOf('told')).toBeLessThan(b.order.lastIndexOf('ack'));
    expect(b.doc.getMap(`u:${ben}`).get(id)).toBeUndefined();
  });

  test('[L8] a frame with nothing new is acked and writes no row', async () => {
    const { open, row, ana, conversationId, messageId } = await startTestNode();
    const a = await open(ana, `${conversationId}/1`);
    a.change((doc) => addMessage(doc, ana, messageId(), ['hello', null, null]));
    await settled();
    const rows = row().documents.get(1)!.rows.length;
    const acked = a.acks.length;
    a.send(encodeUpdate(Y.encodeStateAsUpdate(a.doc)));
    a.send(EMPTY_STEP2);
    await settled();
    expect(row().documents.get(1)!.rows).toHaveLength(rows);
    expect(a.acks.slice(acked)).toEqual([[a.doc.clientID, 1]]);
  });

  test('[A3] a frame ahead of what the server holds is dropped, and step 1 sent again', async () => {
    const { open, ana, conversationId, messageId, row } = await startTestNode();
    const a = await open(ana, `${conversationId}/1`);
    const early = new Y.Doc();
    addMessage(early, ana, messageId(), ['first', null, null]);
    const before = Y.encodeStateVector(early);
    addMessage(early, ana, messageId(), ['second', null, null]);
    a.send(encodeUpdate(Y.encodeStateAsUpdate(early, before)));
    await settled();
    expect(a.order.at(-2)).toBe('sync 0');
    expect(a.closed).toBeNull();
    expect(row().messages.size).toBe(0);
    a.send(wrap(1, Y.encodeStateAsUpdate(early)));
    await settled();
    expect(row().messages.size).toBe(2);
  });
});

describe('limits and bad input', () => {
  test('[W6] what comes before the document opens is bounded in bytes too', async () => {
    const { node, ana, conversationId, clock } = await startTestNode();
    let closed = 0;
    const session = node.open({
      userId: ana,
      sid: 's',
      expiresAt: clock.now() + 1e6,
      name: { kind: 'segment', conversationId, n: 1 },
      acks: true,
      socket: fakeSocket({ close: (code) => void (closed = code) }),
    });
    for (let i = 0; i < 3; i++) session.receive(new Uint8Array(LIMITS.step2));
    expect(closed).toBe(code('tryLater'));
  });

  test.each([
    ['an empty frame', frame()],
    ['an unknown type', frame(9)],
    ['an auth message', frame(2, 0)],
    ['an ack', frame(120, 0)],
    ['an unknown sync type', frame(0, 3, 0)],
    ['a step 1 that ends early', frame(0, 0, 5, 1)],
    ['a step 1 that names more than it holds', frame(0, 0, 2, 200, 1)],
    ['bytes after the message', frame(0, 1, 2, 0, 0, 0)],
    ['an update that declares 2^31 structs', wrap(2, frame(1, 255, 255, 255, 255, 15, 1, 0))],
    ['an update with bytes after it', wrap(2, frame(0, 0, 0))],
  ])('[W8] [A1] %s is refused, and others stay', async (_, bytes) => {
    const { open, ana, ben, conversationId } = await startTestNode();
    const [a, b] = [await open(ana, `${conversationId}/1`), await open(ben, `${conversationId}/1`)];
    a.send(bytes);
    await settled();
    expect(a.closed).toEqual({ code: code('refused'), reason: 'malformed' });
    expect(b.closed).toBeNull();
  });

  test('[W6] what is too large is closed with 4413', async () => {
    const { open, ana, conversationId } = await startTestNode();
    for (const bytes of [
      new Uint8Array(LIMITS.step2 + 1),
      wrap(2, new Uint8Array(LIMITS.update + 1)),
      frame(1, ...new Uint8Array(LIMITS.frame)),
    ]) {
      const a = await open(ana, conversationId);
      a.send(bytes);
      expect(a.closed?.code).toBe(code('tooLarge'));
    }
  });

  test('[W6] step 1 has a burst of 30 and ten a minute', async () => {
    const { open, clock, ana, conversationId } = await startTestNode();
    const a = await open(ana, `${conversationId}/1`);
    const ask = (): void => a.send(encodeStep1(Y.encodeStateVector(a.doc)));
    for (let i = 0; i < 29; i++) ask();
    expect(a.closed).toBeNull();
    await clock.advance(60_000);
    for (let i = 0; i < 10; i++) ask();
    expect(a.closed).toBeNull();
    ask();
    expect(a.closed?.code).toBe(code('tryLater'));
  });

  test('[W6] frames without progress are borne twenty times in a row', async () => {
    const { open, ana, conversationId, messageId } = await startTestNode();
    const a = await open(ana, `${conversationId}/1`);
    const early = new Y.Doc();
    addMessage(early, ana, messageId(), ['first', null, null]);
    const before = Y.encodeStateVector(early);
    addMessage(early, ana, messageId(), ['second', null, null]);
    const ahead = encodeUpdate(Y.encodeStateAsUpdate(early, before));
    a.session.receive(EMPTY_STEP2);
    for (let i = 0; i < 20; i++) a.session.receive(ahead);
    await settled();
    const open20 = a.closed;
    a.session.receive(ahead);
    await settled();
    expect([open20, a.closed?.code]).toEqual([null, code('tryLater')]);
  });

  test('[W5] a silent channel gets the empty awareness frame every 20 s', async () => {
    const { open, clock, ana, conversationId } = await startTestNode();
    const a = await open(ana, `${conversationId}/1`);
    const before = a.messages.length;
    await clock.advance(KEEP_ALIVE_MS - 1);
    expect(a.messages).toHaveLength(before);
    await clock.advance(3 * KEEP_ALIVE_MS);
    expect(a.messages.slice(before)).toEqual([EMPTY_AWARENESS, EMPTY_AWARENESS, EMPTY_AWARENESS]);
  });
});

describe('the end of a session', () => {
  test('[S4] it ends when its token runs out, unless it was renewed', async () => {
    const { open, clock, node, ana, conversationId } = await startTestNode();
    const a = await open(ana, `${conversationId}/1`, { sid: 'one', expiresAt: clock.now() + 60_000 });
    await clock.advance(59_000);
    node.messaging.extendSession('one', clock.now() + 60_000);
    await clock.advance(59_000);
    expect(a.closed).toBeNull();
    await clock.advance(2_000);
    expect(a.closed?.code).toBe(code('expired'));
  });

  test('[S4] signing out ends the session’s sockets on every node, and no other’s', async () => {
    const { open, anotherNode, node, ana, ben, conversationId } = await startTestNode();
    const other = await anotherNode();
    const here = await open(ana, conversationId, { sid: 'one' });
    const there = await open(ana, conversationId, { sid: 'one', on: other });
    const second = await open(ana, conversationId, { sid: 'two', on: other });
    const bens = await open(ben, conversationId, { on: other });
    node.messaging.endSessions({ userId: ana, sid: 'one' });
    await settled();
    expect([here, there, second, bens].map(({ closed }) => closed?.code ?? null)).toEqual([4401, 4401, null, null]);
    node.messaging.endSessions({ userId: ana });
    await settled();
    expect([second.closed?.code, bens.closed]).toEqual([4401, null]);
  });

  test('[L10] [W15] a node that stops tells its sockets to come back within a time of so many, after what waited is committed', async () => {
    const { open, node, row, ana, conversationId, messageId } = await startTestNode();
    const a = await open(ana, `${conversationId}/1`);
    a.change((doc) => addMessage(doc, ana, messageId(), ['last words', null, null]));
    const others = await Promise.all(Array.from({ length: 9 }, () => open(ana, conversationId)));
    await node.stop();
    for (const { closed } of [a, ...others]) expect(closed).toEqual({ code: code('restart'), reason: encodeSpread(10) });
    expect(row().messages.size).toBe(1);
  });
});
