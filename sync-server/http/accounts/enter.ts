import { createRoute } from '@hono/zod-openapi';
import type { z } from 'zod';
import { backChannelLogoutForm, enterForm, exchangeBody, signedIn } from '../../../shared/api.ts';
import type { Platform, PlatformPerson } from '../identity/platform.ts';
import type { Verified } from '../identity/verify-token.ts';
import { problem } from '../problem.ts';
import { type App, type RouteDeps, jsonAnswer, jsonBody, problems } from '../route.ts';
import { makeSigningIn } from './sign-in.ts';

const exchangeRoute = createRoute({
  method: 'post',
  path: '/api/auth/exchange',
  request: { body: jsonBody(exchangeBody) },
  responses: { 200: jsonAnswer('Signed in as the person that the token of the other platform names.', signedIn), ...problems },
});
const form = <Schema extends z.ZodType>(schema: Schema) => ({
  content: { 'application/x-www-form-urlencoded': { schema } },
  required: true,
});
const logoutRoute = createRoute({
  method: 'post',
  path: '/api/auth/backchannel-logout',
  request: { body: form(backChannelLogoutForm) },
  responses: { 204: { description: 'Every session of ours of the person that the token names has ended.' }, ...problems },
});
const enterRoute = createRoute({
  method: 'post',
  path: '/api/auth/enter',
  request: { body: form(enterForm) },
  responses: { 303: { description: 'Signed in by cookies, and on the way to where the form says.' }, ...problems },
});

/**
 * The ways in from another platform (S6). `exchange` is for programs and for pages of the same site; `enter` is what the form behind a
 * "Send message" button is sent to, from whatever site: the browser goes along, so its cookies are taken. Both come from our own or from
 * allowed origins only, so nobody is signed in by a page that they did not mean to visit. And the way out, by which the platform ends what
 * it has begun.
 */
export function addEnterRoutes(app: App, deps: RouteDeps): void {
  const { platform, enrol, accounts, foreignAccounts, signIns, messaging, clock } = deps;
  const { signIn } = makeSigningIn(deps);
  const known = (): Platform => {
    if (!platform) throw problem('not-found', 'No other platform is configured here.');
    return platform;
  };
  const proven = (verified: Verified<PlatformPerson>): PlatformPerson => {
    if (verified.kind === 'valid') return verified.claims;
    throw problem(verified.kind === 'expired' ? 'expired' : 'unauthorized', 'The token of the other platform is not good.');
  };

  app.openapi(exchangeRoute, async (c) => {
    const { token, client } = c.req.valid('json');
    const now = clock.now();
    const userId = await enrol(proven(await known().signIn(token, now)), now);
    const answer = userId && (await signIn(c, { userId, client }));
    if (!answer) throw problem('unauthorized');
    return c.json(answer, 200);
  });

  app.openapi(enterRoute, async (c) => {
    const { token, person, next } = c.req.valid('form');
    const now = clock.now();
    const visitor = proven(await known().signIn(token, now));
    const described = person === undefined ? null : proven(await known().describe(person, now));
    const userId = await enrol(visitor, now);
    const otherId = described && (await enrol(described, now));
    const other = otherId && (await accounts.me(otherId));
    if (!userId || !(await signIn(c, { userId, client: 'browser' }))) throw problem('unauthorized');
    return c.redirect(other ? `/people/${other.handle}` : placeIn(next), 303);
  });

  app.openapi(logoutRoute, async (c) => {
    const now = clock.now();
    const person = proven(await known().signOut(c.req.valid('form').logout_token, now));
    const found = await foreignAccounts.find(person);
    if (found) {
      for (const { sid } of await signIns.list(found.userId, now)) await signIns.end(sid);
      messaging.endSessions({ userId: found.userId });
    }
    return c.body(null, 204);
  });
}

/** A place in the app; anything that could lead elsewhere leads to the start. */
function placeIn(next: string | undefined): string {
  const here = 'http://here.invalid';
  if (next === undefined || !URL.canParse(next, here)) return '/';
  const { origin, pathname, search, hash } = new URL(next, here);
  return origin === here && !pathname.startsWith('//') ? pathname + search + hash : '/';
}
