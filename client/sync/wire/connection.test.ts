import { afterEach, expect, test } from 'vitest';
import * as Y from 'yjs';
import { type ChannelFrame, INBOX_CHANNEL, decodeChannelFrame, encodeChannelFrame } from '../../../shared/channels.ts';
import { decodeInboxRequest, encodeInbox } from '../../../shared/inbox.ts';
import { encodeStep1, encodeStep2, encodeUpdate } from '../../../shared/protocol.ts';
import { makeTestClock, settled } from '../test-server.ts';
import { backOffMs } from './back-off.ts';
import { openConnection } from './connection.ts';
import type { Exchanged } from './exchange.ts';

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** A real socket's stand-in whose other end is the test. */
class TestSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  binaryType = '';
  isClosed = false;
  frames: ChannelFrame[] = [];
  send(bytes: Uint8Array): void {
    this.frames.push(decodeChannelFrame(bytes)!);
  }
  close(): void {
    this.isClosed = true;
  }
  say(frame: ChannelFrame): void {
    this.onmessage?.({ data: encodeChannelFrame(frame).slice().buffer });
  }
  greet(): void {
    this.onopen?.();
    this.say({ op: 'data', channel: INBOX_CHANNEL, payload: encodeInbox({ hello: { version: 1, oldest: 1 } }) });
  }
}

const MOST = (size: number): Uint8Array => new Uint8Array(size).fill(255);

function setUp(options: { exchange?: (messages: readonly Uint8Array[]) => Exchanged; reached?: () => boolean } = {}) {
  const clock = makeTestClock();
  const dialled: TestSocket[] = [];
  const ends: number[] = [];
  const exchanged: (readonly Uint8Array[])[] = [];
  function Dialled(): TestSocket {
    const socket = new TestSocket();
    dialled.push(socket);
    return socket;
  }
  const connection = openConnection({
    url: 'ws://host/api/sync',
    WebSocket: Dialled as unknown as typeof WebSocket,
    async exchange(_documentId, messages) {
      exchanged.push(messages);
      return options.exchange?.(messages) ?? { kind: 'unreachable' };
    },
    renew: async () => 'renewed',
    clock,
    random: MOST,
    isOnline: true,
    cursor: () => 'c1',
    onInbox: () => {},
    pollInbox: async () => options.reached?.() ?? false,
    onEnded: (code) => ends.push(code),
  });
  closers.push(connection.close);
  clock.pass(0);
  const step1 = encodeStep1(Y.encodeStateVector(new Y.Doc()));
  const open = () => {
    const events: string[] = [];
    const Socket = connection.socketFor('some/1', () => step1);
    const socket = new Socket('');
    socket.onopen = () => void events.push('open');
    socket.onclose = ({ code }) => void events.push(`close ${code}`);
    socket.onmessage = ({ data }) => void events.push(`message ${new Uint8Array(data as ArrayBuffer).join()}`);
    return { socket, events };
  };
  return { clock, connection, dialled, ends, exchanged, open, step1 };
}

test('[W9, I1] says hello with its cursor first; a document opens with the server’s word, not before', () => {
  const { dialled, open } = setUp();
  const { socket, events } = open();
  const [line] = dialled;
  line!.greet();
  const [hello, opening] = line!.frames;
  expect(hello).toMatchObject({ op: 'data', channel: INBOX_CHANNEL });
  expect(hello?.op === 'data' && decodeInboxRequest(hello.payload)).toEqual({ hello: { version: 1, cursor: 'c1' } });
  expect(opening).toEqual({ op: 'open', channel: 1, documentId: 'some/1' });
  expect([events, socket.readyState === socket.OPEN]).toEqual([[], false]);
  line!.say({ op: 'opened', channel: 1 });
  line!.say({ op: 'data', channel: 1, payload: Uint8Array.of(7) });
  expect([events, socket.readyState === socket.OPEN]).toEqual([['open', 'message 7'], true]);
});

test('[W9] one channel’s end is not the others’; ids are never used again, late frames name nobody', () => {
  const { dialled, open } = setUp();
  const [a, b] = [open(), open()];
  const [line] = dialled;
  line!.greet();
  line!.say({ op: 'opened', channel: 1 });
  line!.say({ op: 'opened', channel: 2 });
  line!.say({ op: 'close', channel: 1, code: 4403, reason: '' });
  line!.say({ op: 'data', channel: 1, payload: Uint8Array.of(7) });
  b.socket.close();
  open();
  expect([a.events, b.events]).toEqual([['open', 'close 4403'], ['open']]);
  expect(line!.frames.slice(-2)).toEqual([
    { op: 'close', channel: 2, code: 1000, reason: '' },
    { op: 'open', channel: 3, documentId: 'some/1' },
  ]);
});

/** Answers like the server: what is no document is closed at once. */
const answerAsked = (line: TestSocket): void => {
  const asked = line.frames.at(-1)!;
  expect(asked).toMatchObject({ op: 'open', documentId: '' });
  line.say({ op: 'close', channel: asked.channel, code: 4404, reason: '' });
};

test('[F7] a line that is open and dead counts as closed within 20 s; it is dialled again with a pause that grows', () => {
  const { clock, connection, dialled, open } = setUp();
  const { events } = open();
  dialled[0]!.greet();
  dialled[0]!.say({ op: 'opened', channel: 1 });
  clock.pass(7_000);
  expect([connection.state(), dialled[0]!.frames.length]).toEqual(['open', 2]);
  clock.pass(12_999);
  expect([events.at(-1), dialled[0]!.isClosed]).toEqual(['close 1006', true]);
  const dials = (): number => dialled.length;
  clock.pass(1_000);
  expect(dials()).toBe(2);
  dialled[1]!.onclose?.({ code: 1006, reason: '' });
  clock.pass(900);
  expect(dials()).toBe(2);
  clock.pass(200);
  expect(dials()).toBe(3);
});

test('[F9, F7] on a machine whose clock was put back an hour it counts as closed within 30 s', () => {
  const { clock, dialled, open } = setUp();
  open();
  dialled[0]!.greet();
  clock.pass(1_000);
  clock.putBack(3_600_000);
  dialled[0]!.say({ op: 'opened', channel: 1 });
  clock.pass(20_000);
  expect(dialled[0]!.isClosed).toBe(true);
});

test('[W9, F7] a silent line that answers stays; what it says unasked is no answer, and gives it time', () => {
  const { clock, connection, dialled, open } = setUp();
  const { events } = open();
  const [line] = dialled;
  line!.greet();
  line!.say({ op: 'opened', channel: 1 });
  for (let minute = 0; minute < 6; minute++) {
    clock.pass(10_000);
    answerAsked(line!);
  }
  clock.pass(10_000);
  line!.say({ op: 'data', channel: 1, payload: Uint8Array.of(7) });
  clock.pass(7_999);
  answerAsked(line!);
  clock.pass(9_000);
  expect([connection.state(), events]).toEqual(['open', ['open', 'message 7']]);
  // Its ids rise on: a document opened now is not one that was asked by.
  open();
  expect(line!.frames.at(-1)).toEqual({ op: 'open', channel: 9, documentId: 'some/1' });
});

test('[F7] somebody who looks is not kept waiting: the line is asked at once, and given up after 4 s', () => {
  const { clock, connection, dialled, open } = setUp();
  open();
  const [line] = dialled;
  line!.greet();
  line!.say({ op: 'opened', channel: 1 });
  clock.pass(11_000);
  answerAsked(line!);
  connection.wake();
  answerAsked(line!);
  clock.pass(5_000);
  expect(connection.state()).toBe('open');
  connection.wake();
  connection.wake();
  clock.pass(3_999);
  expect(connection.state()).toBe('open');
  clock.pass(1);
  expect([connection.state(), line!.isClosed]).toEqual(['connecting', true]);
});

test('[F7] what was on its way when somebody looked keeps no dead line', () => {
  const { clock, connection, dialled, open } = setUp();
  open();
  const [line] = dialled;
  line!.greet();
  clock.pass(1_000);
  connection.wake();
  clock.pass(500);
  line!.say({ op: 'opened', channel: 1 });
  clock.pass(3_999);
  expect(connection.state()).toBe('open');
  clock.pass(1);
  expect([connection.state(), line!.isClosed]).toEqual(['connecting', true]);
});

test('the pause has full jitter and a cap of 30 s', () => {
  expect(backOffMs(100, MOST)).toBeLessThanOrEqual(30_000);
  expect(backOffMs(100, MOST)).toBeGreaterThan(29_000);
  expect(backOffMs(100, (size) => new Uint8Array(size))).toBe(0);
  expect(backOffMs(0, MOST)).toBeLessThan(500);
});

test('offline hangs up and waits; back online it dials at once', () => {
  const { clock, connection, dialled, open } = setUp();
  const { events } = open();
  dialled[0]!.greet();
  dialled[0]!.say({ op: 'opened', channel: 1 });
  connection.setOnline(false);
  expect([connection.state(), dialled[0]!.isClosed, events.at(-1)]).toEqual(['offline', true, 'close 1006']);
  clock.pass(120_000);
  expect(dialled).toHaveLength(1);
  connection.setOnline(true);
  clock.pass(0);
  expect(dialled).toHaveLength(2);
});

test('[S4, W4] expired renews and comes back; signed out and too old are the end', async () => {
  const { clock, connection, dialled, ends } = setUp();
  dialled[0]!.greet();
  dialled[0]!.onclose?.({ code: 4501, reason: '' });
  await settled();
  clock.pass(0);
  expect(dialled).toHaveLength(2);
  dialled[1]!.greet();
  dialled[1]!.onclose?.({ code: 4401, reason: '' });
  expect([connection.state(), ends]).toEqual(['ended', [4401]]);
});

test('[W12] where no socket gets through it goes on over HTTP, and over a socket as soon as one does', async () => {
  const server = new Y.Doc();
  const theirs = encodeStep1(Y.encodeStateVector(server));
  const answer = [encodeStep2(Y.encodeStateAsUpdate(server)), theirs];
  const { clock, connection, dialled, exchanged, open, step1 } = setUp({
    exchange: () => ({ kind: 'answer', messages: answer }),
    reached: () => true,
  });
  const { socket, events } = open();
  for (let i = 0; i < 3; i++) {
    dialled.at(-1)!.onclose?.({ code: 1006, reason: '' });
    await settled();
    if (i < 2) clock.pass(30_000);
  }
  expect(connection.state()).toBe('http');
  clock.pass(0);
  await settled();
  expect(exchanged).toEqual([[step1]]);
  expect(events).toEqual(['open', ...answer.map((message) => `message ${message.join()}`)]);

  const own = new Y.Doc();
  own.getMap('m').set('a', 1);
  const update = encodeUpdate(Y.encodeStateAsUpdate(own)).slice();
  socket.send(update);
  socket.send(update);
  // What says nothing new does not go: the provider answers every step 1.
  socket.send(encodeStep2(Y.encodeStateAsUpdate(new Y.Doc())).slice());
  for (let i = 0; i < 4; i++) {
    clock.pass(0);
    await settled();
  }
  expect(exchanged.slice(1)).toEqual([
    [step1, update],
    [step1, update],
  ]);

  clock.pass(31_000);
  dialled.at(-1)!.greet();
  expect([connection.state(), events.at(-1)]).toEqual(['open', 'close 1006']);
});

test('nothing answers at all: it stays with dialling', async () => {
  const { clock, connection, dialled } = setUp();
  for (let i = 0; i < 6; i++) {
    dialled.at(-1)!.onclose?.({ code: 1006, reason: '' });
    await settled();
    clock.pass(30_000);
  }
  expect(connection.state()).toBe('connecting');
  expect(dialled.length).toBeGreaterThan(6);
});
