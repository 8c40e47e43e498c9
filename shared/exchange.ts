import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';

/** The body of an HTTP exchange (W12), both ways: y-websocket messages, each as a `varuint8array`. */
export const encodeExchange = (messages: readonly Uint8Array[]): Uint8Array =>
  encoding.encode((encoder) => {
    for (const message of messages) encoding.writeVarUint8Array(encoder, message);
  });

/** Reads such a body, each message as a copy of its own; null for bytes that are none. */
export function decodeExchange(bytes: Uint8Array): Uint8Array[] | null {
  const decoder = decoding.createDecoder(bytes);
  const messages: Uint8Array[] = [];
  try {
    while (decoding.hasContent(decoder)) messages.push(decoding.readVarUint8Array(decoder).slice());
    return messages;
  } catch {
    return null;
  }
}
