import { createRoute } from '@hono/zod-openapi';
import { changePasswordBody, resetAnswer, resetBody } from '../../../shared/account-api.ts';
import { hashToken } from '../identity/link-token.ts';
import { problem, wrongField } from '../problem.ts';
import { refuseAfter } from '../rate-limit.ts';
import { type App, type RouteDeps, jsonAnswer, jsonBody, problems, security } from '../route.ts';

/** Changing the password (U2), and setting a new one by a link of the operator's (U3). Both end what was opened with the old one. */
export function addPasswordRoutes(app: App, { passwordStore, passwords, limits, clock, messaging, signedIn }: RouteDeps): void {
  app.openapi(
    createRoute({
      middleware: signedIn,
      security,
      method: 'post',
      path: '/api/me/password',
      request: { body: jsonBody(changePasswordBody) },
      responses: { 204: { description: 'It is changed, and all other sessions are ended.' }, ...problems },
    }),
    async (c) => {
      const { current, next } = c.req.valid('json');
      const { userId, sid: keep } = c.var.viewer;
      refuseAfter(limits.password(userId, clock.elapsed()));
      const from = await passwordStore.hashOf(userId);
      // Somebody who has none signs in by other ways; a session is not enough to open this one.
      const matches = await passwords.matches(from, current);
      const to = await passwords.hash(next);
      const ended = from !== null && matches ? await passwordStore.change(userId, { from, to, keep }) : null;
      if (!ended) throw wrongField('wrong-password', 'current');
      for (const sid of ended) messaging.endSessions({ userId, sid });
      return c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/api/auth/reset',
      request: { body: jsonBody(resetBody) },
      responses: { 200: jsonAnswer('The link is used up, the password set, and every session ended.', resetAnswer), ...problems },
    }),
    async (c) => {
      const { token, password } = c.req.valid('json');
      const now = clock.now();
      refuseAfter(limits.link(c.var.place.address, clock.elapsed()));
      const done = await passwordStore.reset(hashToken(token), await passwords.hash(password), now);
      if (!done) throw problem('link-ended');
      for (const sid of done.ended) messaging.endSessions({ userId: done.userId, sid });
      return c.json({ handle: done.handle }, 200);
    },
  );
}
