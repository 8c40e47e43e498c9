import { type WebSocketLike, upgradeWebSocket } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import type { WSEvents } from 'hono/ws';
import { parseDocumentId } from '../../shared/ids.ts';
import type { Node } from '../core/node.ts';
import type { Door } from './app.ts';
import type { Identity } from './identity/authenticate.ts';
import { type ExchangeDeps, addExchangeRoute } from './exchange.ts';
import { problem } from './problem.ts';
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
  const ownOrigin: MiddlewareHandler<Env> = async (c, next) => {
    if (c.req.header('upgrade')?.toLowerCase() === 'websocket' && isForeign(c)) throw problem('origin');
    await next();
  };

  /** Lets in who is signed in; while nobody can say who asks, the socket is told to come back (W4). */
  async function letIn(
    c: Context<Env>,
    enter: (caller: Omit<SignedIn, 'kind'>) => WSEvents<WebSocketLike>,
  ): Promise<WSEvents<WebSocketLike>> {
    const caller = await authenticate(c).catch(() => null);
    if (caller === null) return refuse('tryLater');
    if (caller.kind !== 'signed-in') return refuse(caller.kind === 'expired' ? 'expired' : 'unauthorized');
    const { userId, sid, expiresAt } = caller;
    return enter({ userId, sid, expiresAt });
  }

  app.get(
    PATH,
    ownOrigin,
    upgradeWebSocket((c) => letIn(c, (caller) => serve((socket) => deps.openChannels({ ...caller, socket })))),
  );

  app.get(
    `${PATH}/*`,
    ownOrigin,
    upgradeWebSocket((c) =>
      letIn(c, (caller) => {
        const name = parseDocumentId(documentPath(c));
        return name ? serve((socket, acks) => deps.open({ ...caller, name, acks, socket })) : refuse('notFound');
      }),
    ),
  );

  addExchangeRoute(app, deps, documentPath);
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
