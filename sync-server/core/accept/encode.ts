import * as encoding from 'lib0/encoding';
import { CONTENT, HAS, VALUE } from './struct-info.ts';
import type { Entry } from './overlay.ts';
import type { Id, Plain } from './stored.ts';

/** A struct to be written; without values it is a tombstone of that length. */
export interface EncodableStruct extends Id {
  length: number;
  origin: Id | null;
  root: string;
  key: string | null;
  values: readonly Plain[] | null;
}

export const encodable = ({ client, clock, length, origin, slot, deleted, value }: Entry): EncodableStruct => ({
  client,
  clock,
  length,
  origin,
  root: slot.lane.name,
  key: slot.key,
  values: deleted ? null : [value],
});

const writeId = (encoder: encoding.Encoder, { client, clock }: Id): void => {
  encoding.writeVarUint(encoder, client);
  encoding.writeVarUint(encoder, clock);
};

function writeStruct(encoder: encoding.Encoder, { length, origin, root, key, values }: EncodableStruct): void {
  encoding.writeUint8(encoder, (values ? CONTENT.any : CONTENT.deleted) | (origin ? HAS.origin : 0) | (key === null ? 0 : HAS.key));
  if (origin) writeId(encoder, origin);
  else {
    encoding.writeVarUint(encoder, 1);
    writeName(encoder, root);
    if (key !== null) writeName(encoder, key);
  }
  encoding.writeVarUint(encoder, length);
  if (values) for (const value of values) writeValue(encoder, value);
}

/** A name of our own: a lane, the log, a key. All of them are ASCII, and so short that a library's way costs more than the loop. */
function writeName(encoder: encoding.Encoder, name: string): void {
  encoding.writeVarUint(encoder, name.length);
  for (let i = 0; i < name.length; i++) encoding.write(encoder, name.charCodeAt(i));
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** What lib0 would write. Text of ASCII is written here: a text encoder is dear to call, for a message's two strings more than all the rest. */
function writeValue(encoder: encoding.Encoder, value: Plain): void {
  if (typeof value === 'string' && isAscii(value)) {
    encoding.write(encoder, VALUE.text);
    writeName(encoder, value);
  } else if (Array.isArray(value)) {
    encoding.write(encoder, VALUE.list);
    encoding.writeVarUint(encoder, value.length);
    for (const item of value) writeValue(encoder, item);
  } else encoding.writeAny(encoder, value);
}

/** One list for each client id, from the highest down; within it the order stays. */
function byClient<T extends Id>(list: readonly T[]): T[][] {
  const groups = new Map<number, T[]>();
  let group: T[] = [];
  for (const item of list) {
    if (group[0]?.client !== item.client) {
      group = groups.get(item.client) ?? [];
      if (group.length === 0) groups.set(item.client, group);
    }
    group.push(item);
  }
  return [...groups.values()].sort((a, b) => b[0]!.client - a[0]!.client);
}

interface Range extends Id {
  length: number;
}

/** Sorted by clock; what touches or overlaps becomes one. */
function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.clock - b.clock)) {
    const last = merged.at(-1);
    if (last && last.clock + last.length >= range.clock) last.length = Math.max(last.length, range.clock + range.length - last.clock);
    else merged.push({ ...range });
  }
  return merged;
}

/** Buffers are what encoding costs: this one is used for every update, and what is made in it is copied out before anybody else runs. */
const scratch = encoding.createEncoder();
scratch.cbuf = new Uint8Array(64 * 1024);

/**
 * The canonical update (A8): structs in order of clock, clients from the highest id down as Yjs writes them, and a delete set without
 * overlaps. Equal content gives equal bytes.
 */
export function encodeUpdate(structs: readonly EncodableStruct[], deletes: readonly Range[]): Uint8Array {
  const encoder = scratch;
  encoder.cpos = 0;
  encoder.bufs = [];
  const blocks = byClient(structs);
  encoding.writeVarUint(encoder, blocks.length);
  for (const block of blocks) {
    encoding.writeVarUint(encoder, block.length);
    writeId(encoder, block[0]!);
    for (const struct of block) writeStruct(encoder, struct);
  }
  const sets = byClient(deletes);
  encoding.writeVarUint(encoder, sets.length);
  for (const ranges of sets) {
    const merged = mergeRanges(ranges);
    encoding.writeVarUint(encoder, ranges[0]!.client);
    encoding.writeVarUint(encoder, merged.length);
    for (const { clock, length } of merged) writeId(encoder, { client: clock, clock: length });
  }
  return encoder.bufs.length === 0 ? encoder.cbuf.slice(0, encoder.cpos) : encoding.toUint8Array(encoder);
}
