import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { expect, test } from 'vitest';
import { parseDocumentId } from '../../../shared/ids.ts';
import { EMPTY_AWARENESS, MESSAGE, QUERY_AWARENESS, SYNC, encodeStep1, encodeStep2, encodeUpdate } from '../../../shared/protocol.ts';
import { addMessage, readLog } from '../../../shared/segment.ts';
import { LogUnavailable } from '../ports.ts';
import { frame, wrap } from '../testing/peer.ts';
import { startTestNode } from '../testing/test-node.ts';

async function exchanging() {
  const world = await startTestNode();
  const { node, ana, conversationId, clock } = world;
  async function ask(documentId: string, messages: Uint8Array[], userId = ana) {
    const result = node.exchange({ userId, sid: 'sid', name: parseDocumentId(documentId)! }, messages);
    await clock.advance(100);
    return result;
  }
  return { ...world, segment: `${conversationId}/1`, ask };
}

const kinds = (messages: Uint8Array[]): string[] => messages.map(([type, sync]) => (type === MESSAGE.sync ? `sync ${sync}` : String(type)));
const payloadsOf = (messages: Uint8Array[], type: number): Uint8Array[] =>
  messages
    .filter(([first, second]) => first === MESSAGE.sync && second === type)
    .map((message) => decoding.readVarUint8Array(decoding.createDecoder(message.slice(2))));
const written = (ana: string, id: string, client?: number): Uint8Array => {
  const doc = new Y.Doc();
  if (client !== undefined) doc.clientID = client;
  addMessage(doc, ana, id, ['hello', null, null]);
  return Y.encodeStateAsUpdate(doc);
};
const EMPTY = encodeStep1(Uint8Array.of(0));

test('[W12] a step 1 is answered with what the client lacks, then with the server’s step 1', async () => {
  const { ask, segment, ana, messageId, node, conversationId } = await exchanging();
  const id = messageId();
  await node.messaging.send(ana, conversationId, id, ['hello', null, null]);
  const result = await ask(segment, [EMPTY]);
  const messages = 'messages' in result ? result.messages : [];
  expect(kinds(messages)).toEqual(['sync 1', 'sync 0']);
  const doc = new Y.Doc();
  for (const payload of payloadsOf(messages, SYNC.step2)) Y.applyUpdate(doc, payload);
  expect(readLog(doc)).toEqual([id]);
});

test('[W12] an update is committed and acked; the server’s step 1 comes last and knows it', async () => {
  const { ask, segment, ana, messageId, row, node } = await exchanging();
  const update = written(ana, messageId(), 77);
  const result = await ask(segment, [EMPTY, encodeStep2(update)]);
  const messages = 'messages' in result ? result.messages : [];
  expect(kinds(messages)).toEqual(['sync 1', 'sync 2', '120', 'sync 0']);
  expect(Y.decodeStateVector(payloadsOf(messages, SYNC.step1)[0]!).get(77)).toBe(1);
  expect(row().messages.size).toBe(1);
  // The same again changes nothing and is acked again.
  const again = await ask(segment, [encodeUpdate(update)]);
  expect('messages' in again && kinds(again.messages)).toEqual(['120', 'sync 0']);
  expect(row().messages.size).toBe(1);
  expect(node.counts()).toEqual({ rooms: 0, sessions: 0 });
});

test('[W12] with nothing to say one learns what the server has; an update without structs is answered too', async () => {
  const { ask, segment } = await exchanging();
  for (const messages of [[], [encodeStep2(Uint8Array.of(0, 0))]]) {
    const result = await ask(segment, messages);
    expect('messages' in result && kinds(result.messages)).toEqual(['sync 0']);
  }
});

test('[W12] an update that is ahead of the server is dropped, and the step 1 says from where', async () => {
  const { ask, segment, ana, messageId, row } = await exchanging();
  const doc = new Y.Doc();
  addMessage(doc, ana, messageId(), ['first', null, null]);
  const before = Y.encodeStateVector(doc);
  addMessage(doc, ana, messageId(), ['second', null, null]);
  const result = await ask(segment, [encodeUpdate(Y.encodeStateAsUpdate(doc, before))]);
  expect('messages' in result && kinds(result.messages)).toEqual(['sync 0']);
  expect(row().messages.size).toBe(0);
});

test('[W12] presence stays out of it where nobody asks', async () => {
  const { ask, open, conversationId, ben } = await exchanging();
  (await open(ben, conversationId)).sayHere(7, { typing: true });
  const result = await ask(conversationId, [EMPTY]);
  expect('messages' in result && kinds(result.messages)).toEqual(['sync 1', 'sync 0']);
});

test('[W12, P7] who asks in a root learns who is there, and how far everybody has read', async () => {
  const { ask, open, conversationId, ana, ben, node, messageId, clock } = await exchanging();
  await node.messaging.send(ana, conversationId, messageId(), ['hello', null, null]);
  const statesOf = (result: Awaited<ReturnType<typeof ask>>): unknown[] => {
    const messages = 'messages' in result ? result.messages : [];
    expect(kinds(messages)).toEqual(['sync 1', '1', 'sync 0']);
    const decoder = decoding.createDecoder(messages.find(([type]) => type === MESSAGE.awareness)!.slice(1));
    const states: unknown[] = [];
    const update = decoding.createDecoder(decoding.readVarUint8Array(decoder));
    for (let left = decoding.readVarUint(update); left > 0; left--) {
      decoding.readVarUint(update);
      decoding.readVarUint(update);
      states.push(JSON.parse(decoding.readVarString(update)));
    }
    return states;
  };
  // Nobody else is there: the room's presence begins with the question.
  expect(statesOf(await ask(conversationId, [EMPTY, QUERY_AWARENESS]))).toEqual([{ away: { [ana]: [0, 0], [ben]: [0, 0] } }]);
  (await open(ben, conversationId)).sayHere(7, { typing: true, read: 1 });
  await clock.advance(100);
  expect(statesOf(await ask(conversationId, [EMPTY, QUERY_AWARENESS]))).toEqual([
    { user: { id: ben }, typing: true, read: 1 },
    { away: { [ana]: [0, 0], [ben]: [1, 0] } },
  ]);
});

test.each([
  ['presence', [EMPTY_AWARENESS], 'malformed'],
  ['a query outside a root', [QUERY_AWARENESS], 'malformed'],
  ['two steps 1', [EMPTY, EMPTY], 'malformed'],
  ['two updates', [encodeStep2(Uint8Array.of(0, 0)), encodeUpdate(Uint8Array.of(0, 0))], 'malformed'],
  ['an update that is none', [wrap(SYNC.update, frame(9, 9, 9))], 'malformed'],
  ['no bytes', [frame()], 'malformed'],
])('[W12] %s is refused as on a socket', async (_, messages, reason) => {
  const { ask, segment } = await exchanging();
  expect(await ask(segment, messages)).toEqual({ closed: 'refused', reason });
});

test('[W12] a document that may not be opened, a foreign lane and a frame too large are what they are on a socket', async () => {
  const { ask, segment, ana, ben, messageId, conversationId } = await exchanging();
  expect(await ask(`${conversationId}/9`, [EMPTY])).toMatchObject({ closed: 'notFound' });
  expect(await ask(`user:${ben}/1`, [EMPTY])).toMatchObject({ closed: 'notFound' });
  expect(await ask(segment, [encodeStep2(written(ben, messageId()))], ana)).toEqual({ closed: 'refused', reason: 'foreign-lane' });
  expect(await ask(segment, [wrap(SYNC.update, new Uint8Array(40_000))])).toMatchObject({ closed: 'tooLarge' });
});

test('[W12] while nothing can be committed it is answered in time, and what was sent is known later', async () => {
  const { node, clock, segment, ana, messageId, faults, row } = await exchanging();
  for (let i = 0; i < 200; i++) faults.push({ moment: 'asked', error: new LogUnavailable('down') });
  const update = written(ana, messageId());
  const result = node.exchange({ userId: ana, sid: 'sid', name: parseDocumentId(segment)! }, [encodeUpdate(update)]);
  await clock.advance(21_000);
  expect(await result).toMatchObject({ closed: 'tryLater' });
  faults.splice(0);
  await clock.advance(2_000);
  expect(row().messages.size).toBe(1);
});
