import type { Context } from 'hono';
import type { z } from 'zod';
import type { SignedIn, loginBody } from '../../../shared/api.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { signAccessToken } from '../identity/access-token.ts';
import { signInCookies } from '../identity/cookies.ts';
import { deviceName } from '../identity/device-name.ts';
import { startSignIn } from '../identity/refresh-token.ts';
import { problem } from '../problem.ts';
import type { Env, RouteDeps } from '../route.ts';

/** Who gets tokens: browsers in cookies, programs in the answer. */
export type Client = z.infer<typeof loginBody>['client'];

export interface SigningIn {
  /** The answer to who has signed in or renewed their session. */
  answer(c: Context<Env>, who: { userId: Uuid; sid: Uuid; rotation: number; refreshToken: string; client: Client }): Promise<SignedIn>;
  /** Opens a sign-in. Null: `passwordHash`, when given, is not the person's any more, or the person is gone. */
  signIn(c: Context<Env>, who: { userId: Uuid; client: Client; passwordHash?: string }): Promise<SignedIn | null>;
}

/** Every way of signing in ends here. */
export function makeSigningIn({ accounts, signIns, keys, devices, clock, random, messaging }: RouteDeps): SigningIn {
  const answer: SigningIn['answer'] = async (c, { userId, sid, rotation, refreshToken, client }) => {
    const user = await accounts.me(userId);
    if (!user) throw problem('unauthorized');
    const { token, expiresAt } = await signAccessToken(keys, { userId, sid, rotation, now: clock.now(), random });
    messaging.extendSession(sid, expiresAt);
    const signedIn = { user, accessToken: token, expiresAt: new Date(expiresAt).toISOString() };
    if (client === 'program') return { ...signedIn, refreshToken };
    const cookies = signInCookies(c.var.place.secure, { access: token, refresh: refreshToken });
    for (const cookie of cookies) c.header('Set-Cookie', cookie, { append: true });
    return signedIn;
  };

  return {
    answer,
    async signIn(c, { userId, client, passwordHash }) {
      const device = deviceName(c.req.header('user-agent') ?? '');
      const { signIn, token } = startSignIn({ userId, device, now: clock.now(), random });
      const ended = await signIns.open(signIn, passwordHash ?? null);
      if (!ended) return null;
      for (const sid of ended) messaging.endSessions({ userId, sid });
      if (client === 'browser') {
        const cookie = await devices.remember({ secure: c.var.place.secure, cookies: c.req.header('cookie') ?? null }, userId);
        c.header('Set-Cookie', cookie, { append: true });
      }
      return answer(c, { userId, sid: signIn.sid, rotation: signIn.rotation, refreshToken: token, client });
    },
  };
}
