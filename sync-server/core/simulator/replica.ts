import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import * as syncProtocol from 'y-protocols/sync';
import * as Y from 'yjs';
import { MESSAGE, SYNC, decodeAck, decodeTold, encodeStep1, encodeUpdate, type Told } from '../../../shared/protocol.ts';
import type { Link } from './link.ts';

/** A device's copy of one document, kept in step as the stock y-websocket provider does it. */
export interface Replica {
  readonly doc: Y.Doc;
  /** Has had a step 2 on this connection. */
  synced(): boolean;
  connected(): boolean;
  connect(dial: (client: { receive(frame: Uint8Array): void; closed(code: number, reason: string): void }) => Link): void;
  cut(): void;
  /** Up to which clock the server holds a client id, as its acks, its step 1 and what it sent told. */
  held(client: number): number;
}

const REMOTE = 'remote';

export function makeReplica(
  clientId: number,
  stored: Uint8Array | null,
  on: { told(entries: Told[]): void; changed(): void; closed(code: number, reason: string): void },
): Replica {
  const doc = new Y.Doc();
  if (stored) Y.applyUpdate(doc, stored, REMOTE);
  doc.clientID = clientId;
  let link: Link | null = null;
  let synced = false;
  const held = new Map<number, number>();

  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin !== REMOTE) link?.send(encodeUpdate(update));
  });

  function receive(frame: Uint8Array): void {
    const decoder = decoding.createDecoder(frame);
    switch (decoding.readVarUint(decoder)) {
      case MESSAGE.sync:
        receiveSync(decoder, frame);
        break;
      case MESSAGE.ack:
        holds(decodeAck(decoder));
        break;
      case MESSAGE.told:
        on.told(decodeTold(decoder));
    }
    on.changed();
  }

  function holds(clocks: Iterable<[client: number, clock: number]>): void {
    for (const [client, clock] of clocks) held.set(client, Math.max(clock, held.get(client) ?? 0));
  }

  function receiveSync(decoder: decoding.Decoder, frame: Uint8Array): void {
    const type = frame[1];
    const peek = decoding.createDecoder(frame.subarray(2));
    const payload = decoding.readVarUint8Array(peek);
    // Whatever comes from the server is committed: its state vector, and the structs it sends.
    holds(type === SYNC.step1 ? Y.decodeStateVector(payload) : Y.parseUpdateMeta(payload).to);
    const answer = encoding.createEncoder();
    encoding.writeVarUint(answer, MESSAGE.sync);
    syncProtocol.readSyncMessage(decoder, answer, doc, REMOTE, (error) => {
      throw error;
    });
    if (encoding.length(answer) > 1) link?.send(encoding.toUint8Array(answer));
    if (type === SYNC.step2) synced = true;
  }

  return {
    doc,
    synced: () => synced,
    connected: () => link !== null,
    held: (client) => held.get(client) ?? 0,
    connect(dial) {
      synced = false;
      link = dial({
        receive,
        closed(code, reason) {
          link = null;
          synced = false;
          on.closed(code, reason);
        },
      });
      link.send(encodeStep1(Y.encodeStateVector(doc)));
    },
    cut: () => link?.cut(),
  };
}
