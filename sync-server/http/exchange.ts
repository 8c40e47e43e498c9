import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import type { ProblemCode } from '../../shared/api.ts';
import type { Clock } from '../../shared/clock.ts';
import { CLOSE, type CloseName } from '../../shared/close-codes.ts';
import { decodeExchange, encodeExchange } from '../../shared/exchange.ts';
import { parseDocumentId } from '../../shared/ids.ts';
import { HTTP_RATES, LIMITS } from '../../shared/limits.ts';
import type { Node } from '../core/node.ts';
import { makeLimiter } from '../core/session/limiter.ts';
import type { Door } from './app.ts';
import { type ProblemError, problem } from './problem.ts';
import { refuseAfter } from './rate-limit.ts';
import { type App, problems, security } from './route.ts';

export interface ExchangeDeps extends Pick<Node, 'exchange'> {
  clock: Pick<Clock, 'elapsed'>;
}

/** A step 1 with as many client ids as are allowed, and a step 2. */
const BODY_MAX = LIMITS.step2 + LIMITS.frame;

/** What a socket would have been closed with, as a problem (W12). */
const PROBLEM_OF: Record<CloseName, ProblemCode> = {
  restart: 'unavailable',
  tryLater: 'unavailable',
  unauthorized: 'unauthorized',
  notMember: 'forbidden',
  notFound: 'not-found',
  refused: 'refused',
  tooLarge: 'too-large',
  tooOld: 'upgrade-required',
  expired: 'expired',
};

function asProblem(closed: CloseName, reason: string = CLOSE[closed].means): ProblemError {
  const code = PROBLEM_OF[closed];
  const headers = code === 'unavailable' ? { headers: { 'Retry-After': '1' } } : {};
  return problem(code, undefined, { closeCode: CLOSE[closed].code, reason, ...headers });
}

/** `POST /api/sync/<documentId>`: the messages of a socket over HTTP, where a WebSocket cannot be had (W12). */
export function addExchangeRoute(
  app: App,
  { authenticate, exchange, clock }: Pick<Door, 'authenticate'> & ExchangeDeps,
  documentPath: (c: Context) => string,
): void {
  const byDocument = makeLimiter(HTTP_RATES.exchange);
  const byPerson = makeLimiter(HTTP_RATES.exchanges);
  const bytes = { 'application/octet-stream': { schema: z.string().meta({ format: 'binary' }) } };
  app.openAPIRegistry.registerPath({
    method: 'post',
    path: '/api/sync/{documentId}',
    security,
    request: { params: z.object({ documentId: z.string() }), body: { content: bytes, required: true } },
    responses: { 200: { description: 'Step 2, tolds, acks, and the server’s step 1.', content: bytes }, ...problems },
  });

  app.post('/api/sync/*', bodyLimit({ maxSize: BODY_MAX, onError: () => Promise.reject(asProblem('tooLarge')) }), async (c) => {
    const caller = await authenticate(c);
    if (caller.kind !== 'signed-in') throw asProblem(caller.kind === 'expired' ? 'expired' : 'unauthorized');
    const documentId = documentPath(c);
    const name = parseDocumentId(documentId);
    if (!name) throw asProblem('notFound');
    refuseAfter(byPerson.take(caller.userId, clock.elapsed()) || byDocument.take(`${caller.userId} ${documentId}`, clock.elapsed()));
    const messages = decodeExchange(new Uint8Array(await c.req.arrayBuffer()));
    if (!messages) throw asProblem('refused', 'malformed');
    const result = await exchange({ userId: caller.userId, sid: caller.sid, name }, messages);
    if ('closed' in result) throw asProblem(result.closed, result.reason);
    return c.body(new Uint8Array(encodeExchange(result.messages)), 200, { 'Content-Type': 'application/octet-stream' });
  });
}
