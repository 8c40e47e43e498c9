import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import type { Registry } from 'prom-client';
import type { Clock } from '../../shared/clock.ts';
import { addAuthRoutes } from './accounts/auth.ts';
import { AVATAR_PATH, addAvatarRoutes } from './accounts/avatars.ts';
import { addBlockRoutes } from './conversations/blocks.ts';
import { addConversationRoutes } from './conversations/conversations.ts';
import { makeCors } from './cors.ts';
import { addCspReportsRoute } from './csp-reports.ts';
import { addEnterRoutes } from './accounts/enter.ts';
import { addInviteRoutes } from './accounts/invites.ts';
import { addHealthRoute } from './health.ts';
import { type Identity, makeAuthenticate } from './identity/authenticate.ts';
import { addKeyRoutes } from './accounts/keys.ts';
import { addDepartureRoute } from './accounts/departure.ts';
import { addMemberRoutes } from './conversations/members.ts';
import { addMessageRoutes } from './conversations/messages.ts';
import { addMetricsRoute, makeCounting } from './metrics.ts';
import { isForeign, readPlace } from './origin.ts';
import { addPasskeyRoutes } from './accounts/passkeys.ts';
import { addPasswordRoutes } from './accounts/passwords.ts';
import { addPeopleRoutes } from './accounts/people.ts';
import { addReportRoutes } from './conversations/reports.ts';
import { addRegistrationRoutes } from './accounts/registration.ts';
import { addSessionRoutes } from './accounts/sessions.ts';
import { answerProblem, asProblem, invalid, problem } from './problem.ts';
import { refuseAfter } from './rate-limit.ts';
import type { App, Env, RouteDeps, SignedInEnv } from './route.ts';
import { addStaticRoutes, securityHeaders } from './static.ts';

/** What a socket's route asks before it lets somebody in. */
export interface Door {
  /** Who the request comes from. */
  authenticate: (c: Context<Env>) => Promise<Identity>;
  /** Whether a foreign page asks: 403 at the upgrade (S3). Unsafe methods below `/api` are checked already. */
  isForeign: (c: Context<Env>) => boolean;
}

export interface AppDeps extends Omit<RouteDeps, 'authenticate' | 'signedIn' | 'clock'> {
  clock: Clock;
  /** Origins besides the own host that may act with cookies. */
  allowedOrigins: readonly string[];
  /** Whether the nearest proxy's `X-Forwarded-…` headers are believed. */
  trustProxy: boolean;
  registry: Registry;
  /** Who shows it may read the metrics; null: nobody. */
  metricsToken: string | null;
  /** Settles when the database answers. */
  ping: () => Promise<void>;
  /** The built client; null serves none. */
  clientDir: string | null;
  /** Adds further routes, the sockets', before the client's files. */
  mount?: (app: App, door: Door) => void;
}

const BODY_MAX = 64 * 1024;
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
/** Paths whose bodies have limits of their own. */
const isLarge = (path: string): boolean => path.startsWith('/api/sync') || path === AVATAR_PATH;

/** The whole HTTP side of a node: the API of `api.ts` (H1), health, metrics, the mounted sockets, and the client's files. */
export function createApp(deps: AppDeps): App {
  const { allowedOrigins, trustProxy, registry, logger, clientDir } = deps;
  const authenticate = makeAuthenticate({ ...deps, now: () => deps.clock.now() });
  const signedIn = createMiddleware<SignedInEnv>(async (c, next) => {
    const identity = await authenticate(c.req.raw.headers);
    if (identity.kind !== 'signed-in') throw problem(identity.kind === 'expired' ? 'expired' : 'unauthorized');
    refuseAfter(deps.limits.person(identity.userId, !SAFE.has(c.req.method), deps.clock.elapsed()));
    c.set('viewer', identity);
    await next();
  });
  const door: Door = {
    authenticate: (c) => authenticate(c.req.raw.headers),
    isForeign: (c) => isForeign(c.var.place, c.req.raw.headers, allowedOrigins),
  };

  const app: App = new OpenAPIHono<Env>({
    defaultHook(result) {
      if (result.success) return;
      throw result.target === 'param' ? problem('not-found') : invalid(result.error);
    },
  });
  app.onError((error, c) => {
    const known = asProblem(error);
    if (!known) logger.error({ method: c.req.method, path: c.req.path, error: error.stack ?? String(error) }, 'a request failed');
    return answerProblem(c, known ?? problem('internal'));
  });
  app.notFound((c) => {
    const methods = METHODS.filter((method) => hasRoute(app, method, c.req.path));
    const found = methods.length > 0 && !methods.includes(c.req.method) && c.req.method !== 'HEAD';
    return answerProblem(
      c,
      found ? problem('method-not-allowed', undefined, { headers: { Allow: methods.join(', ') } }) : problem('not-found'),
    );
  });

  app.use(async (c, next) => {
    c.set('place', readPlace(c.req.raw, c.env?.incoming?.socket.remoteAddress ?? '', trustProxy));
    await next();
  });
  app.use(makeCounting(registry));
  app.use(securityHeaders);
  const limitBody = bodyLimit({ maxSize: BODY_MAX, onError: () => Promise.reject(problem('too-large')) });
  app.use('/api/*', makeCors(allowedOrigins));
  app.use('/api/*', async (c, next) => {
    c.header('Cache-Control', 'no-store');
    refuseAfter(deps.limits.address(c.var.place.address, deps.clock.elapsed()));
    if (!SAFE.has(c.req.method) && door.isForeign(c)) throw problem('origin');
    return isLarge(c.req.path) ? next() : limitBody(c, next);
  });

  const routes: RouteDeps = { ...deps, authenticate, signedIn };
  addAuthRoutes(app, routes);
  addEnterRoutes(app, routes);
  addKeyRoutes(app, deps);
  addRegistrationRoutes(app, routes);
  addSessionRoutes(app, routes);
  addPasswordRoutes(app, routes);
  addPasskeyRoutes(app, routes);
  addInviteRoutes(app, routes);
  addPeopleRoutes(app, routes);
  addAvatarRoutes(app, routes);
  addConversationRoutes(app, routes);
  addMemberRoutes(app, routes);
  addBlockRoutes(app, routes);
  addReportRoutes(app, routes);
  addDepartureRoute(app, routes);
  addMessageRoutes(app, routes);
  addHealthRoute(app, deps);
  addMetricsRoute(app, registry, deps.metricsToken);
  addCspReportsRoute(app, deps);
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' });
  app.openAPIRegistry.registerComponent('securitySchemes', 'cookie', { type: 'apiKey', in: 'cookie', name: 'homing_session' });
  app.doc31('/api/openapi.json', { openapi: '3.1.0', info: { title: 'Homing', version: '1' } });
  deps.mount?.(app, door);
  if (clientDir !== null) addStaticRoutes(app, clientDir);
  return app;
}

/** Whether another method would have found something at this path. */
function hasRoute(app: App, method: string, path: string): boolean {
  const parts = path.split('/');
  return app.routes.some((route) => {
    const pattern = route.path.split('/');
    return (
      route.method === method &&
      pattern.length === parts.length &&
      pattern.every((part, i) => part === parts[i] || (part.startsWith(':') && parts[i] !== ''))
    );
  });
}
