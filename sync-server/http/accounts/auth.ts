import { createRoute } from '@hono/zod-openapi';
import { handle as handleSchema, loginBody, refreshBody, signedIn } from '../../../shared/api.ts';
import { readCookies, signOutCookies } from '../identity/cookies.ts';
import { readRefreshToken, rotate } from '../identity/refresh-token.ts';
import { problem } from '../problem.ts';
import { type App, type RouteDeps, jsonAnswer, jsonBody, problems } from '../route.ts';
import { refuseAfter } from '../rate-limit.ts';
import { makeSigningIn } from './sign-in.ts';

/** The answer of every way of signing in. */
export const signedInAnswer = jsonAnswer('Signed in. Browsers get cookies, programs the refresh token.', signedIn);
const loginRoute = createRoute({
  method: 'post',
  path: '/api/auth/login',
  request: { body: jsonBody(loginBody) },
  responses: { 200: signedInAnswer, ...problems },
});
const optionalBody = { content: jsonBody(refreshBody).content, required: false };
const refreshRoute = createRoute({
  method: 'post',
  path: '/api/auth/refresh',
  request: { body: optionalBody },
  responses: { 200: signedInAnswer, ...problems },
});
const logoutRoute = createRoute({
  method: 'post',
  path: '/api/auth/logout',
  request: { body: optionalBody },
  responses: { 204: { description: 'Signed out.' }, ...problems },
});

/** Log in, refresh, log out (S1, S2). */
export function addAuthRoutes(app: App, deps: RouteDeps): void {
  const { accounts, signIns, passwords, limits, clock, logger, messaging } = deps;

  const { answer, signIn } = makeSigningIn(deps);

  app.openapi(loginRoute, async (c) => {
    const { handle, password, client } = c.req.valid('json');
    const { address, secure } = c.var.place;
    // Text that is no handle belongs to nobody, and may be what the database cannot hold.
    const isHandle = handleSchema.safeParse(handle).success;
    const device = isHandle ? await deps.devices.recognise({ secure, cookies: c.req.header('cookie') ?? null }, handle) : null;
    refuseAfter(limits.logIn({ address, handle, device }, clock.elapsed()));
    const found = isHandle ? await accounts.credentials(handle) : null;
    const matches = await passwords.matches(found?.passwordHash ?? null, password);
    const answer = found?.passwordHash && matches && (await signIn(c, { userId: found.userId, client, passwordHash: found.passwordHash }));
    if (!answer) throw problem('unauthorized', 'The handle or the password is wrong.');
    return c.json(answer, 200);
  });

  app.openapi(refreshRoute, async (c) => {
    const fromBody = c.req.valid('json').refreshToken;
    const { secure } = c.var.place;
    const presented = readRefreshToken(fromBody ?? readCookies(secure, c.req.header('cookie') ?? null).refresh ?? '');
    const rotation = presented && (await signIns.change(presented.sid, (signIn) => rotate(signIn, presented, clock.now())));
    if (rotation?.kind === 'rotated') {
      const { signIn, successor } = rotation;
      const client = fromBody === undefined ? 'browser' : 'program';
      return c.json(
        await answer(c, { userId: signIn.userId, sid: signIn.sid, rotation: signIn.rotation, refreshToken: successor, client }),
        200,
      );
    }
    if (rotation) messaging.endSessions(rotation.ended);
    if (rotation?.kind === 'reused') logger.warn(rotation.ended, 'a refresh token was used again: its sign-in has ended');
    throw problem('unauthorized', undefined, fromBody === undefined ? { headers: { 'Set-Cookie': signOutCookies(secure) } } : {});
  });

  app.openapi(logoutRoute, async (c) => {
    const { secure } = c.var.place;
    const cookie = readCookies(secure, c.req.header('cookie') ?? null).refresh;
    const token = readRefreshToken(c.req.valid('json').refreshToken ?? cookie ?? '');
    const identity = await deps.authenticate(c.req.raw.headers);
    const sids = new Set([...(token ? [token.sid] : []), ...(identity.kind === 'signed-in' ? [identity.sid] : [])]);
    for (const sid of sids) {
      const userId = await signIns.end(sid);
      if (userId !== null) messaging.endSessions({ userId, sid });
    }
    for (const gone of signOutCookies(secure)) c.header('Set-Cookie', gone, { append: true });
    return c.body(null, 204);
  });
}
