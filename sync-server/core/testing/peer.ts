import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import {
  type AwarenessEntry,
  type ClientClock,
  MESSAGE,
  SYNC,
  type Told,
  decodeAck,
  decodeTold,
  encodeAwareness,
  encodeStep1,
  encodeStep2,
  encodeUpdate,
} from '../../../shared/protocol.ts';
import type { Socket } from '../ports.ts';
import type { Session } from '../session/session.ts';
import { type FakeSocket, fakeSocket } from './fake-socket.ts';

/** A hand-driven client on one document: keeps a `Y.Doc` in step, and everything that it was sent. */
export interface Peer {
  readonly doc: Y.Doc;
  readonly session: Session;
  /** Every message as it came. */
  readonly messages: Uint8Array[];
  readonly acks: ClientClock[];
  readonly told: Told[];
  /** What came, by kind and in order. */
  readonly order: string[];
  /** Awareness states of others by client id; gone ones are left out. */
  readonly states: Map<number, { clock: number; state: Record<string, unknown> }>;
  /** The close code and reason, once the server closed. */
  readonly closed: { code: number; reason: string } | null;
  readonly socket: FakeSocket;
  /** Changes the document and sends what changed as one update. */
  change(write: (doc: Y.Doc) => void): void;
  send(frame: Uint8Array): void;
  sayHere(client: number, state: unknown, clock?: number): void;
}

export function makePeer(open: (socket: Socket) => Session): Peer {
  const doc = new Y.Doc();
  const states: Peer['states'] = new Map();
  let closed: Peer['closed'] = null;
  const socket = fakeSocket({ send: receive, close: (code, reason) => void (closed ??= { code, reason }) });
  const session = open(socket);
  const peer: Peer = {
    doc,
    session,
    messages: [],
    acks: [],
    told: [],
    order: [],
    states,
    get closed() {
      return closed;
    },
    socket,
    change(write) {
      const before = Y.encodeStateVector(doc);
      doc.transact(() => write(doc));
      session.receive(encodeUpdate(Y.encodeStateAsUpdate(doc, before)));
    },
    send: (frame) => session.receive(frame),
    sayHere: (client, state, clock = 1) => session.receive(encodeAwareness([{ client, clock, state }])),
  };

  function receive(frame: Uint8Array): void {
    peer.messages.push(frame);
    const decoder = decoding.createDecoder(frame);
    const type = decoding.readVarUint(decoder);
    if (type === MESSAGE.ack) {
      peer.order.push('ack');
      peer.acks.push(...decodeAck(decoder));
    } else if (type === MESSAGE.told) {
      peer.order.push('told');
      peer.told.push(...decodeTold(decoder));
    } else if (type === MESSAGE.awareness) receiveAwareness(decoding.createDecoder(decoding.readVarUint8Array(decoder)));
    else receiveSync(decoder);
  }

  function receiveSync(decoder: decoding.Decoder): void {
    const type = decoding.readVarUint(decoder);
    const payload = decoding.readVarUint8Array(decoder);
    peer.order.push(`sync ${type}`);
    if (type !== SYNC.step1) return Y.applyUpdate(doc, payload, 'server');
    session.receive(encodeStep1(Y.encodeStateVector(doc)));
    session.receive(encodeStep2(Y.encodeStateAsUpdate(doc, payload)));
  }

  function receiveAwareness(decoder: decoding.Decoder): void {
    const count = decoding.readVarUint(decoder);
    if (count === 0) peer.order.push('keep-alive');
    for (let i = 0; i < count; i++) {
      const entry: AwarenessEntry = {
        client: decoding.readVarUint(decoder),
        clock: decoding.readVarUint(decoder),
        state: JSON.parse(decoding.readVarString(decoder)) as unknown,
      };
      peer.order.push(`awareness ${entry.client}`);
      if (entry.state === null) states.delete(entry.client);
      else states.set(entry.client, { clock: entry.clock, state: entry.state as Record<string, unknown> });
    }
  }

  return peer;
}

/** A step 2 that holds nothing. */
export const EMPTY_STEP2 = encodeStep2(Y.encodeStateAsUpdate(new Y.Doc()));
export const frame = (...values: number[]): Uint8Array => Uint8Array.from(values);
export const wrap = (type: number, payload: Uint8Array): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, MESSAGE.sync);
    encoding.writeVarUint(encoder, type);
    encoding.writeVarUint8Array(encoder, payload);
  });
