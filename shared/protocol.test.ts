import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { describe, expect, test } from 'vitest';
import * as awareness from 'y-protocols/awareness';
import * as sync from 'y-protocols/sync';
import * as Y from 'yjs';
import { NEUTRALISED } from './close-codes.ts';
import { createRoot, openSegment, readRoot, removeMember, setMember } from './conversation.ts';
import { type MessageId, makeMessageId } from './ids.ts';
import {
  EMPTY_AWARENESS,
  MESSAGE,
  SYNC,
  decodeAck,
  decodeTold,
  encodeAck,
  encodeAwareness,
  encodeStep1,
  encodeStep2,
  encodeTold,
  encodeUpdate,
} from './protocol.ts';
import golden from './protocol.golden.json';
import { PROTOCOL_VERSION, SUB_PROTOCOL } from './protocol-version.ts';
import { LOG, addMessage, createSegment, deleteMessage, editMessage, laneName, react, readMessages, removeMessage } from './segment.ts';
import { isPrivateEntry } from './user-document.ts';

const ANA = '01890a5d-ac96-774b-bcce-b302099a8057';
const BEN = '0190163d-8694-739b-aea5-966c26f8ad91';
const NOW = 1_790_000_000_000;
const idOf = (n: number): MessageId => makeMessageId(NOW, (size) => new Uint8Array(size).fill(n));
const [K, L, M] = [idOf(1), idOf(2), idOf(3)];

/** A document written under known client ids, so that its bytes are the same on every run. */
function write(...parts: ((doc: Y.Doc) => void)[]): Uint8Array {
  const doc = new Y.Doc();
  parts.forEach((part, i) => {
    doc.clientID = 1_000 + i;
    doc.transact(() => part(doc));
  });
  return Y.encodeStateAsUpdate(doc);
}

function read(update: Uint8Array): Y.Doc {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  return doc;
}

const update = write((doc) => addMessage(doc, ANA, K, ['hi', null, null]));

/** Every shape that another version meets, as bytes. */
const shapes: Record<string, Uint8Array> = {
  'sub-protocol': new TextEncoder().encode(SUB_PROTOCOL),
  'sync step 1': encodeStep1(Y.encodeStateVectorFromUpdate(update)),
  'sync step 2': encodeStep2(update),
  'sync step 2, empty': encodeStep2(Y.encodeStateAsUpdate(new Y.Doc())),
  'sync update': encodeUpdate(update),
  awareness: encodeAwareness([
    { client: 7, clock: 2, state: { typing: true, read: 12 } },
    { client: 4_294_967_295, clock: 1, state: null },
  ]),
  'awareness, empty': EMPTY_AWARENESS,
  ack: encodeAck([
    [7, 12],
    [4_294_967_295, 500],
  ]),
  told: encodeTold(NEUTRALISED.map((code, clock) => ({ client: 7, clock, code }))),
  'root, direct': write((doc) => {
    const members = new Map([ANA, BEN].map((userId) => [userId, { role: 'member', since: 0 }] as const));
    createRoot(doc, { kind: 'direct', title: null, createdAt: NOW, members });
  }),
  'root, group': write(
    (doc) => createRoot(doc, { kind: 'group', title: 'Trip', createdAt: NOW, members: new Map([[ANA, { role: 'owner', since: 0 }]]) }),
    (doc) => {
      setMember(doc, BEN, { role: 'admin', since: 8_000 });
      removeMember(doc, BEN);
      for (let n = 2; n <= 17; n++) openSegment(doc, n, (n - 1) * 500 + 1);
    },
  ),
  segment: write(
    (doc) => {
      createSegment(doc, 3, 1_001);
      doc.getArray(LOG).push([K, [L, NOW + 9_000_000], M]);
    },
    (doc) => {
      addMessage(doc, ANA, K, ['question', null, null]);
      editMessage(doc, ANA, K, 'question?', NOW + 1);
      addMessage(doc, ANA, M, ['never mind', `2:${L}`, null]);
      deleteMessage(doc, ANA, M);
    },
    (doc) => {
      addMessage(doc, BEN, L, ['answer', `3:${K}`, null, { mentions: [ANA] }]);
      react(doc, BEN, K, ['👍']);
      react(doc, BEN, L, []);
      removeMessage(doc, BEN, M);
    },
  ),
  'private document': write((doc) => {
    const lane = doc.getMap(laneName(ANA));
    lane.set(`d${BEN}`, 'half a thought');
    lane.set(`c${BEN}`, { mute: null, pin: 1, archive: false, unreadFrom: 12 });
    lane.set('stheme', 'dark');
  }),
};

/** The bytes as they travel and as they are stored, for good. */
const GOLDEN: Record<string, string> = golden;

/**
 * What each version's bytes add up to. A line is added when `PROTOCOL_VERSION` rises, and never changed: who changes a shape changes
 * `protocol.golden.json`, and has to raise the version.
 */
const VERSIONS: Record<number, string> = { 1: '10cb406686e5403bb20281ca418c0dc5939b87d6af46d9b080ff22ef5480719a' };

describe('golden bytes', () => {
  const hex = Object.fromEntries(Object.entries(shapes).map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')]));

  test('[W1, D2, D3, D8] every shape is made of the same bytes as ever', () => expect(hex).toEqual(GOLDEN));

  test('[W1] a change of shape raises the version', () => {
    expect(createHash('sha256').update(JSON.stringify(GOLDEN)).digest('hex')).toBe(VERSIONS[PROTOCOL_VERSION]);
    expect(Math.max(...Object.keys(VERSIONS).map(Number))).toBe(PROTOCOL_VERSION);
    expect(new Set(Object.values(VERSIONS)).size).toBe(Object.keys(VERSIONS).length);
  });

  const stored = (name: string): Y.Doc => read(Buffer.from(GOLDEN[name]!, 'hex'));

  test('[D2] roots of yesterday are read', () => {
    expect(readRoot(stored('root, direct'))).toMatchObject({ kind: 'direct', createdAt: NOW, open: 1, segments: new Map([[1, 1]]) });
    const group = readRoot(stored('root, group'))!;
    expect(group).toMatchObject({ kind: 'group', title: 'Trip', open: 17, members: new Map([[ANA, { role: 'owner', since: 0 }]]) });
    expect([...group.segments.keys()]).toEqual(Array.from({ length: 16 }, (_, i) => i + 2));
  });

  test('[D3] segments of yesterday are read', () => {
    expect(readMessages(stored('segment'))).toEqual([
      expect.objectContaining({ id: K, seq: 1_001, body: 'question?', editedAt: NOW + 1, reactions: new Map([['👍', [BEN]]]) }),
      expect.objectContaining({ id: L, seq: 1_002, replyTo: `3:${K}`, extras: { mentions: [ANA] }, acceptedAt: NOW + 9_000_000 }),
      expect.objectContaining({ id: M, seq: 1_003, authorId: ANA, body: null }),
    ]);
  });

  test('[D8] private documents of yesterday are read', () => {
    const entries = [...stored('private document').getMap(laneName(ANA)).entries()];
    expect(entries.map(([key]) => key)).toEqual([`d${BEN}`, `c${BEN}`, 'stheme']);
    for (const [key, value] of entries) expect([key, isPrivateEntry(key, value)]).toEqual([key, true]);
  });
});

/** After its type, as the reader of a frame meets it. */
function payload(frame: Uint8Array, type: number): decoding.Decoder {
  const decoder = decoding.createDecoder(frame);
  expect(decoding.readVarUint(decoder)).toBe(type);
  return decoder;
}

describe('acks and what was neutralised', () => {
  const client = fc.nat(2 ** 32 - 1);
  const clock = fc.nat(Number.MAX_SAFE_INTEGER);
  const committed = fc.array(fc.tuple(client, clock));
  const told = fc.array(fc.record({ client, clock, code: fc.constantFrom(...NEUTRALISED) }));

  test('[W3] are read as they were written, to the last byte', () => {
    fc.assert(
      fc.property(committed, told, (pairs, entries) => {
        const ack = payload(encodeAck(pairs), MESSAGE.ack);
        expect(decodeAck(ack)).toEqual(pairs);
        expect(decoding.hasContent(ack)).toBe(false);
        const tell = payload(encodeTold(entries), MESSAGE.told);
        expect(decodeTold(tell)).toEqual(entries);
        expect(decoding.hasContent(tell)).toBe(false);
      }),
    );
  });

  test('[W3] cut short anywhere they throw, whatever count they declare', () => {
    const ack = encodeAck([[300, 400]]);
    const tell = encodeTold([{ client: 300, clock: 400, code: 'closed' }]);
    for (let end = 1; end < ack.length; end++) expect(() => decodeAck(payload(ack.slice(0, end), MESSAGE.ack))).toThrow();
    for (let end = 1; end < tell.length; end++) expect(() => decodeTold(payload(tell.slice(0, end), MESSAGE.told))).toThrow();
    const vast = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f);
    expect(() => decodeAck(decoding.createDecoder(vast))).toThrow();
    expect(() => decodeTold(decoding.createDecoder(vast))).toThrow();
  });

  test('[W3] a code of a newer server reads as closed', () => {
    const frame = encoding.encode((encoder) => {
      for (const number of [1, 7, 12]) encoding.writeVarUint(encoder, number);
      encoding.writeVarString(encoder, 'frozen');
    });
    expect(decodeTold(decoding.createDecoder(frame))).toEqual([{ client: 7, clock: 12, code: 'closed' }]);
  });
});

describe('[W1] the stock protocol reads', () => {
  test('sync messages', () => {
    const doc = new Y.Doc();
    const readInto = (frame: Uint8Array): [type: number, answer: Uint8Array] => {
      const answer = encoding.createEncoder();
      encoding.writeVarUint(answer, MESSAGE.sync);
      return [sync.readSyncMessage(payload(frame, MESSAGE.sync), answer, doc, null), encoding.toUint8Array(answer)];
    };
    expect(readInto(encodeStep2(update))[0]).toBe(SYNC.step2);
    expect(doc.getMap(laneName(ANA)).get(K)).toEqual(['hi', null, null]);
    const later = write(
      () => {},
      (each) => addMessage(each, BEN, L, ['ho', null, null]),
    );
    expect(readInto(encodeUpdate(later))[0]).toBe(SYNC.update);
    expect(doc.getMap(laneName(BEN)).get(L)).toEqual(['ho', null, null]);
    expect(readInto(encodeStep1(Y.encodeStateVector(doc)))).toEqual([SYNC.step1, encodeStep2(Y.encodeStateAsUpdate(new Y.Doc()))]);
  });

  test('awareness, which tells who is there and who has gone', () => {
    const known = new awareness.Awareness(new Y.Doc());
    known.setLocalState(null);
    const apply = (frame: Uint8Array) =>
      awareness.applyAwarenessUpdate(known, decoding.readVarUint8Array(payload(frame, MESSAGE.awareness)), null);
    apply(encodeAwareness([{ client: 7, clock: 1, state: { user: ANA, typing: true } }]));
    expect([...known.getStates()]).toEqual([[7, { user: ANA, typing: true }]]);
    apply(EMPTY_AWARENESS);
    expect(known.getStates().size).toBe(1);
    apply(encodeAwareness([{ client: 7, clock: 2, state: null }]));
    expect(known.getStates().size).toBe(0);
    known.destroy();
  });

  test('[W5] the empty awareness frame, which is one of nobody', () => {
    expect(EMPTY_AWARENESS).toEqual(encodeAwareness([]));
  });
});
