import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { sessions } from '../../../shared/account-api.ts';
import { uuid } from '../../../shared/api.ts';
import { problem } from '../problem.ts';
import { type App, type RouteDeps, iso, jsonAnswer, problems, security } from '../route.ts';

/** The devices that somebody is signed in on, and ending one or all others (U1). */
export function addSessionRoutes(app: App, { signIns, messaging, clock, signedIn }: RouteDeps): void {
  const common = { middleware: signedIn, security };

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/me/sessions',
      responses: { 200: jsonAnswer('Where one is signed in, the last used first.', sessions), ...problems },
    }),
    async (c) => {
      const { userId, sid: current } = c.var.viewer;
      const found = await signIns.list(userId, clock.now());
      const described = found.map(({ sid, device, createdAt, rotatedAt }) => ({
        id: sid,
        device,
        createdAt: iso(createdAt),
        lastUsedAt: iso(rotatedAt),
        isCurrent: sid === current,
      }));
      return c.json({ sessions: described }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'delete',
      path: '/api/me/sessions',
      responses: { 204: { description: 'All others are ended.' }, ...problems },
    }),
    async (c) => {
      const { userId, sid: current } = c.var.viewer;
      for (const sid of await signIns.endOthers(userId, current)) messaging.endSessions({ userId, sid });
      return c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'delete',
      path: '/api/me/sessions/{id}',
      request: { params: z.object({ id: uuid }) },
      responses: { 204: { description: 'It is ended.' }, ...problems },
    }),
    async (c) => {
      const { userId } = c.var.viewer;
      const sid = c.req.valid('param').id;
      if (!(await signIns.end(sid, userId))) throw problem('not-found', 'This session has ended already.');
      messaging.endSessions({ userId, sid });
      return c.body(null, 204);
    },
  );
}
