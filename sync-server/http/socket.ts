import type { Socket as TcpSocket } from 'node:net';
import type { WebSocketLike } from '@hono/node-server';
import type { WSContext, WSEvents } from 'hono/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../../shared/clock.ts';
import { CLOSE, type CloseName } from '../../shared/close-codes.ts';
import { LIMITS } from '../../shared/limits.ts';
import { SUB_PROTOCOL } from '../../shared/protocol-version.ts';
import type { Socket } from '../core/ports.ts';
import type { Session } from '../core/session/session.ts';

/** A dead connection is noticed after two of these (P5: within 35 s). */
const PING_MS = 15_000;

/**
 * The WebSocket server behind the routes. Its own limits are a backstop only: the session enforces those of the wire with a close code
 * (W6). Compression is off, and the sub-protocol by which a client asks for acks is selected when offered (W3).
 */
export function makeSocketServer(): WebSocketServer {
  const options: ConstructorParameters<typeof WebSocketServer>[0] & {
    closeTimeout: number;
    maxFragments: number;
    maxBufferedChunks: number;
  } = {
    noServer: true,
    maxPayload: 4 * LIMITS.step2,
    maxFragments: 16,
    // A frame of 256 KiB that comes 64 bytes at a time.
    maxBufferedChunks: 4_096,
    closeTimeout: 5_000,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUB_PROTOCOL) ? SUB_PROTOCOL : false),
  };
  return new WebSocketServer(options);
}

/**
 * Ends connections that say nothing and answer no ping. Those that are not read cannot be heard, and have as long again afterwards: the
 * answer stands behind what waits. Returns the way to stop it.
 */
export function keepHeartbeat(server: WebSocketServer, clock: Clock): () => void {
  const silent = new WeakSet<WebSocket>();
  server.on('connection', (socket) => {
    for (const sign of ['pong', 'message']) socket.on(sign, () => silent.delete(socket));
  });

  function beat(): void {
    for (const socket of server.clients) {
      if (socket.isPaused) silent.delete(socket);
      else if (silent.has(socket)) socket.terminate();
      else {
        silent.add(socket);
        socket.ping();
      }
    }
    stop = clock.after(PING_MS, beat);
  }

  let stop = clock.after(PING_MS, beat);
  return () => stop();
}

/** Closes as soon as the socket is open; no frame is taken, and who goes on sending is cut (W14). */
export const refuse = (name: CloseName, tcp: TcpSocket): WSEvents<WebSocketLike> => ({
  onOpen(_, ws) {
    ws.close(CLOSE[name].code, CLOSE[name].means);
    let read = 0;
    tcp.on('data', (bytes: Buffer) => {
      read += bytes.byteLength;
      if (read > LIMITS.refusedBytes) tcp.destroy();
    });
  },
});

/** Hands an open socket to a session of the core. `acks`: it selected the sub-protocol that asks for them. */
export function serve(tcp: TcpSocket, open: (socket: Socket, acks: boolean) => Session): WSEvents<WebSocketLike> {
  let session: Session | null = null;
  return {
    onOpen: (_, ws) => void (session = open(socketOf(ws, tcp), ws.protocol === SUB_PROTOCOL)),
    onMessage({ data }) {
      if (data instanceof ArrayBuffer) session?.receive(new Uint8Array(data));
      else session?.end('refused', 'malformed');
    },
    onClose: () => session?.closed(),
    onError: () => session?.closed(),
  };
}

/** `tcp` carries the WebSocket. The routes' sockets are those of `makeSocketServer`, which are `ws`'s own. */
function socketOf(ws: WSContext<WebSocketLike>, tcp: TcpSocket): Socket {
  const raw = ws.raw as WebSocket;
  const waiting = new Set<() => void>();
  const tell = (): void => {
    const all = [...waiting];
    waiting.clear();
    for (const then of all) then();
  };
  tcp.on('drain', tell);
  return {
    send: (frame) => raw.send(frame),
    close(code, reason) {
      // What the other side answers has to be read.
      raw.resume();
      raw.close(code, reason);
    },
    buffered: () => raw.bufferedAmount,
    drained(then) {
      waiting.add(then);
      // Nothing is read any more of a connection that is ending, though it holds something.
      if (!tcp.writableNeedDrain && !tcp.writableEnded && !tcp.destroyed) setImmediate(tell);
      return () => void waiting.delete(then);
    },
    pause: () => raw.pause(),
    resume: () => raw.resume(),
  };
}
