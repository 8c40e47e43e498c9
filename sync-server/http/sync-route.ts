import type { Socket as TcpSocket } from 'node:net';
import { type WebSocketLike, upgradeWebSocket } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import type { WSEvents } from 'hono/ws';
import type { CloseName } from '../../shared/close-codes.ts';
import { parseDocumentId } from '../../shared/ids.ts';
import { LIMITS } from '../../shared/limits.ts';
import type { Node } from '../core/node.ts';
import { type Tally, makeTally } from '../core/session/tally.ts';
import type { Door } from './app.ts';
import type { Identity } from './identity/authenticate.ts';
import { type ExchangeDeps, addExchangeRoute } from './exchange.ts';
import { problem } from './problem.ts';
import { addressKey, isOwnAddress } from './rate-limit.ts';
import type { App, Env } from './route.ts';
import { refuse, serve } from './socket.ts';

const PATH = '/api/sync';
type SignedIn = Extract<Identity, { kind: 'signed-in' }>;

/**
 * The sockets and the exchange. `GET /api/sync/<documentId>` speaks the y-websocket protocol (W1), `GET /api/sync` the same for many
 * documents, with the inbox (W9). A foreign `Origin` is answered 403 before the upgrade; everything else that is refused gets its close
 * code after it, because a stock provider retries an HTTP error for ever (W4).
 */
export function mountSync(app: App, deps: Door & ExchangeDeps & Pick<Node, 'open' | 'openChannels'>): void {
  const { authenticate, isForeign } = deps;
  const sockets = makeTally(LIMITS.addressSockets);
  const refused = makeTally(LIMITS.addressRefused);

  /** Counts a connection of an address until it is gone; refuses it by HTTP where there are too many (W14). */
  function count(tally: Tally, c: Context<Env>, tcp: TcpSocket): void {
    const { address } = c.var.place;
    if (isOwnAddress(address)) return;
    const key = addressKey(address);
    if (!tally.enter(key)) throw problem('too-many-requests');
    tcp.once('close', () => tally.leave(key));
  }

  const upgrades: MiddlewareHandler<Env> = async (c, next) => {
    const tcp = c.env?.incoming?.socket;
    if (!tcp || c.req.header('upgrade')?.toLowerCase() !== 'websocket') return next();
    if (isForeign(c)) throw problem('origin');
    count(sockets, c, tcp);
    await next();
  };

  /** Lets in who is signed in; while nobody can say who asks, the socket is told to come back (W4). */
  async function letIn(
    c: Context<Env>,
    enter: (caller: Omit<SignedIn, 'kind'>, tcp: TcpSocket) => WSEvents<WebSocketLike> | CloseName,
  ): Promise<WSEvents<WebSocketLike>> {
    const tcp = c.env.incoming!.socket;
    const caller = await authenticate(c).catch(() => null);
    const entered = caller?.kind === 'signed-in' ? enter(caller, tcp) : refusalOf(caller);
    if (typeof entered !== 'string') return entered;
    count(refused, c, tcp);
    return refuse(entered, tcp);
  }

  app.get(
    PATH,
    upgrades,
    upgradeWebSocket((c) =>
      letIn(c, ({ userId, sid, expiresAt }, tcp) => serve(tcp, (socket) => deps.openChannels({ userId, sid, expiresAt, socket }))),
    ),
  );

  app.get(
    `${PATH}/*`,
    upgrades,
    upgradeWebSocket((c) =>
      letIn(c, ({ userId, sid, expiresAt }, tcp) => {
        const name = parseDocumentId(documentPath(c));
        if (!name) return 'notFound';
        return serve(tcp, (socket, acks) => deps.open({ userId, sid, expiresAt, name, acks, socket }));
      }),
    ),
  );

  addExchangeRoute(app, deps, documentPath);
}

function refusalOf(caller: Exclude<Identity, SignedIn> | null): CloseName {
  if (caller === null) return 'tryLater';
  return caller.kind === 'expired' ? 'expired' : 'unauthorized';
}

/** What a path below `/api/sync/` names; empty where it cannot be read. */
function documentPath(c: Context): string {
  const path = new URL(c.req.url).pathname.slice(PATH.length + 1);
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}
