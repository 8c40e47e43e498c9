import * as decoding from 'lib0/decoding';
import { afterEach, expect, test } from 'vitest';
import { type Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import {
  EMPTY_AWARENESS,
  MESSAGE,
  SYNC,
  encodeAck,
  encodeAwareness,
  encodeStep1,
  encodeStep2,
  encodeTold,
  encodeUpdate,
} from '../../shared/protocol.ts';
import { SUB_PROTOCOL } from '../../shared/protocol-version.ts';
import type { Renewal } from './api.ts';
import { OWN_CHANGE, type ProviderEvents, makeOpenProvider } from './provider.ts';
import { makeTestClock } from './test-server.ts';

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** A socket whose other end is the test. */
class TestSocket extends EventTarget {
  static opened: TestSocket[] = [];
  readonly OPEN = 1;
  readyState = 1;
  sent: Uint8Array[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readonly url: string;
  readonly protocols: string[];
  constructor(url: string, protocols: string[]) {
    super();
    this.url = url;
    this.protocols = protocols;
    TestSocket.opened.push(this);
  }
  send(frame: Uint8Array): void {
    this.sent.push(frame);
  }
  close(): void {}
  say(...messages: Uint8Array[]): void {
    for (const message of messages) this.onmessage?.({ data: message.slice().buffer });
  }
}

function setUp(renewals: Renewal[] = []) {
  TestSocket.opened = [];
  const clock = makeTestClock();
  const doc = new Y.Doc();
  const events: unknown[][] = [];
  const note =
    (name: string) =>
    (...what: unknown[]): void =>
      void events.push([name, ...what]);
  const on: ProviderEvents = {
    synced: note('synced'),
    lost: note('lost'),
    committed: note('committed'),
    told: note('told'),
    ended: note('ended'),
  };
  let renewed = 0;
  const asked: string[] = [];
  const open = makeOpenProvider({
    renew: async () => renewals[renewed++] ?? 'renewed',
    clock,
    socketFor: (documentId) => {
      asked.push(documentId);
      return TestSocket as unknown as typeof WebSocket;
    },
  });
  const provider = open('some/1', doc, on);
  provider.connect();
  closers.push(provider.close);
  const socket = (i: number): Promise<TestSocket> =>
    expect
      .poll(() => TestSocket.opened[i])
      .toBeTruthy()
      .then(() => TestSocket.opened[i]!);
  return { clock, doc, events, provider, socket, asked, renewed: () => renewed };
}

const synced = (): Uint8Array[] => [encodeStep1(Y.encodeStateVector(new Y.Doc())), encodeStep2(Y.encodeStateAsUpdate(new Y.Doc()))];

test('[W1, W3] opens the document by its id, and asks for acks', async () => {
  const { socket, asked } = setUp();
  const { protocols } = await socket(0);
  expect([asked, protocols]).toEqual([['some/1'], [SUB_PROTOCOL]]);
});

test('[W3] the server’s step 1, acks and tellings come as values', async () => {
  const { socket, events } = setUp();
  const line = await socket(0);
  const theirs = new Y.Doc();
  theirs.getMap('meta').set('n', 1);
  line.onopen?.();
  line.say(encodeStep1(Y.encodeStateVector(theirs)), encodeStep2(Y.encodeStateAsUpdate(theirs)), EMPTY_AWARENESS);
  line.say(encodeTold([{ client: 5, clock: 7, code: 'closed' }]), encodeAck([[5, 8]]));
  expect(events).toEqual([
    ['committed', [[theirs.clientID, 1]]],
    ['synced'],
    ['committed', [[theirs.clientID, 1]]],
    ['told', [{ client: 5, clock: 7, code: 'closed' }]],
    ['committed', [[5, 8]]],
  ]);
});

test('[W3] what this connection wrote is committed when its ack says so, not when it comes back: before the ack comes what was not taken', async () => {
  const { socket, doc, events } = setUp();
  const line = await socket(0);
  line.onopen?.();
  line.say(...synced());
  doc.transact(() => doc.getMap('m').set('a', 1), OWN_CHANGE);
  const theirs = new Y.Doc();
  Y.applyUpdate(theirs, Y.encodeStateAsUpdate(doc));
  theirs.getMap('m').set('b', 1);
  events.length = 0;
  line.say(encodeUpdate(Y.encodeStateAsUpdate(theirs)), encodeAck([[doc.clientID, 1]]));
  expect(events).toEqual([
    ['committed', [[theirs.clientID, 1]]],
    ['committed', [[doc.clientID, 1]]],
  ]);
  // With a lost copy it comes back by step 2, and no ack will ever name it.
  events.length = 0;
  line.say(encodeStep2(Y.encodeStateAsUpdate(doc)));
  expect(new Map(events[0]![1] as [number, number][]).get(doc.clientID)).toBe(1);
});

test('[W6] what a copy on the device adds while connected is no update; an own change is', async () => {
  const { socket, doc } = setUp();
  const line = await socket(0);
  line.onopen?.();
  line.say(...synced());
  line.sent.length = 0;
  doc.transact(() => doc.getMap('m').set('a', 1), 'copy');
  expect(line.sent).toEqual([]);
  doc.transact(() => doc.getMap('m').set('b', 1), OWN_CHANGE);
  expect(line.sent).toHaveLength(1);
});

test('[P3] one’s own awareness is sent, others’ is not sent back', async () => {
  const { socket, provider } = setUp();
  const line = await socket(0);
  line.onopen?.();
  line.say(...synced());
  line.sent.length = 0;
  line.say(encodeAwareness([{ client: 9, clock: 1, state: { typing: true } }]));
  expect(provider.awareness.getStates().get(9)).toEqual({ typing: true });
  expect(line.sent).toEqual([]);
  provider.awareness.setLocalState({ typing: false });
  expect(line.sent).toHaveLength(1);
  const frame = decoding.createDecoder(line.sent[0]!);
  expect(decoding.readVarUint(frame)).toBe(MESSAGE.awareness);
  expect(decoding.readVarUint8Array(frame)).toEqual(ownUpdate(provider.awareness));
});
const ownUpdate = (awareness: Awareness): Uint8Array => encodeAwarenessUpdate(awareness, [awareness.clientID]);

test('[S4] expired: renews over HTTP, waits while nobody answers, and comes back', async () => {
  const { clock, socket, events, renewed } = setUp(['unreachable', 'renewed']);
  const line = await socket(0);
  line.onopen?.();
  line.say(...synced());
  line.onclose?.({ code: 4501, reason: '' });
  expect(events.at(-1)).toEqual(['lost']);
  await expect.poll(() => (clock.pass(3_000), renewed())).toBe(2);
  const again = await socket(1);
  again.onopen?.();
  again.say(...synced());
  expect(events).toContainEqual(['synced']);
});

test('[S4] a session that cannot be renewed is the end', async () => {
  const { socket, events } = setUp(['signed-out']);
  (await socket(0)).onclose?.({ code: 4501, reason: '' });
  await expect.poll(() => events.at(-1)).toEqual(['ended', 4401, '']);
  expect(TestSocket.opened).toHaveLength(1);
});

test('[W4] 44xx is the end, everything else is tried again', async () => {
  const { socket, events } = setUp();
  (await socket(0)).onclose?.({ code: 1012, reason: 'restart' });
  (await socket(1)).onclose?.({ code: 4403, reason: 'removed' });
  expect(events).toEqual([['ended', 4403, 'removed']]);
});

test('[F14] what a copy adds late leaves with a line that is dialled anew', async () => {
  const { socket, doc, provider } = setUp();
  const first = await socket(0);
  first.onopen?.();
  first.say(...synced());
  doc.transact(() => doc.getMap('m').set('late', 1), 'copy');
  provider.connect();
  const second = await socket(1);
  second.onopen?.();
  second.sent.length = 0;
  second.say(...synced());
  const step2 = second.sent.find((frame) => frame[0] === MESSAGE.sync && frame[1] === SYNC.step2);
  const theirs = new Y.Doc();
  Y.applyUpdate(theirs, decoding.readVarUint8Array(decoding.createDecoder(step2!.subarray(2))));
  expect(theirs.getMap('m').get('late')).toBe(1);
});
