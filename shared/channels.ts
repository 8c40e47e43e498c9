import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { readNumber } from './protocol.ts';

/**
 * Many documents over one socket, `GET /api/sync` (W9): `varuint channel, u8 op, payload`.
 *
 *   client                            server
 *     |------ n · 0 open(id) ----------->|   n rises from 1 and is never used again on this socket
 *     |<----- n · 3 opened --------------|   nothing of the document comes before it
 *     |<----> n · 1 data ----------------|   one y-websocket message, unchanged; acks are always on
 *     |<----> n · 2 close(code, reason) -|   that channel only; the table is `close-codes.ts`
 *     |<----> 0 · 1 data ----------------|   the inbox: JSON text (`inbox.ts`)
 */
export type ChannelFrame =
  | { op: 'open'; channel: number; documentId: string }
  | { op: 'data'; channel: number; payload: Uint8Array }
  | { op: 'close'; channel: number; code: number; reason: string }
  | { op: 'opened'; channel: number };

const OP = { open: 0, data: 1, close: 2, opened: 3 } as const;
/** The channel that is always open. */
export const INBOX_CHANNEL = 0;

/** One frame of `/api/sync`. */
export function encodeChannelFrame(frame: ChannelFrame): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, frame.channel);
    encoding.writeUint8(encoder, OP[frame.op]);
    switch (frame.op) {
      case 'open':
        return encoding.writeVarString(encoder, frame.documentId);
      case 'data':
        return encoding.writeUint8Array(encoder, frame.payload);
      case 'close':
        encoding.writeVarUint(encoder, frame.code);
        return encoding.writeVarString(encoder, frame.reason);
      case 'opened':
        return;
    }
  });
}

/** Reads a frame; null for bytes that are none. A payload of data is a copy of its own. */
export function decodeChannelFrame(bytes: Uint8Array): ChannelFrame | null {
  try {
    const decoder = decoding.createDecoder(bytes);
    const channel = readNumber(decoder);
    const op = decoding.readUint8(decoder);
    if (op === OP.data) return { op: 'data', channel, payload: bytes.slice(decoder.pos) };
    const frame = readRest(decoder, channel, op);
    return decoding.hasContent(decoder) ? null : frame;
  } catch {
    return null;
  }
}

function readRest(decoder: decoding.Decoder, channel: number, op: number): ChannelFrame | null {
  switch (op) {
    case OP.open:
      return { op: 'open', channel, documentId: decoding.readVarString(decoder) };
    case OP.close:
      return { op: 'close', channel, code: readNumber(decoder), reason: decoding.readVarString(decoder) };
    case OP.opened:
      return { op: 'opened', channel };
    default:
      return null;
  }
}
