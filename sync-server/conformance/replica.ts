import * as decoding from 'lib0/decoding';
import { WebSocket as NodeSocket } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import type { Uuid } from '../../shared/ids.ts';
import { type ClientClock, MESSAGE, type Told, decodeAck, decodeTold } from '../../shared/protocol.ts';
import { type SegmentMessage, readMessages } from '../../shared/segment.ts';
import type { Server } from './server-process.ts';

/** What a connection hears of its own structs, in order of arrival. */
export type Heard = { kind: 'ack'; committed: ClientClock[] } | { kind: 'told'; entries: Told[] };

/** One document in an unmodified `WebsocketProvider`, with a record of what went on. */
export interface Replica {
  doc: Y.Doc;
  provider: WebsocketProvider;
  /** Acks and tolds, whether asked for or not. */
  heard: Heard[];
  /** Codes and reasons of closed connections; null: closed by the provider itself. */
  closes: ({ code: number; reason: string } | null)[];
  /** Client ids named by awareness messages of the server. */
  announced: Set<number>;
  messages(): SegmentMessage[];
  close(): void;
}

export interface ReplicaOptions {
  doc?: Y.Doc;
  protocols?: string[];
  connect?: boolean;
  /** What to dial with instead of a socket of its own. */
  WebSocketPolyfill?: typeof WebSocket;
  /** Called when something was heard. */
  onHeard?: (heard: Heard) => void;
}

/** The way to give a stock provider a header, which browsers have no need of. */
function socketOf(who: { token: string }, onFrame: (frame: Uint8Array) => void): typeof WebSocket {
  class TokenSocket extends NodeSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols, { headers: { authorization: `Bearer ${who.token}` } });
      this.on('message', (frame: ArrayBuffer) => onFrame(new Uint8Array(frame)));
    }
  }
  return TokenSocket as unknown as typeof WebSocket;
}

/** The client ids that an awareness message names; null for other messages. */
export function readAwarenessClients(frame: Uint8Array): number[] | null {
  const decoder = decoding.createDecoder(frame);
  if (decoding.readVarUint(decoder) !== MESSAGE.awareness) return null;
  const inner = decoding.createDecoder(decoding.readVarUint8Array(decoder));
  return Array.from({ length: decoding.readVarUint(inner) }, () => {
    const client = decoding.readVarUint(inner);
    decoding.readVarUint(inner);
    decoding.readVarString(inner);
    return client;
  });
}

/** Opens a document as `who`, with the token that they hold whenever it dials. */
export function openReplica(
  server: Pick<Server, 'syncUrl'>,
  who: { token: string; id: Uuid },
  documentId: string,
  options: ReplicaOptions = {},
): Replica {
  const { doc = new Y.Doc(), protocols = [], connect = true, onHeard } = options;
  const heard: Heard[] = [];
  const closes: Replica['closes'] = [];
  const announced = new Set<number>();
  const provider = new WebsocketProvider(server.syncUrl, documentId, doc, {
    connect: false,
    protocols,
    disableBc: true,
    maxBackoffTime: 500,
    WebSocketPolyfill:
      options.WebSocketPolyfill ??
      socketOf(who, (frame) => {
        for (const client of readAwarenessClients(frame) ?? []) announced.add(client);
      }),
  });
  const hear = (one: Heard): void => {
    heard.push(one);
    onHeard?.(one);
  };
  provider.messageHandlers[MESSAGE.ack] = (_, decoder) => hear({ kind: 'ack', committed: decodeAck(decoder) });
  provider.messageHandlers[MESSAGE.told] = (_, decoder) => hear({ kind: 'told', entries: decodeTold(decoder) });
  provider.on('connection-close', (event) => closes.push(event && { code: event.code, reason: event.reason }));
  if (connect) provider.connect();
  return {
    doc,
    provider,
    heard,
    closes,
    announced,
    messages: () => readMessages(doc),
    close() {
      provider.awareness.destroy();
      provider.destroy();
      doc.destroy();
    },
  };
}
