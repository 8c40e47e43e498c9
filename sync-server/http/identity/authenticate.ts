import { createHash } from 'node:crypto';
import type { SignIns } from '../../core/accounts.ts';
import { platformSession } from '../../core/identity.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { bearerToken, isSecure } from '../origin.ts';
import { verifyAccessToken } from './access-token.ts';
import { readCookies } from './cookies.ts';
import type { Enrol } from './enrol.ts';
import type { KeyRing } from './key-ring.ts';
import type { Platform } from './platform.ts';

/** Who a request comes from. `expired`: renew the session (4501); `none`: no token, a bad one, or a sign-in that was ended (4401). */
export type Identity = { kind: 'signed-in'; userId: Uuid; sid: Uuid; expiresAt: number } | { kind: 'expired' } | { kind: 'none' };

export type Authenticate = (headers: Headers) => Promise<Identity>;

interface Deps {
  keys: KeyRing;
  signIns: SignIns;
  /** Another platform whose tokens are good here; null: none. */
  platform: Platform | null;
  enrol: Enrol;
  now(): number;
}

/**
 * Reads the Bearer token, or else the cookie. Ours is verified, and then its sign-in is asked for: log-out ends tokens at once. One of the
 * platform's, which only a header brings, is good until it runs out (S6).
 */
export function makeAuthenticate({ keys, signIns, platform, enrol, now: clock }: Deps): Authenticate {
  async function ours(token: string, now: number): Promise<Identity> {
    const verdict = await verifyAccessToken(keys, token, now);
    if (verdict.kind !== 'valid') return { kind: verdict.kind === 'expired' ? 'expired' : 'none' };
    const { userId, sid, expiresAt } = verdict;
    return (await signIns.isLive(verdict, now)) ? { kind: 'signed-in', userId, sid, expiresAt } : { kind: 'none' };
  }

  async function theirs(platform: Platform, token: string, now: number): Promise<Identity> {
    const verified = await platform.signIn(token, now);
    if (verified.kind !== 'valid') return { kind: verified.kind === 'expired' ? 'expired' : 'none' };
    const userId = await enrol(verified.claims, now);
    if (userId === null) return { kind: 'none' };
    return {
      kind: 'signed-in',
      userId,
      sid: platformSession(createHash('sha256').update(token).digest()),
      expiresAt: verified.claims.expiresAt,
    };
  }

  return async (headers) => {
    const bearer = bearerToken(headers);
    const token = bearer ?? readCookies(isSecure(headers), headers.get('cookie')).session;
    if (token === undefined) return { kind: 'none' };
    return bearer !== undefined && platform?.claims(bearer) ? theirs(platform, bearer, clock()) : ours(token, clock());
  };
}
