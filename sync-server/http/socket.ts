import type { WebSocketLike } from '@hono/node-server';
import type { WSContext, WSEvents } from 'hono/ws';
import { type WebSocket, WebSocketServer } from 'ws';
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
  const options: ConstructorParameters<typeof WebSocketServer>[0] & { closeTimeout: number; maxFragments: number } = {
    noServer: true,
    maxPayload: 4 * LIMITS.step2,
    maxFragments: 16,
    closeTimeout: 5_000,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUB_PROTOCOL) ? SUB_PROTOCOL : false),
  };
  return new WebSocketServer(options);
}

/** Ends connections that answer no ping. Returns the way to stop it. */
export function keepHeartbeat(server: WebSocketServer): () => void {
  const silent = new WeakSet<WebSocket>();
  server.on('connection', (socket) => socket.on('pong', () => silent.delete(socket)));
  const timer = setInterval(() => {
    for (const socket of server.clients) {
      if (silent.has(socket)) socket.terminate();
      else {
        silent.add(socket);
        socket.ping();
      }
    }
  }, PING_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Closes as soon as the socket is open; no frame is read. */
export const refuse = (name: CloseName): WSEvents<WebSocketLike> => ({
  onOpen: (_, ws) => ws.close(CLOSE[name].code, CLOSE[name].means),
});

/** Hands an open socket to a session of the core. `acks`: it selected the sub-protocol that asks for them. */
export function serve(open: (socket: Socket, acks: boolean) => Session): WSEvents<WebSocketLike> {
  let session: Session | null = null;
  return {
    onOpen: (_, ws) => void (session = open(socketOf(ws), ws.protocol === SUB_PROTOCOL)),
    onMessage({ data }) {
      if (data instanceof ArrayBuffer) session?.receive(new Uint8Array(data));
      else session?.end('refused', 'malformed');
    },
    onClose: () => session?.closed(),
    onError: () => session?.closed(),
  };
}

/** The routes' sockets are those of `makeSocketServer`, which are `ws`'s own. */
const socketOf = (ws: WSContext<WebSocketLike>): Socket => ({
  send: (frame) => ws.raw?.send(frame),
  close: (code, reason) => ws.close(code, reason),
  buffered: () => (ws.raw as WebSocket | undefined)?.bufferedAmount ?? 0,
});
