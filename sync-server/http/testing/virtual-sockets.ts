import { WebSocket } from 'ws';
import { type ChannelFrame, INBOX_CHANNEL, decodeChannelFrame, encodeChannelFrame } from '../../../shared/channels.ts';
import { type InboxAnswer, type InboxRequest, decodeInboxAnswer, encodeInbox } from '../../../shared/inbox.ts';

/** One real socket to `GET /api/sync`, and sockets within it for stock providers; dialled again when one asks after it was lost. */
export interface VirtualSockets {
  /** For `WebsocketProvider`'s option of that name. */
  WebSocketPolyfill: typeof globalThis.WebSocket;
  say(request: InboxRequest): void;
  /** What the inbox said so far. */
  inbox: InboxAnswer[];
  /** The real socket's close codes. */
  closes: number[];
  /** How many real sockets were dialled. */
  dialled(): number;
  cut(): void;
  close(): void;
}

const [CONNECTING, OPEN, CLOSED] = [0, 1, 3] as const;

interface Virtual {
  readyState: number;
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: (() => void) | null;
  send(data: Uint8Array): void;
  close(): void;
}

export function makeVirtualSockets(url: string, token: string): VirtualSockets {
  const inbox: InboxAnswer[] = [];
  const closes: number[] = [];
  let sockets = new Map<number, Virtual>();
  let real: WebSocket | null = null;
  let waiting: ChannelFrame[] = [];
  let lastChannel = 0;
  let dialled = 0;
  let over = false;

  function dial(): WebSocket {
    if (real) return real;
    const socket = new WebSocket(url, { headers: { Authorization: `Bearer ${token}` } });
    socket.binaryType = 'arraybuffer';
    socket.on('message', (bytes: ArrayBuffer) => receive(decodeChannelFrame(new Uint8Array(bytes))!));
    socket.on('open', () => waiting.splice(0).forEach(send));
    socket.on('error', () => {});
    socket.on('close', (code) => {
      closes.push(code);
      const lost = sockets;
      sockets = new Map();
      lastChannel = 0;
      waiting = [];
      real = null;
      for (const virtual of lost.values()) finish(virtual, 1006, '');
    });
    dialled++;
    return (real = socket);
  }

  function send(frame: ChannelFrame): void {
    const socket = dial();
    if (socket.readyState === OPEN) socket.send(encodeChannelFrame(frame));
    else waiting.push(frame);
  }

  function receive(frame: ChannelFrame): void {
    if (frame.channel === INBOX_CHANNEL && frame.op === 'data') inbox.push(decodeInboxAnswer(frame.payload)!);
    const virtual = sockets.get(frame.channel);
    if (!virtual) return;
    if (frame.op === 'opened') {
      virtual.readyState = OPEN;
      virtual.onopen?.();
    } else if (frame.op === 'data') virtual.onmessage?.({ data: frame.payload.buffer as ArrayBuffer });
    else if (frame.op === 'close') {
      sockets.delete(frame.channel);
      finish(virtual, frame.code, frame.reason);
    }
  }

  function finish(virtual: Virtual, code: number, reason: string): void {
    if (virtual.readyState === CLOSED) return;
    virtual.readyState = CLOSED;
    virtual.onclose?.({ code, reason });
  }

  function VirtualSocket(address: string): Virtual {
    dial();
    const channel = ++lastChannel;
    const mine = sockets;
    const virtual: Virtual = {
      readyState: CONNECTING,
      binaryType: 'arraybuffer',
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
      send: (payload) => mine === sockets && send({ op: 'data', channel, payload }),
      close() {
        if (mine === sockets && sockets.delete(channel) && !over) send({ op: 'close', channel, code: 1000, reason: '' });
        queueMicrotask(() => finish(virtual, 1000, ''));
      },
    };
    // Constants of the instance: that is where a stock provider looks.
    Object.assign(virtual, { CONNECTING, OPEN, CLOSING: 2, CLOSED });
    sockets.set(channel, virtual);
    send({ op: 'open', channel, documentId: new URL(address).pathname.slice(1) });
    return virtual;
  }

  return {
    WebSocketPolyfill: VirtualSocket as unknown as typeof globalThis.WebSocket,
    say: (request) => send({ op: 'data', channel: INBOX_CHANNEL, payload: encodeInbox(request) }),
    inbox,
    closes,
    dialled: () => dialled,
    cut: () => real?.terminate(),
    close() {
      over = true;
      real?.terminate();
    },
  };
}
