import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { CLOSE, type CloseName } from '../../../shared/close-codes.ts';
import { encodeChannelFrame } from '../../../shared/channels.ts';
import { LIMITS } from '../../../shared/limits.ts';
import { MESSAGE, SYNC, encodeAwareness, encodeStep1, encodeStep2, encodeUpdate } from '../../../shared/protocol.ts';
import { HUGE, INFINITE } from './numbers.ts';
import type { Ending, Scene } from './scene.ts';

/** Frames on one document's way. `ends`: how; null: the way stands. */
export interface FrameAttack {
  name: string;
  ends: Ending | null;
  frames(scene: Scene): (Uint8Array | string)[];
  /** To which document; segment 1 otherwise. */
  path?: (scene: Scene) => string;
  /** What so many frames may cost; 50 otherwise. */
  cpuMs?: number | undefined;
}

const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list);
const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
export const endingOf = (name: CloseName, reason: string = CLOSE[name].means): Ending => ({ code: CLOSE[name].code, reason });
const refused = (name: string, frames: FrameAttack['frames']): FrameAttack => ({ name, ends: endingOf('refused', 'malformed'), frames });
const stands = (name: string, frames: FrameAttack['frames'], cpuMs?: number): FrameAttack => ({ name, ends: null, frames, cpuMs });
const root = (scene: Scene): string => scene.groupId;

/** An awareness message with a state as it is written. */
const state = (client: number, clock: number, json: string): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, MESSAGE.awareness);
    encoding.writeVarUint8Array(
      encoder,
      encoding.encode((inner) => {
        for (const n of [1, client, clock]) encoding.writeVarUint(inner, n);
        encoding.writeVarString(inner, json);
      }),
    );
  });

export const FRAMES: FrameAttack[] = [
  refused('an empty frame', () => [bytes()]),
  refused('an unknown message type', () => [bytes(99, 0)]),
  refused('a type of 2^53', () => [bytes(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f)]),
  refused('a type that never ends', () => [new Uint8Array(100).fill(0xff)]),
  refused('an ack, which only the server sends', () => [bytes(MESSAGE.ack, 0)]),
  refused('a told', () => [bytes(MESSAGE.told, 0)]),
  refused('an auth message', () => [bytes(MESSAGE.auth, 0, 0)]),
  refused('an unknown sync type', () => [bytes(MESSAGE.sync, 3, 1, 0)]),
  refused('a sync message without a payload', () => [bytes(MESSAGE.sync, SYNC.update)]),
  refused('a payload declared longer than the frame', () => [bytes(MESSAGE.sync, SYNC.update, ...HUGE, 0)]),
  refused('a frame cut short', () => [encodeUpdate(bytes(0, 0)).slice(0, -1)]),
  refused('bytes behind a message', () => [bytes(...encodeUpdate(bytes(0, 0)), 0)]),
  refused('two messages in one frame', () => [bytes(...encodeUpdate(bytes(0, 0)), ...encodeUpdate(bytes(0, 0)))]),
  refused('a state vector of 2^32 clients', () => [encodeStep1(bytes(...HUGE))]),
  refused('a state vector cut short', () => [encodeStep1(bytes(3, 1))]),
  refused('a state vector of 60,000 clients', () => [
    encodeStep1(Y.encodeStateVector(new Map(many(20_000, (i): [number, number] => [i, 1])))).slice(0, LIMITS.frame),
  ]),
  { ...refused('a question that knows more of the server than it does', ({ serverClient }) => [encodeStep1(Y.encodeStateVector(new Map([[serverClient, 2 ** 40]])))]), ends: endingOf('refused', 'restored') }, // prettier-ignore
  {
    ...refused('a question that knows everything of everybody', ({ adas, berts }) => [
      encodeStep1(Y.encodeStateVector(new Map([[adas.doc.clientID, 2 ** 53 - 1], [berts.doc.clientID, 2 ** 53 - 1]]))), // prettier-ignore
    ]),
    ends: endingOf('refused', 'restored'),
  },
  { name: 'a frame beyond 256 KiB', ends: endingOf('tooLarge'), frames: () => [encodeStep2(new Uint8Array(LIMITS.step2))] },
  { name: 'an update beyond 32 KiB', ends: endingOf('tooLarge'), frames: () => [encodeUpdate(new Uint8Array(LIMITS.update + 1))] },
  { name: 'awareness beyond 64 KiB', ends: endingOf('tooLarge'), frames: () => [state(1, 1, JSON.stringify('x'.repeat(LIMITS.frame)))] },
  {
    name: 'a flood of questions',
    ends: endingOf('tryLater', 'too many sync requests'),
    frames: () => many(60, () => encodeStep1(bytes(0))),
    cpuMs: 250,
  },
  {
    name: 'frames that never make progress',
    ends: endingOf('tryLater', 'no progress'),
    frames: ({ mallory }) => {
      const doc = new Y.Doc();
      doc.getMap(`u:${mallory.id}`).set('x', 1);
      const before = Y.encodeStateVector(doc);
      doc.getMap(`u:${mallory.id}`).set('y', 1);
      return many(30, () => encodeUpdate(Y.encodeStateAsUpdate(doc, before)));
    },
  },
  stands('a thousand empty updates', () => many(1_000, () => encodeUpdate(bytes(0, 0))), 400),

  // Presence.
  { ...stands('awareness in a segment, under Ada’s client id', ({ adas }) => [encodeAwareness([{ client: adas.doc.clientID, clock: 2 ** 53 - 1, state: null }])]) }, // prettier-ignore
  ...[
    stands('presence under Ada’s client id, at clock 2^53 - 1', ({ adasRoot }) => [
      encodeAwareness([{ client: adasRoot.doc.clientID, clock: 2 ** 53 - 1, state: { user: { id: 'evil' }, typing: true } }]),
    ]),
    stands('presence that says Ada has gone', ({ adasRoot }) => [
      encodeAwareness([{ client: adasRoot.doc.clientID, clock: 2 ** 53 - 1, state: null }]),
    ]),
    stands('presence under the server’s own client id', ({ adasRoot }) => [
      encodeAwareness([...adasRoot.doc.store.clients.keys()].map((client) => ({ client, clock: 2 ** 53 - 1, state: { away: {} } }))),
    ]),
    stands('presence in Ada’s name', ({ ada }) => [
      encodeAwareness([{ client: 4_242, clock: 1, state: { user: { id: ada.id, name: 'Ada' }, typing: true, read: 1 } }]),
    ]),
    stands('a read position beyond the last, of 2^53, negative, and no number', () =>
      [2 ** 53, -1, 1e308, Number.MAX_SAFE_INTEGER, 0.5].map((read, i) =>
        encodeAwareness([{ client: 4_243, clock: i + 1, state: { read } }]),
      ),
    ),
    refused('a state that is no object', () => [encodeAwareness([{ client: 4_244, clock: 1, state: 7 }])]),
    refused('a state that is no JSON', () => [state(4_245, 1, '{"typing":')]),
    stands('a state of 16 kB', () => [state(4_246, 1, JSON.stringify({ typing: true, more: 'x'.repeat(16_000) }))]),
    stands('a state nested 7,000 deep', () => [state(4_247, 1, '['.repeat(7_000) + ']'.repeat(7_000))]),
    stands('a state with `__proto__`', () => [state(4_248, 1, '{"__proto__":{"typing":true},"typing":false}')]),
    stands('a thousand entries of nobody', () => [encodeAwareness(many(1_000, (i) => ({ client: 9_000 + i, clock: 1, state: null })))]),
    refused('2,000 entries', () => [encodeAwareness(many(2_000, (i) => ({ client: 9_000 + i, clock: 1, state: null })))]),
    refused('an awareness message that declares 2^32 entries', () => [bytes(MESSAGE.awareness, 5, ...HUGE)]),
    refused('a state under an infinite client id', () => [bytes(MESSAGE.awareness, 0x99, 1, 1, ...INFINITE, 1, 2, 0x7b, 0x7d)]),
    refused('an awareness message with bytes behind its entries', () => [bytes(MESSAGE.awareness, 2, 0, 0)]),
    refused('a question for presence with bytes behind it', () => [bytes(MESSAGE.queryAwareness, 0)]),
  ].map((attack): FrameAttack => ({ ...attack, path: root })),
];

/** Text has no place on any socket. */
export const TEXT: FrameAttack = refused('a text frame', () => ['hello']);

const data = (channel: number, payload: Uint8Array): Uint8Array => encodeChannelFrame({ op: 'data', channel, payload });
const open = (channel: number, documentId: string): Uint8Array => encodeChannelFrame({ op: 'open', channel, documentId });
const json = (value: unknown): Uint8Array => data(0, new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)));
const HELLO = json({ hello: { version: 1, cursor: null } });
const UUID = '00000000-0000-7000-8000-000000000000';

/** Frames on the shared socket itself: all of these end it, but for those that `stand`. */
export const SHARED: FrameAttack[] = [
  refused('an empty frame', () => [bytes()]),
  refused('an unknown op', () => [bytes(1, 9)]),
  refused('`opened`, which only the server says', () => [encodeChannelFrame({ op: 'opened', channel: 1 })]),
  refused('channel 0 opened', (scene) => [open(0, scene.groupId)]),
  refused('a channel opened twice', (scene) => [open(1, scene.groupId), open(1, scene.groupId)]),
  refused('a channel that does not rise', (scene) => [open(5, scene.groupId), open(4, scene.groupId)]),
  refused('data for a channel that never was', () => [data(7, bytes(0, 0, 1, 0))]),
  refused('a close of a channel that never was', () => [encodeChannelFrame({ op: 'close', channel: 9, code: 1000, reason: '' })]),
  refused('a close of the inbox', () => [encodeChannelFrame({ op: 'close', channel: 0, code: 1000, reason: '' })]),
  refused('a channel beyond 2^53', () => [bytes(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0)]),
  refused('a channel that is infinite', () => [bytes(...INFINITE, 0, 0)]),
  refused('a channel that is no number', () => [bytes(0x80, ...INFINITE, 0, 0)]),
  refused('a document id declared longer than the frame', () => [bytes(1, 0, ...HUGE)]),
  refused('a document id that is no UTF-8', () => [bytes(1, 0, 2, 0xff, 0xfe)]),
  refused('bytes behind an open', (scene) => [bytes(...open(1, scene.groupId), 0)]),
  refused('an open cut short', (scene) => [open(1, scene.groupId).slice(0, -2)]),

  // The inbox.
  refused('an inbox that is no JSON', () => [json('{"hello":')]),
  refused('an inbox that is no UTF-8', () => [data(0, bytes(0xff, 0xfe))]),
  refused('an inbox of arrays, 5,000 deep', () => [json('['.repeat(5_000) + ']'.repeat(5_000))]),
  refused('deliveries before hello', () => [json({ delivered: {} })]),
  refused('hello twice', () => [HELLO, HELLO]),
  refused('a cursor that is a number', () => [json({ hello: { version: 1, cursor: 1 } })]),
  refused('a cursor of 1,000 letters', () => [json({ hello: { version: 1, cursor: 'x'.repeat(1_000) } })]),
  refused('a version that is no number', () => [json({ hello: { version: '1', cursor: null } })]),
  refused('a delivery of NaN', () => [HELLO, json(`{"delivered":{"${UUID}":NaN}}`)]),
  refused('a delivery of 1e308', () => [HELLO, json(`{"delivered":{"${UUID}":1e308}}`)]),
  refused('a negative delivery', () => [HELLO, json({ delivered: { [UUID]: -1 } })]),
  refused('a delivery of half a message', () => [HELLO, json({ delivered: { [UUID]: 1.5 } })]),
  refused('a delivery to no conversation', () => [HELLO, json({ delivered: { __proto__x: 1 } })]),
  refused('257 deliveries', () => [HELLO, json({ delivered: Object.fromEntries(many(257, (i) => [`${UUID.slice(0, -4)}${String(i).padStart(4, '0')}`, 1])) })]), // prettier-ignore
  { ...refused('a client of yesterday’s version', () => [json({ hello: { version: 0, cursor: null } })]), ends: endingOf('tooOld') },

  stands('a cursor of another server, and one of SQL', () => [json({ hello: { version: 1, cursor: "0'; drop table messages; --" } })]),
  stands('deliveries of conversations that are somebody else’s, and beyond the last', (scene) => [
    HELLO,
    json({ delivered: { [UUID]: 5, [scene.groupId]: Number.MAX_SAFE_INTEGER } }),
  ]),
  stands('a close for a channel that is closed, and data after it', (scene) => [
    open(1, scene.groupId),
    encodeChannelFrame({ op: 'close', channel: 1, code: 1000, reason: '' }),
    encodeChannelFrame({ op: 'close', channel: 1, code: 1000, reason: 'again' }),
    data(1, bytes(99)),
  ]),
  stands('channel 2^53 - 1', (scene) => [open(Number.MAX_SAFE_INTEGER, scene.groupId)]),
  stands('ten thousand documents that are none', () => many(10_000, (i) => open(i + 1, `no such document ${i}`)), 400),
  stands(
    'a thousand conversations of others',
    () => many(1_000, (i) => open(i + 1, `${UUID.slice(0, -4)}${String(i).padStart(4, '0')}`)),
    800,
  ),
  stands('names that climb, escape and carry NUL', ({ groupId, ada }) =>
    [
      '../../etc/passwd',
      `${groupId}%2f1`,
      `${groupId}/1/../2`,
      `${groupId}/1\0`,
      `user:${ada.id}/1`,
      '__proto__',
      `${groupId}/999999999`,
      '',
    ].map((name, i) => open(i + 1, name)),
  ),
];

/** Bodies of an exchange over HTTP, with the status that answers them. */
export const EXCHANGES: { name: string; status: number; body: (scene: Scene) => Uint8Array }[] = [
  { name: 'bytes that are none', status: 422, body: () => bytes(5, 1) },
  { name: 'a message declared 2^32 long', status: 422, body: () => bytes(...HUGE) },
  { name: 'two questions', status: 422, body: () => exchangeOf(encodeStep1(bytes(0)), encodeStep1(bytes(0))) },
  { name: 'two updates', status: 422, body: () => exchangeOf(encodeUpdate(bytes(0, 0)), encodeUpdate(bytes(0, 0))) },
  { name: 'presence', status: 422, body: () => exchangeOf(bytes(MESSAGE.awareness, 1, 0)) },
  { name: 'an unknown message', status: 422, body: () => exchangeOf(bytes(99)) },
  { name: 'an update that declares 2^32 structs', status: 422, body: () => exchangeOf(encodeUpdate(bytes(1, ...HUGE, 0))) },
  { name: 'a message in another lane', status: 422, body: ({ ada }) => exchangeOf(encodeUpdate(laneUpdate(ada.id))) },
  { name: 'an update beyond 32 KiB', status: 413, body: () => exchangeOf(encodeUpdate(new Uint8Array(LIMITS.update + 1))) },
  { name: 'a body beyond 512 KiB', status: 413, body: () => new Uint8Array(600 * 1024) },
];

const exchangeOf = (...messages: Uint8Array[]): Uint8Array =>
  encoding.encode((encoder) => messages.forEach((message) => encoding.writeVarUint8Array(encoder, message)));

function laneUpdate(userId: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getMap(`u:${userId}`).set('A'.repeat(22), ['evil', null, null]);
  return Y.encodeStateAsUpdate(doc);
}
