import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { users, uuid } from '../../../shared/api.ts';
import { problem } from '../problem.ts';
import { refuseAfter } from '../rate-limit.ts';
import { type App, type RouteDeps, jsonAnswer, problems, security } from '../route.ts';

/** Whom one has blocked (G1). No route tells who has blocked whom. */
export function addBlockRoutes(app: App, { accounts, messaging, limits, clock, signedIn }: RouteDeps): void {
  const common = { middleware: signedIn, security };
  const params = z.object({ userId: uuid });

  app.openapi(
    createRoute({ ...common, method: 'get', path: '/api/blocks', responses: { 200: jsonAnswer('By handle.', users), ...problems } }),
    async (c) => c.json({ users: await accounts.blocked(c.var.viewer.userId) }, 200),
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'put',
      path: '/api/blocks/{userId}',
      request: { params },
      responses: { 204: { description: 'They are blocked.' }, ...problems },
    }),
    async (c) => {
      const { userId } = c.var.viewer;
      const { userId: otherId } = c.req.valid('param');
      refuseAfter(limits.rights(userId, clock.elapsed()));
      if (otherId === userId) throw problem('bad-request', 'Nobody can block themselves.');
      if ((await accounts.existing([otherId])).size === 0) throw problem('not-found', 'There is no such person.');
      await messaging.setBlocked(userId, otherId, true);
      return c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'delete',
      path: '/api/blocks/{userId}',
      request: { params },
      responses: { 204: { description: 'They are not blocked.' }, ...problems },
    }),
    async (c) => {
      const { userId } = c.var.viewer;
      refuseAfter(limits.rights(userId, clock.elapsed()));
      await messaging.setBlocked(userId, c.req.valid('param').userId, false);
      return c.body(null, 204);
    },
  );
}
