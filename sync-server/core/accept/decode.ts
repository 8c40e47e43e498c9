import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { type MessageId, isMessageId } from '../../../shared/ids.ts';
import { CONTENT, HAS } from './struct-info.ts';
import { type Id, type Plain, storedAt } from './stored.ts';

/** A struct as it came. `other`: what nobody may write (GC, several values in one struct). Gaps are left out: they show in the clocks. */
export interface Struct extends Id {
  kind: 'value' | 'tombstone' | 'other';
  length: number;
  origin: Id | null;
  rightOrigin: boolean;
  /** Root type and key, where they are written: with an origin they are those of the origin. */
  root: string | null;
  key: string | null;
  value: Plain;
}

/** The structs of one client id, in order of clock. */
export interface Block {
  client: number;
  structs: Struct[];
}

/** Clocks of one client, the end not included. */
export interface Span {
  from: number;
  to: number;
}

export interface DecodedUpdate {
  blocks: Block[];
  /** What the update says is deleted, by client id, in order and without overlaps. */
  deletes: ReadonlyMap<number, readonly Span[]>;
  /** Ids that may become new messages: to be looked up in the conversation's index, under the lock. */
  messageIds: ReadonlySet<MessageId>;
}

function readId(decoder: decoding.Decoder): Id {
  const client = decoding.readVarUint(decoder);
  return { client, clock: decoding.readVarUint(decoder) };
}

/** Several values are read over, and the last one kept: what holds them is refused, or left out. */
function readValues(decoder: decoding.Decoder, length: number): Plain {
  let value: Plain;
  for (let i = 0; i < length; i++) value = decoding.readAny(decoder) as Plain;
  return value;
}

function readStruct(decoder: decoding.Decoder, client: number, clock: number, info: number): Struct {
  const content = info & CONTENT.mask;
  const origin = info & HAS.origin ? readId(decoder) : null;
  const rightOrigin = (info & HAS.rightOrigin) !== 0;
  if (rightOrigin) readId(decoder);
  let root: string | null = null;
  let key: string | null = null;
  if (content !== CONTENT.gc && !origin && !rightOrigin) {
    decoding.readVarUint(decoder);
    root = decoding.readVarString(decoder);
    if (info & HAS.key) key = decoding.readVarString(decoder);
  }
  const length = decoding.readVarUint(decoder);
  const value = content === CONTENT.any ? readValues(decoder, length) : undefined;
  const kind = content === CONTENT.deleted ? 'tombstone' : content === CONTENT.any && length === 1 ? 'value' : 'other';
  return { client, clock, kind, length, origin, rightOrigin, root, key, value };
}

function readBlock(decoder: decoding.Decoder): Block {
  const structs: Struct[] = [];
  const count = decoding.readVarUint(decoder);
  const client = decoding.readVarUint(decoder);
  let clock = decoding.readVarUint(decoder);
  for (let i = 0; i < count; i++) {
    const info = decoding.readUint8(decoder);
    if (info === CONTENT.skip) clock += decoding.readVarUint(decoder);
    else {
      const struct = readStruct(decoder, client, clock, info);
      structs.push(struct);
      clock += struct.length;
    }
  }
  return { client, structs };
}

function readDeletes(decoder: decoding.Decoder): Map<number, Span[]> {
  const deletes = new Map<number, Span[]>();
  for (let clients = decoding.readVarUint(decoder); clients > 0; clients--) {
    const client = decoding.readVarUint(decoder);
    const spans: Span[] = [];
    for (let count = decoding.readVarUint(decoder); count > 0; count--) {
      const from = decoding.readVarUint(decoder);
      spans.push({ from, to: from + decoding.readVarUint(decoder) });
    }
    deletes.set(client, spans);
  }
  return deletes;
}

/** The message id that a struct would write to: by its own words, or by a deleted item of `doc` that it names as its origin. */
function messageIdOf(struct: Struct, doc: Y.Doc | null): MessageId | null {
  if (struct.key !== null) return isMessageId(struct.key) ? struct.key : null;
  if (!struct.origin || !doc || struct.kind !== 'value') return null;
  const origin = storedAt(doc, struct.origin);
  return origin instanceof Y.Item && origin.deleted && origin.parentSub !== null && isMessageId(origin.parentSub) ? origin.parentSub : null;
}

/**
 * Reads an update that `checkUpdate` let pass into plain values; of others it throws, or reads nonsense. With the live document it also
 * finds the ids of keys that hold nothing but tombstones and are written again; without it such an entry reads as `closed`, because its id
 * was not looked up.
 */
export function decodeUpdate(update: Uint8Array, doc: Y.Doc | null = null): DecodedUpdate {
  const decoder = decoding.createDecoder(update);
  const blocks: Block[] = [];
  for (let count = decoding.readVarUint(decoder); count > 0; count--) blocks.push(readBlock(decoder));
  const deletes = readDeletes(decoder);
  const messageIds = new Set<MessageId>();
  for (const { structs } of blocks) {
    for (const struct of structs) {
      const id = messageIdOf(struct, doc);
      if (id !== null) messageIds.add(id);
    }
  }
  return { blocks, deletes, messageIds };
}
