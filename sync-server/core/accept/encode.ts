import * as encoding from 'lib0/encoding';
import { laneName } from '../../../shared/segment.ts';
import type { Entry } from './overlay.ts';
import type { Id, Plain } from './stored.ts';

const DELETED = 1;
const ANY = 8;
const HAS_PARENT_SUB = 0x20;
const HAS_ORIGIN = 0x80;

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
  root: laneName(slot.lane.owner),
  key: slot.key,
  values: deleted ? null : [value],
});

const writeId = (encoder: encoding.Encoder, { client, clock }: Id): void => {
  encoding.writeVarUint(encoder, client);
  encoding.writeVarUint(encoder, clock);
};

function writeStruct(encoder: encoding.Encoder, { length, origin, root, key, values }: EncodableStruct): void {
  encoding.writeUint8(encoder, (values ? ANY : DELETED) | (origin ? HAS_ORIGIN : 0) | (key === null ? 0 : HAS_PARENT_SUB));
  if (origin) writeId(encoder, origin);
  else {
    encoding.writeVarUint(encoder, 1);
    encoding.writeVarString(encoder, root);
    if (key !== null) encoding.writeVarString(encoder, key);
  }
  encoding.writeVarUint(encoder, length);
  for (const value of values ?? []) encoding.writeAny(encoder, value);
}

function byClient<T extends Id>(list: readonly T[]): [client: number, list: T[]][] {
  const clients = new Map<number, T[]>();
  for (const item of list) {
    const known = clients.get(item.client);
    if (known) known.push(item);
    else clients.set(item.client, [item]);
  }
  return [...clients].sort((a, b) => b[0] - a[0]);
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

/**
 * The canonical update (A8): structs in order of clock, clients from the highest id down as Yjs writes them, and a delete set without
 * overlaps. Equal content gives equal bytes.
 */
export function encodeUpdate(structs: readonly EncodableStruct[], deletes: readonly Range[]): Uint8Array {
  return encoding.encode((encoder) => {
    const blocks = byClient(structs);
    encoding.writeVarUint(encoder, blocks.length);
    for (const [, block] of blocks) {
      encoding.writeVarUint(encoder, block.length);
      writeId(encoder, block[0]!);
      for (const struct of block) writeStruct(encoder, struct);
    }
    const sets = byClient(deletes);
    encoding.writeVarUint(encoder, sets.length);
    for (const [client, ranges] of sets) {
      const merged = mergeRanges(ranges);
      encoding.writeVarUint(encoder, client);
      encoding.writeVarUint(encoder, merged.length);
      for (const { clock, length } of merged) writeId(encoder, { client: clock, clock: length });
    }
  });
}
