import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { handle, me, patchMeBody, peopleQuery, user, users } from '../../../shared/api.ts';
import { problem } from '../problem.ts';
import { refuseAfter } from '../rate-limit.ts';
import { type App, type RouteDeps, jsonAnswer, jsonBody, problems, security } from '../route.ts';

const FOUND_AT_MOST = 20;
const query = z.object({ query: peopleQuery });

/** One's own profile, and finding people by handle or by the start of a handle or name. */
export function addPeopleRoutes(app: App, { accounts, limits, clock, signedIn }: RouteDeps): void {
  const common = { middleware: signedIn, security };

  app.openapi(
    createRoute({ ...common, method: 'get', path: '/api/me', responses: { 200: jsonAnswer('Oneself.', me), ...problems } }),
    async (c) => {
      const found = await accounts.me(c.var.viewer.userId);
      if (!found) throw problem('unauthorized');
      return c.json(found, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'patch',
      path: '/api/me',
      request: { body: jsonBody(patchMeBody) },
      responses: { 200: jsonAnswer('Oneself, changed.', me), ...problems },
    }),
    async (c) => {
      const changed = await accounts.change(c.var.viewer.userId, c.req.valid('json'));
      if (!changed) throw problem('unauthorized');
      return c.json(changed, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/users',
      request: { query },
      responses: { 200: jsonAnswer('People whose handle or name starts so.', users), ...problems },
    }),
    async (c) => {
      const { userId } = c.var.viewer;
      refuseAfter(limits.people(userId, clock.elapsed()));
      return c.json({ users: await accounts.search(userId, c.req.valid('query').query, FOUND_AT_MOST) }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/users/{handle}',
      request: { params: z.object({ handle }) },
      responses: { 200: jsonAnswer('A person.', user), ...problems },
    }),
    async (c) => {
      refuseAfter(limits.people(c.var.viewer.userId, clock.elapsed()));
      const found = await accounts.byHandle(c.req.valid('param').handle, c.var.viewer.userId);
      if (!found) throw problem('not-found', 'Nobody has this handle.');
      return c.json(found, 200);
    },
  );
}
