import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { LIMITS } from '../../../shared/limits.ts';
import { MESSAGE, SYNC } from '../../../shared/protocol.ts';
import { checkUpdate } from '../accept/check.ts';

/** A frame from a client: what it asks or says, or why it is none. */
export type ClientMessage =
  | { kind: 'question'; vector: Uint8Array }
  /** Checked, not decoded (A1). */
  | { kind: 'update'; update: Uint8Array }
  | { kind: 'presence'; update: Uint8Array }
  | { kind: 'who is here' }
  | { kind: 'bad'; close: 'tooLarge' | 'refused' };

const MALFORMED: ClientMessage = { kind: 'bad', close: 'refused' };
const TOO_LARGE: ClientMessage = { kind: 'bad', close: 'tooLarge' };

/** Reads one y-websocket message (W1, W6, W8). It never throws. */
export function readFrame(frame: Uint8Array): ClientMessage {
  try {
    const decoder = decoding.createDecoder(frame);
    const type = decoding.readVarUint(decoder);
    if (type === MESSAGE.sync) return readSync(decoder, frame.byteLength);
    if (frame.byteLength > LIMITS.frame) return TOO_LARGE;
    if (type === MESSAGE.awareness) return { kind: 'presence', update: wholePayload(decoder) };
    return type === MESSAGE.queryAwareness && !decoding.hasContent(decoder) ? { kind: 'who is here' } : MALFORMED;
  } catch {
    return MALFORMED;
  }
}

function readSync(decoder: decoding.Decoder, size: number): ClientMessage {
  const type = decoding.readVarUint(decoder);
  const payload = wholePayload(decoder);
  if (type === SYNC.step1) return { kind: 'question', vector: payload };
  if (type !== SYNC.step2 && type !== SYNC.update) return MALFORMED;
  if (type === SYNC.update && (size > LIMITS.frame || payload.byteLength > LIMITS.update)) return TOO_LARGE;
  return checkUpdate(payload) ? { kind: 'update', update: payload } : MALFORMED;
}

/** The one byte array that ends a message, as a copy of its own (A1). Throws when something follows it (W8). */
function wholePayload(decoder: decoding.Decoder): Uint8Array {
  const payload = decoding.readVarUint8Array(decoder).slice();
  if (decoding.hasContent(decoder)) throw new RangeError('bytes after the message');
  return payload;
}

/** A state vector of at most `most` client ids (W6); null for anything else. */
export function readStateVector(bytes: Uint8Array, most: number): Map<number, number> | null {
  try {
    const count = decoding.readVarUint(decoding.createDecoder(bytes));
    return count > most || count * 2 > bytes.byteLength ? null : Y.decodeStateVector(bytes);
  } catch {
    return null;
  }
}
