import * as Y from 'yjs';
import { describe, expect, test } from 'vitest';
import { CLOSE } from '../../../shared/close-codes.ts';
import { LIMITS, RATES, WAIT_MS } from '../../../shared/limits.ts';
import { encodeStep1 } from '../../../shared/protocol.ts';
import { addMessage, createSegment } from '../../../shared/segment.ts';
import { makeCarrier } from '../testing/carrier.ts';
import { makeManualClock, settled } from '../testing/manual-clock.ts';
import { EMPTY_STEP2, type Peer } from '../testing/peer.ts';
import { startTestNode } from '../testing/test-node.ts';
import { makeAllowances } from './allowances.ts';

/** 100,000 of them take 15 s, and leave as little behind. */
const NAMES = 25_600;
const tooMany = { code: CLOSE.tryLater.code, reason: 'too many documents' };
/** An update that changes nothing and costs one. */
const spend = (peer: Peer, count: number): void => {
  for (let i = 0; i < count; i++) peer.send(EMPTY_STEP2);
};

describe('updates of one person', () => {
  test('[W13] beyond the burst they wait, on every socket of theirs, and nobody else waits', async () => {
    const { open, ana, ben, conversationId, messageId, clock, row } = await startTestNode();
    const [a, other, b] = [
      await open(ana, `${conversationId}/1`),
      await open(ana, `${conversationId}/1`),
      await open(ben, `${conversationId}/1`),
    ];
    for (let spent = 0; spent < RATES.updates.burst; spent += 500) {
      spend(a, Math.min(500, RATES.updates.burst - spent));
      await settled();
    }
    const write = (peer: Peer, who: string): void => peer.change((doc) => addMessage(doc, who, messageId(), ['text', null, null]));
    write(other, ana);
    write(b, ben);
    await settled();
    expect([...row().messages.values()].map(({ senderId }) => senderId)).toEqual([ben]);
    await clock.advance(2_000);
    expect([...row().messages.values()].map(({ senderId }) => senderId)).toEqual([ben, ana]);
    expect([a.closed, other.closed, b.closed]).toEqual([null, null, null]);
  });

  test('[W13] who goes on all the same is not read until the allowance refills, and loses nothing', async () => {
    const { open, ana, conversationId, clock, messageId } = await startTestNode();
    const a = await open(ana, `${conversationId}/1`);
    for (let sent = 0; sent <= RATES.updates.burst && !a.socket.isPaused; sent += 200) {
      spend(a, 200);
      await settled();
    }
    spend(a, LIMITS.pauseFrames + 1);
    expect([a.socket.isPaused, a.closed]).toEqual([true, null]);
    // It goes on as fast as the allowance refills.
    await clock.advance(WAIT_MS);
    expect([a.socket.isPaused, a.closed]).toEqual([false, null]);
    a.change((doc) => addMessage(doc, ana, messageId(), ['after all that', null, null]));
    await settled();
    expect(a.acks).toHaveLength(1);
  });

  test('[W13] presence is counted over all of their connections, and waits', async () => {
    const { open, ana, ben, conversationId, clock } = await startTestNode();
    const b = await open(ben, conversationId);
    const connections = Math.ceil(RATES.personPresence.burst / RATES.presence.burst);
    for (let i = 0; i < connections; i++) {
      const peer = await open(ana, conversationId);
      for (let said = 0; said < RATES.presence.burst; said++) peer.sayHere(100 + i, { typing: true });
    }
    const last = await open(ana, conversationId);
    last.sayHere(7, { typing: true });
    await clock.advance(100);
    expect(b.states.has(7)).toBe(false);
    await clock.advance(5_000);
    expect([b.states.has(7), last.closed]).toEqual([true, null]);
  });

  test('[W13] their bytes are counted too', () => {
    const clock = makeManualClock();
    const allowances = makeAllowances(clock);
    let bytes = 0;
    while (allowances.update('ana', LIMITS.update) === 0) bytes += LIMITS.update;
    expect([bytes, allowances.update('ben', LIMITS.update)]).toEqual([RATES.updateBytes.burst, 0]);
  });

  test('[W13] 5,000 waiting messages go through at once, in windows of 64', async () => {
    const allowances = makeAllowances(makeManualClock());
    for (let i = 0; i < 2 * 5_000; i++) expect(allowances.update('ana', 300)).toBe(0);
  });
});

describe('answers to one person', () => {
  test('[W13] questions wait when the bytes of a minute were answered, whatever socket they come on', async () => {
    const { open, ana, ben, conversationId, clock, store } = await startTestNode();
    const big = new Y.Doc();
    createSegment(big, 1, 1);
    for (let i = 0; i < 120; i++) addMessage(big, ana, `m${i}`.padEnd(22, 'x'), ['x'.repeat(8_000), null, null]);
    const document = store.conversations.get(conversationId)!.documents.get(1)!;
    document.rows.push({ position: 2, update: Y.encodeStateAsUpdate(big) });
    document.state = { ...document.state, position: 2 };
    let received = 0;
    for (let i = 0; i < 150; i++) {
      const one = await open(ana, `${conversationId}/1`);
      received += one.messages.reduce((sum, { byteLength }) => sum + byteLength, 0);
      one.session.closed();
    }
    expect(received).toBeGreaterThan(RATES.answerBytes.burst);
    expect(received).toBeLessThan(RATES.answerBytes.burst + 3 * 1024 * 1024);
    const [late, bens] = [await open(ana, `${conversationId}/1`), await open(ben, `${conversationId}/1`)];
    expect([late.order.includes('sync 1'), bens.order.includes('sync 1')]).toEqual([false, true]);
    await clock.advance(WAIT_MS - 1);
    expect([late.order.includes('sync 1'), late.closed]).toEqual([true, null]);
  });

  test('[W6] a state vector that names more than a document can hold is refused, one that names all it holds is answered', async () => {
    const { open, ana, conversationId } = await startTestNode();
    const vector = (clients: number): Uint8Array => Y.encodeStateVector(new Map(Array.from({ length: clients }, (_, i) => [i + 1, 1])));
    const a = await open(ana, `${conversationId}/1`);
    a.send(encodeStep1(vector(LIMITS.stateVectorClients)));
    expect(a.closed).toBeNull();
    a.send(encodeStep1(vector(LIMITS.stateVectorClients + 2)));
    expect(a.closed?.code).toBe(CLOSE.refused.code);
  });
});

describe('what one person opens', () => {
  test('[W13] so many sockets, of either kind; one more is told to come later, and may when another has gone', async () => {
    const { open, node, ana, ben, conversationId } = await startTestNode();
    const first = makeCarrier(node, ana);
    for (let i = 1; i < LIMITS.personSockets; i++) makeCarrier(node, ana);
    const [more, carrier] = [await open(ana, conversationId), makeCarrier(node, ana)];
    const refused = { code: CLOSE.tryLater.code, reason: 'too many connections' };
    expect([more.closed, carrier.closed]).toEqual([refused, refused]);
    expect((await open(ben, conversationId)).closed).toBeNull();
    more.session.closed();
    expect((await open(ana, conversationId)).closed).not.toBeNull();
    first.session.closed();
    expect((await open(ana, conversationId)).closed).toBeNull();
  });

  test('[W13] [W10] so many documents over all sockets', async () => {
    const { open, node, ana, conversationId } = await startTestNode();
    const carriers = Array.from({ length: LIMITS.personDocuments / LIMITS.channels }, () => makeCarrier(node, ana));
    for (const carrier of carriers)
      for (let channel = 1; channel <= LIMITS.channels; channel++) carrier.send({ op: 'open', channel, documentId: `${conversationId}/1` });
    await settled();
    expect((await open(ana, conversationId)).closed).toEqual(tooMany);
    carriers[0]!.send({ op: 'close', channel: 1, code: 1000, reason: '' });
    expect((await open(ana, conversationId)).closed).toBeNull();
  });

  test('[W13] documents in a burst, then so many a minute', () => {
    const clock = makeManualClock();
    const { openDocument, closeDocument } = makeAllowances(clock);
    const openAndClose = (): boolean => openDocument('ana') && (closeDocument('ana'), true);
    for (let i = 0; i < RATES.personOpens.burst; i++) expect(openAndClose()).toBe(true);
    expect(openAndClose()).toBe(false);
  });

  test('[R4] very many names of documents that are none open no room', async () => {
    const { node, ana, clock } = await startTestNode();
    const carrier = makeCarrier(node, ana);
    const name = (i: number): string =>
      [`00000000-0000-7000-8000-${String(i).padStart(12, '0')}`, `user:${ana}/${i + 1}`, 'x'.repeat(i % 300), `../${i}`, `user:${i}`][
        i % 5
      ]!;
    for (let i = 1; i <= NAMES; i++) {
      carrier.send({ op: 'open', channel: i, documentId: name(i) });
      if (i % RATES.opens.burst === 0) await clock.advance(60_000);
    }
    await clock.advance(60_000);
    expect(node.counts()).toEqual({ rooms: 0, sessions: 1 });
    const closes = carrier.frames.flatMap((frame) => (frame.op === 'close' ? [frame.code] : []));
    expect([closes.length, ...new Set(closes)]).toEqual([NAMES, CLOSE.notFound.code]);
  });
});
