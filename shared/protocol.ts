import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { NEUTRALISED, type Neutralised } from './close-codes.ts';

/**
 * The wire of one document (W1): every WebSocket frame is one y-websocket message.
 *
 *   client                       server
 *     |<------ sync 0 · step 1 -----|   the server's state vector, first thing after opening
 *     |------- sync 0 · step 1 ---->|
 *     |<------ sync 0 · step 2 -----|   what the client lacks
 *     |------- sync 0 · step 2 ---->|   what the server lacks: one update, judged by accept
 *     |------- sync 0 · update ---->|   later changes
 *     |<------ sync 0 · update -----|   committed updates, own ones included
 *     |<------ 120 ack -------------|   own structs that are committed   (only with sub-protocol homing.1)
 *     |<------ 121 told ------------|   own structs that were neutralised, before the ack that covers them (ditto)
 *     |<-----> 1 awareness ---------|   root only; the empty one (1,1,0) keeps any channel alive
 */
export const MESSAGE = { sync: 0, awareness: 1, auth: 2, queryAwareness: 3, ack: 120, told: 121 } as const;
export const SYNC = { step1: 0, step2: 1, update: 2 } as const;

/** A Yjs client id with the next clock that it will use: an entry of a state vector. */
export type ClientClock = [client: number, clock: number];

/** A number as a client wrote it. Throws on what is none: with enough digits lib0 reads NaN, or infinity, which it cannot write again. */
export function readNumber(decoder: decoding.Decoder): number {
  const number = decoding.readVarUint(decoder);
  if (!Number.isSafeInteger(number)) throw new RangeError('no number');
  return number;
}

/** Up to which clock the writer's client ids are committed (W3). */
export function encodeAck(committed: readonly ClientClock[]): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, MESSAGE.ack);
    encoding.writeVarUint(encoder, committed.length);
    for (const [client, clock] of committed) {
      encoding.writeVarUint(encoder, client);
      encoding.writeVarUint(encoder, clock);
    }
  });
}

/** Reads an ack's payload, after its type. Throws on bytes that are not one. */
export function decodeAck(decoder: decoding.Decoder): ClientClock[] {
  const count = decoding.readVarUint(decoder);
  const committed: ClientClock[] = [];
  for (let i = 0; i < count; i++) committed.push([decoding.readVarUint(decoder), decoding.readVarUint(decoder)]);
  return committed;
}

/** One entry that was committed as a tombstone, and why (A6). */
export interface Told {
  client: number;
  clock: number;
  code: Neutralised;
}

/** What was neutralised (W3). */
export function encodeTold(entries: readonly Told[]): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, MESSAGE.told);
    encoding.writeVarUint(encoder, entries.length);
    for (const { client, clock, code } of entries) {
      encoding.writeVarUint(encoder, client);
      encoding.writeVarUint(encoder, clock);
      encoding.writeVarString(encoder, code);
    }
  });
}

/** Reads a told's payload, after its type. A code of a newer server reads as `closed`: the unique id settles it. Throws on bytes that are not one. */
export function decodeTold(decoder: decoding.Decoder): Told[] {
  const count = decoding.readVarUint(decoder);
  const entries: Told[] = [];
  for (let i = 0; i < count; i++) {
    const client = decoding.readVarUint(decoder);
    const clock = decoding.readVarUint(decoder);
    const text = decoding.readVarString(decoder);
    entries.push({ client, clock, code: NEUTRALISED.find((code) => code === text) ?? 'closed' });
  }
  return entries;
}

const sync = (type: number, payload: Uint8Array): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, MESSAGE.sync);
    encoding.writeVarUint(encoder, type);
    encoding.writeVarUint8Array(encoder, payload);
  });

/** A sync step 1 message around an encoded state vector. */
export const encodeStep1 = (stateVector: Uint8Array): Uint8Array => sync(SYNC.step1, stateVector);
/** A sync step 2 message around an update. */
export const encodeStep2 = (update: Uint8Array): Uint8Array => sync(SYNC.step2, update);
/** A sync update message around an update. */
export const encodeUpdate = (update: Uint8Array): Uint8Array => sync(SYNC.update, update);

/** Asks for all awareness that one may see (P7). */
export const QUERY_AWARENESS = Uint8Array.of(MESSAGE.queryAwareness);
/** The awareness message that names nobody; it only breaks a channel's silence (W5). */
export const EMPTY_AWARENESS = Uint8Array.of(MESSAGE.awareness, 1, 0);

/** One awareness entry; `state` null: gone. */
export interface AwarenessEntry {
  client: number;
  clock: number;
  state: unknown;
}

/** An awareness message. */
export function encodeAwareness(entries: readonly AwarenessEntry[]): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, MESSAGE.awareness);
    encoding.writeVarUint8Array(
      encoder,
      encoding.encode((inner) => {
        encoding.writeVarUint(inner, entries.length);
        for (const { client, clock, state } of entries) {
          encoding.writeVarUint(inner, client);
          encoding.writeVarUint(inner, clock);
          encoding.writeVarString(inner, JSON.stringify(state));
        }
      }),
    );
  });
}
