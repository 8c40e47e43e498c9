import type { SignIns } from '../../core/accounts.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { bearerToken, isSecure } from '../origin.ts';
import { verifyAccessToken } from './access-token.ts';
import { readCookies } from './cookies.ts';
import type { KeyRing } from './signing-keys.ts';

/** Who a request comes from. `expired`: renew the session (4501); `none`: no token, a bad one, or a sign-in that was ended (4401). */
export type Identity = { kind: 'signed-in'; userId: Uuid; sid: Uuid; expiresAt: number } | { kind: 'expired' } | { kind: 'none' };

export type Authenticate = (headers: Headers) => Promise<Identity>;

/** Reads the Bearer token, or else the cookie, verifies it, and asks whether its sign-in still stands: log-out ends tokens at once. */
export function makeAuthenticate(deps: { keys: KeyRing; signIns: SignIns; now(): number }): Authenticate {
  return async (headers) => {
    const token = bearerToken(headers) ?? readCookies(isSecure(headers), headers.get('cookie')).session;
    if (token === undefined) return { kind: 'none' };
    const now = deps.now();
    const verdict = await verifyAccessToken(deps.keys, token, now);
    if (verdict.kind === 'invalid') return { kind: 'none' };
    if (verdict.kind === 'expired') return { kind: 'expired' };
    const { userId, sid, expiresAt } = verdict;
    return (await deps.signIns.isLive(sid, userId, now)) ? { kind: 'signed-in', userId, sid, expiresAt } : { kind: 'none' };
  };
}
