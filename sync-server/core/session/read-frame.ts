import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';

/** The one byte array that ends a message, as a copy of its own (A1). Throws when something follows it (W8). */
export function wholePayload(decoder: decoding.Decoder): Uint8Array {
  const payload = decoding.readVarUint8Array(decoder).slice();
  if (decoding.hasContent(decoder)) throw new RangeError('bytes after the message');
  return payload;
}

/** A state vector of at most `most` client ids (W6); null for anything else. */
export function readStateVector(bytes: Uint8Array, most: number): Map<number, number> | null {
  const count = decoding.readVarUint(decoding.createDecoder(bytes));
  return count > most || count * 2 > bytes.byteLength ? null : Y.decodeStateVector(bytes);
}
