import * as decoding from 'lib0/decoding';
import { LIMITS } from '../../../shared/limits.ts';
import { readNumber } from '../../../shared/protocol.ts';

/** Entries that one awareness frame may hold: a stock client relays those it knows. */
const FRAME_ENTRIES = 1_024;

/**
 * Reads an awareness update, after its message type: calls `take` for each entry that is not too long (P2), with its state as text. Throws
 * on bytes that are none, and what `take` throws.
 */
export function readAwareness(update: Uint8Array, take: (client: number, json: () => string) => void): void {
  const decoder = decoding.createDecoder(update);
  const count = readNumber(decoder);
  if (count > FRAME_ENTRIES) throw new RangeError('too many awareness entries');
  for (let i = 0; i < count; i++) {
    const client = readNumber(decoder);
    readNumber(decoder);
    const text = decoding.readVarUint8Array(decoder);
    if (text.byteLength <= LIMITS.awareness) take(client, () => new TextDecoder().decode(text));
  }
  if (decoding.hasContent(decoder)) throw new RangeError('bytes after the awareness update');
}

/** What of a state is taken (P2); null: its owner is gone. Throws on what is no state. */
export function readState(json: string): { typing: boolean; read: number } | null {
  const state: unknown = JSON.parse(json);
  if (state === null) return null;
  if (typeof state !== 'object') throw new TypeError('an awareness state that is no object');
  const { typing, read } = state as { typing?: unknown; read?: unknown };
  return { typing: typing === true, read: typeof read === 'number' && Number.isSafeInteger(read) ? read : 0 };
}
