import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import type { RandomBytes } from '../../../shared/clock.ts';
import { type MessageId, type Uuid, makeMessageId } from '../../../shared/ids.ts';
import { type MessageValue, createSegment, readMessages } from '../../../shared/segment.ts';
import type { DocumentState, Member, Permissions, SnapshotChange } from '../ports.ts';
import { type Batch, type BuiltDocument, type Posted, type Verdict, openBatch } from './batch.ts';
import { checkUpdate } from './check.ts';
import { decodeUpdate } from './decode.ts';
import type { Plain } from './stored.ts';

/** People and ids for tests of accept. */
export const ANNA = '00000000-0000-7000-8000-00000000000a';
export const BERT = '00000000-0000-7000-8000-00000000000b';
export const CARL = '00000000-0000-7000-8000-00000000000c';
export const NOW = 1_760_000_000_000;
export const LOG_CLIENT = 77;

const counter =
  (n: number): RandomBytes =>
  (size) =>
    Uint8Array.from({ length: size }, (_, i) => (n >> (8 * (i % 4))) & 0xff);
/** The n-th message id, written at `time`. */
export const messageId = (n: number, time = NOW): MessageId => makeMessageId(time, counter(n + 1));
export const text = (body: string): MessageValue => [body, null, null];

/** What the message tables show of a message. */
export interface Row {
  seq: number;
  senderId: Uuid;
  body: string | null;
  reactions: Map<Uuid, readonly string[]>;
}

export const allowAll: Permissions = { judge: () => null };

/** A document as a room keeps it, with the tables that its batches write: commits are instant. */
export interface World {
  doc: Y.Doc;
  state: DocumentState;
  claims: Map<number, Uuid>;
  usedIds: Set<MessageId>;
  rows: Map<MessageId, Row>;
  /** All committed updates, in order. */
  log: Uint8Array[];
  permissions: Permissions;
  now: number;
  /** Judges within one batch, then commits it. */
  batch<T>(judge: (batch: Batch) => T): T;
  /** One frame, one batch. */
  push(writer: Uuid, update: Uint8Array): Verdict;
  post(writer: Uuid, id: MessageId, value: MessageValue): Posted;
  /** What the last batch built. */
  built: BuiltDocument | null;
  decode(update: Uint8Array): ReturnType<typeof decodeUpdate>;
}

function applyChange(rows: Map<MessageId, Row>, change: SnapshotChange): void {
  if (change.kind === 'message') {
    if (rows.has(change.id)) throw new Error('a message was born twice');
    rows.set(change.id, { seq: change.seq, senderId: change.senderId, body: change.body, reactions: new Map() });
    return;
  }
  const row = rows.get(change.id);
  if (!row) throw new Error('a change of what is not there');
  if (change.kind === 'edit') row.body = change.body;
  else if (change.kind === 'deletion') {
    row.body = null;
    row.reactions.clear();
  } else if (change.emoji.length > 0) row.reactions.set(change.userId, change.emoji.toSorted());
  else row.reactions.delete(change.userId);
}

export function makeWorld(kind: 'root' | 'segment' | 'user' = 'segment', owner: Uuid = ANNA): World {
  const doc = new Y.Doc();
  doc.clientID = LOG_CLIENT;
  if (kind === 'segment') createSegment(doc, 1, 1);
  if (kind === 'root') doc.getMap('meta').set('kind', 'group');
  const logClock = Y.getState(doc.store, LOG_CLIENT);
  doc.clientID = 1;
  const members = new Map([ANNA, BERT, CARL].map((userId): [Uuid, Member] => [userId, { userId, role: 'member', since: 0 }]));
  const world: World = {
    doc,
    state: { n: 1, position: 1, firstSeq: 1, logClient: LOG_CLIENT, logClock, messages: 0, bytes: 0, clients: 0, closed: false },
    claims: new Map(),
    usedIds: new Set(),
    rows: new Map(),
    log: [Y.encodeStateAsUpdate(doc)],
    permissions: allowAll,
    now: NOW,
    built: null,
    decode(update) {
      if (!checkUpdate(update)) throw new Error('the check refused an honest update');
      return decodeUpdate(update, doc);
    },
    batch(judge) {
      const { state, claims, permissions, usedIds, now } = world;
      const conversation = {
        id: owner,
        kind: kind === 'user' ? ('private' as const) : ('group' as const),
        seq: state.messages,
        open: 1,
        membersVersion: 1,
      };
      const before = Y.encodeStateAsUpdate(doc);
      const batch = openBatch({ kind, doc, state, conversation, members, claims, usedIds, permissions, now });
      const result = judge(batch);
      const built = batch.build();
      if (!Buffer.from(before).equals(Y.encodeStateAsUpdate(doc))) throw new Error('the live document was written (L4)');
      world.built = built;
      if (!built) return result;
      if (!checkUpdate(built.update)) throw new Error('accept would refuse its own update');
      Y.applyUpdate(doc, built.update);
      if (doc.store.pendingStructs ?? doc.store.pendingDs) throw new Error('something is pending (A9)');
      world.state = built.state;
      for (const { client, userId } of built.claims) claims.set(client, userId);
      for (const change of built.snapshot) applyChange(world.rows, change);
      world.log.push(built.update);
      return result;
    },
    push: (writer, update) => world.batch((batch) => batch.accept(writer, world.decode(update))),
    post: (writer, id, value) => world.batch((batch) => batch.post(writer, id, value)),
  };
  return world;
}

/** The tables as readers of the document would make them. */
export function rowsOf(doc: Y.Doc): Map<MessageId, Pick<Row, 'seq' | 'body' | 'reactions'>> {
  const rows = new Map<MessageId, Pick<Row, 'seq' | 'body' | 'reactions'>>();
  for (const { id, seq, body, reactions } of readMessages(doc)) {
    const byPerson = new Map<Uuid, string[]>();
    for (const [emoji, people] of reactions)
      for (const person of people) byPerson.set(person, [...(byPerson.get(person) ?? []), emoji].sort());
    rows.set(id, { seq, body, reactions: byPerson });
  }
  return rows;
}

/** A stock replica with a client id of its own, holding what the server holds. */
export function makeDevice(world: World, clientId: number): Y.Doc {
  const device = new Y.Doc();
  device.clientID = clientId;
  Y.applyUpdate(device, Y.encodeStateAsUpdate(world.doc));
  return device;
}

/** What a device answers to the server's sync step 1: what the server lacks, and its whole delete set. */
export const step2 = (world: World, device: Y.Doc): Uint8Array => Y.encodeStateAsUpdate(device, Y.encodeStateVector(world.doc));

/** The bytes of one change, as a stock provider sends them. */
export function changeOf(device: Y.Doc, change: () => void): Uint8Array {
  const updates: Uint8Array[] = [];
  const keep = (update: Uint8Array) => void updates.push(update);
  device.on('update', keep);
  device.transact(change);
  device.off('update', keep);
  return Y.mergeUpdates(updates);
}

/** A struct written by hand. `content` writes kind-specific bytes; `info` without place bits. */
export interface RawStruct {
  info: number;
  origin?: [number, number];
  rightOrigin?: [number, number];
  root?: string;
  key?: string;
  content: (encoder: encoding.Encoder) => void;
}

/** A value, as `Y.Map.set` writes it. */
export const value = (content: Plain): Pick<RawStruct, 'info' | 'content'> => ({
  info: 8,
  content: (encoder) => {
    encoding.writeVarUint(encoder, 1);
    encoding.writeAny(encoder, content);
  },
});
export const tombstone = (length = 1): Pick<RawStruct, 'info' | 'content'> => ({
  info: 1,
  content: (encoder) => encoding.writeVarUint(encoder, length),
});

function writeRaw(encoder: encoding.Encoder, { info, origin, rightOrigin, root, key, content }: RawStruct): void {
  encoding.writeUint8(encoder, info | (origin ? 0x80 : 0) | (rightOrigin ? 0x40 : 0) | (key === undefined ? 0 : 0x20));
  for (const id of [origin, rightOrigin]) for (const part of id ?? []) encoding.writeVarUint(encoder, part);
  if (!origin && !rightOrigin && root !== undefined) {
    encoding.writeVarUint(encoder, 1);
    encoding.writeVarString(encoder, root);
    if (key !== undefined) encoding.writeVarString(encoder, key);
  }
  content(encoder);
}

/** An update by hand, as a hostile client may send it: blocks of `[client, first clock, structs]` and deletions `[client, clock, length]`. */
export function rawUpdate(blocks: [number, number, RawStruct[]][], deletes: [number, number, number][] = []): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, blocks.length);
    for (const [client, clock, structs] of blocks) {
      for (const part of [structs.length, client, clock]) encoding.writeVarUint(encoder, part);
      for (const struct of structs) writeRaw(encoder, struct);
    }
    encoding.writeVarUint(encoder, deletes.length);
    for (const [client, clock, length] of deletes) for (const part of [client, 1, clock, length]) encoding.writeVarUint(encoder, part);
  });
}
