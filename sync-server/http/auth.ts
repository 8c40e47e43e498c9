import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { z } from 'zod';
import { type SignedIn, handle as handleSchema, loginBody, refreshBody, registerBody, signedIn } from '../../shared/api.ts';
import { type Uuid, makeUuid } from '../../shared/ids.ts';
import { signAccessToken } from './identity/access-token.ts';
import { readCookies, signInCookies, signOutCookies } from './identity/cookies.ts';
import { readRefreshToken, rotate, startSignIn } from './identity/refresh-token.ts';
import { problem } from './problem.ts';
import { type App, type Env, type RouteDeps, jsonAnswer, jsonBody, problems } from './route.ts';
import { refuseAfter } from './rate-limit.ts';

type Client = z.infer<typeof loginBody>['client'];

const NOT_OPEN = {
  closed: 'Registration is closed here. Ask whoever runs this server.',
  invite: 'Registration is by invitation only here.',
};

const signedInAnswer = jsonAnswer('Signed in. Browsers get cookies, programs the refresh token.', signedIn);
const registerRoute = createRoute({
  method: 'post',
  path: '/api/auth/register',
  request: { body: jsonBody(registerBody) },
  responses: { 201: signedInAnswer, ...problems },
});
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

/** Register, log in, refresh, log out (S1, S2). */
export function addAuthRoutes(app: App, deps: RouteDeps): void {
  const { accounts, signIns, passwords, limits, clock, random, logger, messaging } = deps;

  /** The answer to who has signed in; for browsers the tokens stand in cookies. */
  async function answer(c: Context<Env>, who: { userId: Uuid; sid: Uuid; refreshToken: string; client: Client }): Promise<SignedIn> {
    const user = await accounts.me(who.userId);
    if (!user) throw problem('unauthorized');
    const { token, expiresAt } = await signAccessToken(deps.keys, { userId: who.userId, sid: who.sid, now: clock.now(), random });
    messaging.extendSession(who.sid, expiresAt);
    const signedIn = { user, accessToken: token, expiresAt: new Date(expiresAt).toISOString() };
    if (who.client === 'program') return { ...signedIn, refreshToken: who.refreshToken };
    const cookies = signInCookies(c.var.place.secure, { access: token, refresh: who.refreshToken });
    for (const cookie of cookies) c.header('Set-Cookie', cookie, { append: true });
    return signedIn;
  }

  async function signIn(c: Context<Env>, userId: Uuid, client: Client): Promise<SignedIn> {
    const { signIn, token } = startSignIn(userId, clock.now(), random);
    await signIns.open(signIn);
    return answer(c, { userId, sid: signIn.sid, refreshToken: token, client });
  }

  app.openapi(registerRoute, async (c) => {
    const { handle, displayName, password, client } = c.req.valid('json');
    if (deps.registration !== 'open') throw problem('registration-closed', NOT_OPEN[deps.registration]);
    const now = clock.now();
    refuseAfter(limits.register(c.var.place.address, now));
    const passwordHash = await passwords.hash(password);
    const me = await accounts.create({ id: makeUuid(now, random), handle, displayName, passwordHash, createdAt: now });
    if (!me) throw problem('handle-taken', `Somebody else is @${handle}.`);
    return c.json(await signIn(c, me.id, client), 201);
  });

  app.openapi(loginRoute, async (c) => {
    const { handle, password, client } = c.req.valid('json');
    refuseAfter(limits.logIn(c.var.place.address, handle, clock.now()));
    const found = handleSchema.safeParse(handle).success ? await accounts.credentials(handle) : null;
    const matches = await passwords.matches(found?.passwordHash ?? null, password);
    if (!found || !matches) throw problem('unauthorized', 'The handle or the password is wrong.');
    return c.json(await signIn(c, found.userId, client), 200);
  });

  app.openapi(refreshRoute, async (c) => {
    const fromBody = c.req.valid('json').refreshToken;
    const { secure } = c.var.place;
    const presented = readRefreshToken(fromBody ?? readCookies(secure, c.req.header('cookie') ?? null).refresh ?? '');
    const rotation = presented && (await signIns.change(presented.sid, (signIn) => rotate(signIn, presented, clock.now())));
    if (rotation?.kind === 'rotated') {
      const { signIn, successor } = rotation;
      const client = fromBody === undefined ? 'browser' : 'program';
      return c.json(await answer(c, { userId: signIn.userId, sid: signIn.sid, refreshToken: successor, client }), 200);
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
