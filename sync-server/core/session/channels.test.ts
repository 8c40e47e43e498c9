import * as Y from 'yjs';
import { describe, expect, test } from 'vitest';
import type { ChannelFrame } from '../../../shared/channels.ts';
import { CLOSE } from '../../../shared/close-codes.ts';
import { KEEP_ALIVE_MS, LIMITS, WAIT_MS } from '../../../shared/limits.ts';
import { EMPTY_AWARENESS, MESSAGE, encodeStep1, encodeStep2 } from '../../../shared/protocol.ts';
import { addMessage } from '../../../shared/segment.ts';
import { type Carrier, makeCarrier } from '../testing/carrier.ts';
import { settled } from '../testing/manual-clock.ts';
import { frame } from '../testing/peer.ts';
import { startTestNode } from '../testing/test-node.ts';

const code = (name: keyof typeof CLOSE): number => CLOSE[name].code;
const open = (channel: number, documentId: string): ChannelFrame => ({ op: 'open', channel, documentId });
const data = (channel: number, payload: Uint8Array): ChannelFrame => ({ op: 'data', channel, payload });
const closesOf = (carrier: Carrier) => carrier.frames.flatMap((one) => (one.op === 'close' ? [[one.channel, one.code]] : []));
const typesOn = (carrier: Carrier, channel: number) =>
  carrier.frames.flatMap((one) => (one.op === 'data' && one.channel === channel ? [one.payload[0]] : []));

async function connected() {
  const world = await startTestNode();
  return { ...world, carrier: makeCarrier(world.node, world.ana) };
}

describe('channels', () => {
  test('[W9] each channel is a document’s y-websocket connection with acks, opened before anything else is said on it', async () => {
    const { carrier, ana, conversationId, messageId, row } = await connected();
    carrier.send(open(1, conversationId));
    carrier.send(open(2, `${conversationId}/1`));
    await settled();
    expect(carrier.ops(1).slice(0, 2)).toEqual(['opened', 'data']);
    expect(typesOn(carrier, 2)[0]).toBe(MESSAGE.sync);
    const doc = new Y.Doc();
    addMessage(doc, ana, messageId(), ['hello', null, null]);
    carrier.send(data(2, encodeStep2(Y.encodeStateAsUpdate(doc))));
    await settled();
    expect(typesOn(carrier, 2)).toContain(MESSAGE.ack);
    expect(row().messages.size).toBe(1);
  });

  test('[W4] [W10] a document that may not be opened closes its channel, never opened, and leaves the others', async () => {
    const { carrier, row, ana, ben, conversationId, node } = await connected();
    const { conversationId: left } = await node.messaging.openGroup(ben, 'left', [ana]);
    row(left).members.delete(ana);
    row(left).former.add(ana);
    carrier.send(open(1, `${conversationId}/1`));
    carrier.send(open(2, 'no document'));
    carrier.send(open(3, `${conversationId}/2`));
    carrier.send(open(4, `user:${ben}/1`));
    carrier.send(open(5, left));
    await settled();
    expect(new Map(closesOf(carrier) as [number, number][])).toEqual(
      new Map([
        [2, code('notFound')],
        [3, code('notFound')],
        [4, code('notFound')],
        [5, code('notMember')],
      ]),
    );
    expect([2, 3, 4, 5].flatMap((channel) => carrier.ops(channel))).toEqual(['close', 'close', 'close', 'close']);
    carrier.send(data(1, encodeStep1(Uint8Array.of(0))));
    expect(typesOn(carrier, 1).length).toBeGreaterThan(1);
    expect(carrier.closed).toBeNull();
  });

  test('[W10] what is refused on one channel closes that channel; what comes late for it is dropped', async () => {
    const { carrier, conversationId } = await connected();
    carrier.send(open(1, conversationId));
    carrier.send(open(2, `${conversationId}/1`));
    await settled();
    carrier.send(data(1, frame(9, 9)));
    expect(closesOf(carrier)).toEqual([[1, code('refused')]]);
    const before = carrier.frames.length;
    carrier.send(data(1, encodeStep1(Uint8Array.of(0))));
    carrier.send({ op: 'close', channel: 1, code: 1000, reason: '' });
    expect(carrier.frames.length).toBe(before);
    carrier.send(data(2, encodeStep1(Uint8Array.of(0))));
    expect(carrier.frames.length).toBe(before + 1);
  });

  test('[W10] a closed channel ends its session, and its room when nobody else is there', async () => {
    const { carrier, node, conversationId } = await connected();
    carrier.send(open(1, conversationId));
    await settled();
    expect(node.counts().rooms).toBe(1);
    carrier.send({ op: 'close', channel: 1, code: 1000, reason: '' });
    await settled();
    expect(node.counts()).toEqual({ rooms: 0, sessions: 1 });
  });

  const bad: [string, ChannelFrame[] | Uint8Array][] = [
    ['bytes that are no frame', frame(1, 9)],
    ['the inbox opened', [open(0, 'x')]],
    ['the inbox closed', [{ op: 'close', channel: 0, code: 1000, reason: '' }]],
    ['an id used again', [open(1, 'x'), open(1, 'y')]],
    ['an id lower than one before', [open(7, 'x'), open(3, 'y')]],
    ['data for a channel that never was', [data(4, frame(0))]],
    ['a close of a channel that never was', [{ op: 'close', channel: 4, code: 1000, reason: '' }]],
    ['what only the server says', [open(1, 'x'), { op: 'opened', channel: 1 }]],
  ];
  test.each(bad)('[W9] %s closes the socket', async (_, frames) => {
    const { carrier, node } = await connected();
    if (frames instanceof Uint8Array) carrier.session.receive(frames);
    else for (const one of frames) carrier.send(one);
    expect(carrier.closed).toEqual({ code: code('refused'), reason: 'malformed' });
    expect(node.counts().sessions).toBe(0);
  });

  test('[W10] 256 channels are open at once; one more is told to come later, and may when another has gone', async () => {
    const { carrier, conversationId } = await connected();
    for (let channel = 1; channel <= LIMITS.channels + 1; channel++) carrier.send(open(channel, `${conversationId}/1`));
    await settled();
    expect(closesOf(carrier)).toEqual([[LIMITS.channels + 1, code('tryLater')]]);
    carrier.send({ op: 'close', channel: 5, code: 1000, reason: '' });
    carrier.send(open(LIMITS.channels + 2, `${conversationId}/1`));
    await settled();
    expect(carrier.ops(LIMITS.channels + 2)[0]).toBe('opened');
  });

  test('[W10] opening has an allowance: 512 at once and ten a second', async () => {
    const { carrier, clock } = await connected();
    const refused = () => closesOf(carrier).filter(([, why]) => why === code('tryLater')).length;
    let channel = 0;
    const tryMany = (count: number): void => {
      for (let i = 0; i < count; i++) {
        carrier.send(open(++channel, '00000000-0000-4000-8000-000000000000'));
        carrier.send({ op: 'close', channel, code: 1000, reason: '' });
      }
    };
    tryMany(513);
    expect(refused()).toBe(1);
    await clock.advance(1_000);
    tryMany(11);
    expect(refused()).toBe(2);
  });

  test('[W5] every channel that is silent for 20 s gets the empty awareness frame', async () => {
    const { carrier, clock, conversationId } = await connected();
    carrier.send(open(1, `${conversationId}/1`));
    await settled();
    await clock.advance(10_000);
    carrier.send(open(2, `${conversationId}/1`));
    await settled();
    const before = carrier.frames.length;
    await clock.advance(KEEP_ALIVE_MS - 10_000);
    expect(carrier.frames.slice(before)).toEqual([data(1, EMPTY_AWARENESS)]);
    await clock.advance(10_000);
    expect(carrier.frames.slice(before + 1)).toEqual([data(2, EMPTY_AWARENESS)]);
  });

  test('[W7] [W10] a reader that is too slow loses the socket', async () => {
    const { carrier, conversationId, node, clock } = await connected();
    carrier.send(open(1, conversationId));
    carrier.send(open(2, `${conversationId}/1`));
    await settled();
    carrier.socket.stall();
    for (let channel = 3; channel < 250; channel++) carrier.send(open(channel, `${conversationId}/1`));
    await settled();
    for (let channel = 3; channel < 250; channel++) for (let i = 0; i < 20; i++) carrier.send(data(channel, encodeStep1(Uint8Array.of(0))));
    await clock.advance(WAIT_MS + 1_000);
    expect(carrier.closed).toEqual({ code: code('tryLater'), reason: 'too slow' });
    expect(node.counts()).toEqual({ rooms: 0, sessions: 0 });
  });
});

describe('the end of the socket', () => {
  test('[W11] it is the end of every channel', async () => {
    const { carrier, node, conversationId } = await connected();
    carrier.send(open(1, conversationId));
    carrier.send(open(2, `${conversationId}/1`));
    await settled();
    carrier.session.closed();
    await settled();
    expect(node.counts()).toEqual({ rooms: 0, sessions: 0 });
    const before = carrier.frames.length;
    carrier.send(open(3, conversationId));
    await settled();
    expect(carrier.frames.length).toBe(before);
  });

  test('[W11] [S4] a session that runs out ends the whole socket once, unless it was renewed', async () => {
    const { node, clock, ana, conversationId } = await startTestNode();
    const carrier = makeCarrier(node, ana, { expiresAt: clock.now() + 60_000 });
    carrier.send(open(1, conversationId));
    await clock.advance(59_000);
    node.messaging.extendSession('sid', clock.now() + 60_000);
    await clock.advance(59_000);
    expect(carrier.closed).toBeNull();
    await clock.advance(2_000);
    expect(carrier.closed?.code).toBe(code('expired'));
    expect(closesOf(carrier)).toEqual([]);
    expect(node.counts()).toEqual({ rooms: 0, sessions: 0 });
  });

  test('[W11] [S4] signing out ends the whole socket, on every node; a stop sends it elsewhere', async () => {
    const { node, anotherNode, ana, ben } = await startTestNode();
    const other = await anotherNode();
    const [here, there, bens] = [makeCarrier(node, ana), makeCarrier(other, ana), makeCarrier(other, ben)];
    node.messaging.endSessions({ userId: ana });
    await settled();
    expect([here.closed?.code, there.closed?.code, bens.closed]).toEqual([4401, 4401, null]);
    await other.stop();
    expect(bens.closed?.code).toBe(code('restart'));
  });
});
