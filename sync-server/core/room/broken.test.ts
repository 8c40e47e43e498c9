import { beforeEach, describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { LOG, addMessage, readMessages } from '../../../shared/segment.ts';
import type { StoredDocument } from '../../memory/store.ts';
import { makeMemoryLog } from '../../memory/update-log.ts';
import { settled } from '../testing/manual-clock.ts';
import { type TestNode, startTestNode } from '../testing/test-node.ts';
import { QUARANTINE_MS, makeRooms } from './rooms.ts';

/** An update that somebody else wrote into the rows. */
function updateOf(write: (doc: Y.Doc) => void, clientID = 7): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = clientID;
  doc.transact(() => write(doc));
  return Y.encodeStateAsUpdate(doc);
}

/** What can have become of stored rows. Each must cost its own document only. */
const POISONS: Record<string, (document: StoredDocument) => void> = {
  'bytes that are no update': ({ rows }) => void (rows[1]!.update = Uint8Array.of(222, 173, 190, 239)),
  'no bytes at all': ({ rows }) => void (rows[1]!.update = new Uint8Array()),
  'an update that is cut off': ({ rows }) => void (rows[1]!.update = rows[1]!.update.slice(0, -3)),
  'a count of 16 million structs in seven bytes': ({ rows }) => void (rows[1]!.update = Uint8Array.of(1, 255, 255, 255, 7, 1, 0)),
  'a row that is gone from the middle': ({ rows }) => void rows.splice(1, 1),
  'a last row that is gone': ({ rows }) => void rows.pop(),
  'all rows gone': ({ rows }) => void rows.splice(0),
  'a message in the log that nobody wrote': ({ rows, state }) => {
    const doc = new Y.Doc();
    for (const { update } of rows) Y.applyUpdate(doc, update);
    doc.clientID = state.logClient;
    const before = Y.encodeStateVector(doc);
    doc.getArray(LOG).push(['nobody wrote this']);
    rows.at(-1)!.update = Y.mergeUpdates([rows.at(-1)!.update, Y.encodeStateAsUpdate(doc, before)]);
  },
  'a count of messages that is not the log’s': (document) => void (document.state = { ...document.state, messages: 5 }),
  'a clock of the log that is not its own': (document) => void (document.state = { ...document.state, logClock: 9 }),
  'another log client': (document) => void (document.state = { ...document.state, logClient: 1 }),
  'structs that point at nothing': ({ rows }) => {
    const doc = new Y.Doc();
    doc.getText('x').insert(0, 'a');
    const before = Y.encodeStateVector(doc);
    doc.getText('x').insert(1, 'b');
    rows[1]!.update = Y.encodeStateAsUpdate(doc, before);
  },
  'an update of another document': ({ rows }) => void (rows.at(-1)!.update = updateOf((doc) => doc.getMap('meta').set('n', 99))),
};

/** A conversation of two messages, one row each, and another one beside it. */
let world: TestNode;
let other: string;
const document = (): StoredDocument => world.row().documents.get(1)!;
beforeEach(async () => {
  world = await startTestNode();
  const { ana, node, open, conversationId, messageId } = world;
  other = (await node.messaging.openGroup(ana, 'other', [])).conversationId;
  const writer = await open(ana, `${conversationId}/1`);
  for (let i = 0; i < 2; i++) {
    writer.change((doc) => addMessage(doc, ana, messageId(), [`m${i}`, null, null]));
    await settled();
  }
  writer.session.closed();
});

describe.each(Object.entries(POISONS))('[F20] [R3] %s', (_, poison) => {
  test('quarantines the one document, is logged once, and is over when it is mended', async () => {
    const { open, ana, ben, clock, node, conversationId, messageId, store } = world;
    const whole = structuredClone(document());
    poison(document());
    for (const who of [ana, ben, ana]) {
      const peer = await open(who, `${conversationId}/1`);
      expect(peer.closed).toEqual({ code: 1013, reason: 'quarantined' });
      expect(peer.messages).toEqual([]);
    }
    expect(await node.messaging.send(ana, conversationId, messageId(), ['by HTTP', null, null])).toEqual({ kind: 'unavailable' });
    expect(node.counts().rooms).toBe(0);
    // Root and other conversations live on.
    expect((await open(ana, conversationId)).closed).toBeNull();
    const beside = await open(ana, `${other}/1`);
    beside.change((doc) => addMessage(doc, ana, messageId(), ['still here', null, null]));
    await settled();
    expect(readMessages(beside.doc).map(({ body }) => body)).toEqual(['still here']);

    const errors: unknown[] = [];
    const logger = { info() {}, warn() {}, error: (fields: unknown) => void errors.push(fields) };
    const rooms = makeRooms({ log: makeMemoryLog(store, { clock }), clock, logger });
    const name = { kind: 'segment', conversationId, n: 1 } as const;
    for (let i = 0; i < 3; i++) await expect(rooms.enter(name)).rejects.toThrow('quarantined');
    expect(errors).toEqual([{ document: `${conversationId}/1`, error: expect.stringContaining(`${conversationId}/1: `) }]);

    world.row().documents.set(1, whole);
    await clock.advance(QUARANTINE_MS);
    const back = await open(ana, `${conversationId}/1`);
    expect(readMessages(back.doc).map(({ body }) => body)).toEqual(['m0', 'm1']);
  });
});

test('[F20] [L13] what cannot be compacted is put off, and all others are compacted', async () => {
  const { clock, node, store, ana, open, messageId } = world;
  POISONS['a row that is gone from the middle']!(document());
  document().compactDueAt = clock.now();
  for (let i = 0; i < 40; i++) {
    const { conversationId } = await node.messaging.openGroup(ana, `g${i}`, []);
    const writer = await open(ana, `${conversationId}/1`);
    writer.change((doc) => addMessage(doc, ana, messageId(), ['text', null, null]));
    await settled();
    store.conversations.get(conversationId)!.documents.get(1)!.compactDueAt = clock.now() + i;
  }
  await clock.advance(30_000);
  const left = [...store.conversations].filter(([, { documents }]) => documents.get(1)!.compactDueAt !== null).map(([id]) => id);
  expect(left).toEqual([world.conversationId]);
  expect(document().compactDueAt! - clock.now()).toBeGreaterThan(3_000_000);
});

test('[F20] [G5] a deleted account’s texts go from everywhere but the broken document, and from there once it is mended', async () => {
  const { ana, ben, clock, node, store, conversationId, open, messageId } = world;
  const groups: string[] = [];
  for (let i = 0; i < 3; i++) {
    const group = (await node.messaging.openGroup(ana, `g${i}`, [ben])).conversationId;
    const writer = await open(ana, `${group}/1`);
    writer.change((doc) => addMessage(doc, ana, messageId(), ['secret', null, null]));
    await settled();
    writer.session.closed();
    groups.push(group);
  }
  const whole = structuredClone(document());
  POISONS['bytes that are no update']!(document());
  store.departures.set(ana, { removes: true });
  node.messaging.depart(ana);
  await clock.advance(1_000);
  const left = (): string[] =>
    [...store.conversations].flatMap(([id, { messages }]) => [...messages.values()].filter(({ body }) => body !== null).map(() => id));
  expect(left()).toEqual([conversationId, conversationId]);
  expect(groups.filter((id) => store.conversations.get(id)!.members.has(ana))).toEqual([]);
  expect(store.departures.size).toBe(1);
  world.row().documents.set(1, whole);
  await clock.advance(20_000);
  expect(left()).toEqual([]);
  expect(store.departures.size).toBe(0);
});
