/** A `WebSocket` of one document, for stock `WebsocketProvider`s, and the end of it that its carrier holds. */
export interface VirtualSocket {
  readonly documentId: string;
  /** The document's sync step 1 of now. */
  readonly step1: () => Uint8Array;
  isOpen: () => boolean;
  isClosed: () => boolean;
  opened: () => void;
  received: (message: Uint8Array) => void;
  closed: (code: number, reason: string) => void;
}

/** What carries virtual sockets to the server. */
export interface Carrier {
  add: (socket: VirtualSocket) => void;
  send: (socket: VirtualSocket, message: Uint8Array) => void;
  /** Its owner closed it. */
  remove: (socket: VirtualSocket) => void;
}

const STATE = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 } as const;
const toBytes = (data: ArrayBuffer | Uint8Array): Uint8Array => (data instanceof Uint8Array ? data.slice() : new Uint8Array(data.slice(0)));

/**
 * The constructor of one document's sockets. They stay "connecting" until the server has opened the document, however long that is: there
 * is one back-off, that of the real connection. Constants stand on the instance, where the provider looks; each message is a buffer of its own.
 */
export function makeSocketFor(carrier: Carrier): (documentId: string, step1: () => Uint8Array) => typeof WebSocket {
  return (documentId, step1) => {
    function Socket(): object {
      let state: number = STATE.CONNECTING;
      const face = {
        ...STATE,
        binaryType: 'arraybuffer',
        onopen: null as (() => void) | null,
        onmessage: null as ((event: { data: ArrayBufferLike }) => void) | null,
        onclose: null as ((event: { code: number; reason: string }) => void) | null,
        onerror: null as (() => void) | null,
        get readyState(): number {
          return state;
        },
        send(data: ArrayBuffer | Uint8Array): void {
          if (state === STATE.OPEN) carrier.send(end, toBytes(data));
        },
        close(): void {
          if (state === STATE.CLOSED) return;
          state = STATE.CLOSED;
          carrier.remove(end);
        },
      };
      const end: VirtualSocket = {
        documentId,
        step1,
        isOpen: () => state === STATE.OPEN,
        isClosed: () => state === STATE.CLOSED,
        opened() {
          if (state !== STATE.CONNECTING) return;
          state = STATE.OPEN;
          face.onopen?.();
        },
        received(message) {
          if (state === STATE.OPEN) face.onmessage?.({ data: message.slice().buffer });
        },
        closed(code, reason) {
          if (state === STATE.CLOSED) return;
          state = STATE.CLOSED;
          face.onclose?.({ code, reason });
        },
      };
      carrier.add(end);
      return face;
    }
    return Socket as unknown as typeof WebSocket;
  };
}
