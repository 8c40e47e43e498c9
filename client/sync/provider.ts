import * as decoding from 'lib0/decoding';
import { Awareness } from 'y-protocols/awareness';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import type { Clock } from '../../shared/clock.ts';
import { CLOSE } from '../../shared/close-codes.ts';
import { SUB_PROTOCOL } from '../../shared/protocol-version.ts';
import { type ClientClock, MESSAGE, SYNC, type Told, decodeAck, decodeTold, encodeStep1 } from '../../shared/protocol.ts';
import type { Renewal } from './api.ts';

/** What a provider tells its replica. */
export interface ProviderEvents {
  /** The server's step 2 of this connection has been applied. */
  synced: () => void;
  /** The connection is gone; the provider tries again by itself. */
  lost: () => void;
  /** The server holds these client ids up to these clocks: its acks, its step 1 and all that it sends say so (W3). */
  committed: (clocks: readonly ClientClock[]) => void;
  told: (entries: readonly Told[]) => void;
  /** Closed for good, with a code of `close-codes.ts`. */
  ended: (code: number, reason: string) => void;
}

/** One document's way to the server. */
export interface Provider {
  awareness: Awareness;
  /** Dials, not before what the device holds is in the document; anew where it came late: nothing else would make it leave. */
  connect: () => void;
  close: () => void;
}

/** The origin of changes that this tab makes: they alone leave as updates. What a copy on the device adds leaves by step 2. */
export const OWN_CHANGE = Symbol('own change');

export type OpenProvider = (documentId: string, doc: Y.Doc, on: ProviderEvents) => Provider;

interface Deps {
  /** The way of one document to the server; `step1` makes its sync step 1 of now. */
  socketFor: (documentId: string, step1: () => Uint8Array) => typeof WebSocket;
  /** Renews the session after 4501. */
  renew: () => Promise<Renewal>;
  clock: Clock;
}

const RENEW_AGAIN_MS = 3_000;

/** Stock `WebsocketProvider`s, each over its own channel of the one socket. An expired session is renewed over HTTP, then they come back (S4). */
export const makeOpenProvider =
  ({ socketFor, renew, clock }: Deps): OpenProvider =>
  (documentId, doc, on) => {
    const awareness = new Awareness(doc);
    awareness.setLocalState(null);
    const provider = new WebsocketProvider('channel:', documentId, doc, {
      awareness,
      connect: false,
      WebSocketPolyfill: socketFor(documentId, () => encodeStep1(Y.encodeStateVector(doc))),
      disableBc: true,
      protocols: [SUB_PROTOCOL],
      shouldReconnect: ({ code }) => code !== CLOSE.expired.code && (code < 4400 || code > 4499),
    });
    let closed = false;
    let cancelRetry = (): void => {};

    const readSync = provider.messageHandlers[MESSAGE.sync]!;
    provider.messageHandlers[MESSAGE.sync] = (encoder, decoder, ...rest) => {
      const start = decoder.pos;
      const type = decoding.readVarUint(decoder);
      const payload = decoding.readVarUint8Array(decoder);
      // Whatever comes from the server is committed: with a lost copy, own structs come back so, and no ack will ever name them.
      const held = type === SYNC.step1 ? Y.decodeStateVector(payload) : Y.parseUpdateMeta(payload).to;
      // But what this connection wrote has its ack behind it, and before that the word of what was not taken (W3).
      if (type === SYNC.update) held.delete(doc.clientID);
      decoder.pos = start;
      readSync(encoder, decoder, ...rest);
      on.committed([...held]);
    };
    provider.messageHandlers[MESSAGE.ack] = (_encoder, decoder) => on.committed(decodeAck(decoder));
    provider.messageHandlers[MESSAGE.told] = (_encoder, decoder) => on.told(decodeTold(decoder));

    doc.off('update', provider._updateHandler);
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === OWN_CHANGE) provider._updateHandler(update, origin);
    });

    // The stock provider also sends back what others' entries say; the server would only skip it (P3).
    awareness.off('update', provider._awarenessUpdateHandler);
    awareness.on('update', (changes: unknown, origin: unknown) => {
      if (origin === 'local') provider._awarenessUpdateHandler(changes, origin);
    });

    async function renewAndComeBack(): Promise<void> {
      const renewal = await renew();
      if (closed) return;
      if (renewal === 'renewed') provider.connect();
      else if (renewal === 'signed-out') on.ended(CLOSE.unauthorized.code, '');
      else cancelRetry = clock.after(RENEW_AGAIN_MS, () => void renewAndComeBack());
    }

    provider.on('sync', (synced) => (synced ? on.synced() : on.lost()));
    provider.on('closed', ({ code, reason }) => {
      if (code === CLOSE.expired.code) void renewAndComeBack();
      else on.ended(code, reason);
    });

    return {
      awareness,
      connect() {
        if (provider.shouldConnect) provider.disconnect();
        provider.connect();
      },
      close() {
        closed = true;
        cancelRetry();
        awareness.destroy();
        provider.destroy();
      },
    };
  };
