import { type WebSocketLike, upgradeWebSocket } from '@hono/node-server';
import type { Context } from 'hono';
import type { WSContext, WSEvents } from 'hono/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { CLOSE, type CloseName } from '../../shared/close-codes.ts';
import { type DocumentName, parseDocumentId } from '../../shared/ids.ts';
import { LIMITS } from '../../shared/limits.ts';
import { SUB_PROTOCOL } from '../../shared/protocol-version.ts';
import type { Socket } from '../core/ports.ts';
import type { Session, Visit } from '../core/session.ts';
import type { Door } from './app.ts';
import type { Identity } from './identity/authenticate.ts';
import { problem } from './problem.ts';
import type { App } from './route.ts';

/** A dead connection is noticed after two of these (P5: within 35 s). */
const PING_MS = 15_000;
const PATH = '/api/sync/';

/**
 * The WebSocket server behind the route. Its own limits are a backstop only: the session enforces those of the wire with a close code
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

/**
 * `GET /api/sync/<documentId>`: the y-websocket protocol (W1). A foreign `Origin` is answered 403 before the upgrade; everything else
 * that is refused gets its close code after it, because a stock provider retries an HTTP error for ever (W4).
 */
export function mountSync(app: App, { authenticate, isForeign, open }: Door & { open(visit: Visit): Session }): void {
  app.get(
    `${PATH}*`,
    async (c, next) => {
      if (c.req.header('upgrade')?.toLowerCase() === 'websocket' && isForeign(c)) throw problem('origin');
      await next();
    },
    upgradeWebSocket(async (c): Promise<WSEvents<WebSocketLike>> => {
      const caller = await authenticate(c);
      const name = parseDocumentId(documentPath(c));
      if (caller.kind !== 'signed-in') return refuse(caller.kind === 'expired' ? 'expired' : 'unauthorized');
      return name ? serve(open, caller, name) : refuse('notFound');
    }),
  );
}

function documentPath(c: Context): string {
  const path = new URL(c.req.url).pathname.slice(PATH.length);
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}

/** Closes as soon as the socket is open; no frame is read. */
const refuse = (name: CloseName): WSEvents<WebSocketLike> => ({
  onOpen: (_, ws) => ws.close(CLOSE[name].code, CLOSE[name].means),
});

function serve(
  open: (visit: Visit) => Session,
  caller: Extract<Identity, { kind: 'signed-in' }>,
  name: DocumentName,
): WSEvents<WebSocketLike> {
  let session: Session | null = null;
  return {
    onOpen(_, ws) {
      const { userId, sid, expiresAt } = caller;
      session = open({ userId, sid, expiresAt, name, acks: ws.protocol === SUB_PROTOCOL, socket: socketOf(ws) });
    },
    onMessage({ data }) {
      if (data instanceof ArrayBuffer) session?.receive(new Uint8Array(data));
      else session?.end('refused', 'malformed');
    },
    onClose: () => session?.closed(),
    onError: () => session?.closed(),
  };
}

/** The route's sockets are those of `makeSocketServer`, which are `ws`'s own. */
const socketOf = (ws: WSContext<WebSocketLike>): Socket => ({
  send: (frame) => ws.raw?.send(frame),
  close: (code, reason) => ws.close(code, reason),
  buffered: () => (ws.raw as WebSocket | undefined)?.bufferedAmount ?? 0,
});
