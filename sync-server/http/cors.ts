import type { MiddlewareHandler } from 'hono';
import { problem } from './problem.ts';
import type { Env } from './route.ts';

const METHODS = 'GET, POST, PUT, PATCH, DELETE';
const HEADERS = 'Authorization, Content-Type';
const PREFLIGHT_S = '600';

/**
 * Lets pages of the allowed origins read answers, with cookies where the browser sends them along (S3). Nobody else is told anything: a
 * preflight of another origin is refused, and its answers stay unreadable.
 */
export function makeCors(allowedOrigins: readonly string[]): MiddlewareHandler<Env> {
  return async (c, next) => {
    const origin = c.req.header('origin');
    const isAllowed = origin !== undefined && allowedOrigins.includes(origin);
    c.header('Vary', 'Origin', { append: true });
    if (isAllowed) {
      c.header('Access-Control-Allow-Origin', origin);
      c.header('Access-Control-Allow-Credentials', 'true');
      c.header('Access-Control-Expose-Headers', 'Retry-After');
    }
    if (c.req.method !== 'OPTIONS' || c.req.header('access-control-request-method') === undefined) return next();
    if (!isAllowed) throw problem('origin');
    c.header('Access-Control-Allow-Methods', METHODS);
    c.header('Access-Control-Allow-Headers', HEADERS);
    c.header('Access-Control-Max-Age', PREFLIGHT_S);
    return c.body(null, 204);
  };
}
