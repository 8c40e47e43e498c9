import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { Counter, Gauge, type Registry, collectDefaultMetrics } from 'prom-client';
import { bearerToken } from './origin.ts';
import { problem } from './problem.ts';
import type { App, Env } from './route.ts';

/** Counts answers by method, route and status; the process's own figures stand in the same registry. */
export function makeCounting(registry: Registry): MiddlewareHandler<Env> {
  collectDefaultMetrics({ register: registry });
  const answers = new Counter({
    name: 'homing_http_answers_total',
    help: 'HTTP answers by method, route and status.',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  return async (c, next) => {
    await next();
    // The route that was entered last is the one that answered.
    answers.inc({ method: KNOWN_METHODS.has(c.req.method) ? c.req.method : 'other', route: routePath(c), status: String(c.res.status) });
  };
}

const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Rooms and sessions of this node, read when somebody asks. */
export function addNodeMetrics(registry: Registry, counts: () => { rooms: number; sessions: number }): void {
  for (const what of ['rooms', 'sessions'] as const) {
    const gauge: Gauge = new Gauge({
      name: `homing_${what}`,
      help: `Open ${what} of this node.`,
      registers: [],
      collect: () => gauge.set(counts()[what]),
    });
    registry.registerMetric(gauge);
  }
}

/** `/metrics` as Prometheus reads it, for who has the token; without one there is no such page. */
export function addMetricsRoute(app: App, registry: Registry, token: string | null): void {
  if (token === null) return;
  app.get('/metrics', async (c) => {
    if (!isSame(bearerToken(c.req.raw.headers) ?? '', token)) throw problem('unauthorized');
    return c.body(await registry.metrics(), 200, { 'Content-Type': registry.contentType, 'Cache-Control': 'no-store' });
  });
}

/** Takes the same time wherever they differ. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}
