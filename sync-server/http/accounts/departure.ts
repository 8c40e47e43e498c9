import { createRoute } from '@hono/zod-openapi';
import type { Uuid } from '../../../shared/ids.ts';
import { deleteMeBody } from '../../../shared/api.ts';
import { signOutCookies } from '../identity/cookies.ts';
import { problem, wrongField } from '../problem.ts';
import { refuseAfter } from '../rate-limit.ts';
import { type App, type RouteDeps, jsonBody, problems, security } from '../route.ts';

/** A sign-in that is this young is proof enough for those who have no password. */
const FRESH_MS = 10 * 60_000;

/** Deleting one's account (G5): by the password, or soon after signing in. */
export function addDepartureRoute(app: App, deps: RouteDeps): void {
  const { accounts, signIns, passwordStore, passwords, messaging, limits, clock, signedIn } = deps;

  async function isFresh(userId: Uuid, sid: Uuid): Promise<boolean> {
    const now = clock.now();
    const signIn = (await signIns.list(userId, now)).find((one) => one.sid === sid);
    return signIn !== undefined && now - signIn.createdAt < FRESH_MS;
  }

  app.openapi(
    createRoute({
      middleware: signedIn,
      security,
      method: 'delete',
      path: '/api/me',
      request: { body: jsonBody(deleteMeBody) },
      responses: { 204: { description: 'The account is gone, and every session with it.' }, ...problems },
    }),
    async (c) => {
      const { userId, sid } = c.var.viewer;
      const { password } = c.req.valid('json');
      refuseAfter(limits.password(userId, clock.elapsed()));
      if (password !== undefined) {
        if (!(await passwords.matches(await passwordStore.hashOf(userId), password))) throw wrongField('wrong-password', 'password');
      } else if (!(await isFresh(userId, sid))) throw problem('forbidden', 'Sign in again first, or say your password.');
      if (!(await accounts.remove(userId, deps.deletedMessages === 'remove', clock.now()))) throw problem('unauthorized');
      messaging.endSessions({ userId });
      messaging.depart(userId);
      for (const gone of signOutCookies(c.var.place.secure)) c.header('Set-Cookie', gone, { append: true });
      return c.body(null, 204);
    },
  );
}
