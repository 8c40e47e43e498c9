import { SignJWT, errors, jwtVerify } from 'jose';
import type { RandomBytes } from '../../../shared/clock.ts';
import { type Uuid, isUuid, makeUuid } from '../../../shared/ids.ts';
import { ALGORITHM, type KeyRing } from './signing-keys.ts';

/** How long an access token lives (S2). */
export const ACCESS_MS = 15 * 60_000;
const TOLERANCE_S = 30;
const ISSUER = 'homing';
const AUDIENCE = 'homing';
const TYPE = 'at+jwt';

export interface AccessToken {
  token: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** What a token proves. `expired`: it was good once. */
export type Verdict = { kind: 'valid'; userId: Uuid; sid: Uuid; expiresAt: number } | { kind: 'expired' } | { kind: 'invalid' };

/** A signed access token for one sign-in of one person. */
export async function signAccessToken(
  keys: KeyRing,
  { userId, sid, now, random }: { userId: Uuid; sid: Uuid; now: number; random: RandomBytes },
): Promise<AccessToken> {
  const issuedAt = Math.floor(now / 1000);
  const expires = issuedAt + ACCESS_MS / 1000;
  const token = await new SignJWT({ sid })
    .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid: keys.signing.kid })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(userId)
    .setJti(makeUuid(now, random))
    .setIssuedAt(issuedAt)
    .setExpirationTime(expires)
    .sign(keys.signing.key);
  return { token, expiresAt: expires * 1000 };
}

/** The one place where tokens are verified (S2): signature by a key of ours under its own id, then every claim. It never throws. */
export async function verifyAccessToken(keys: KeyRing, token: string, now: number): Promise<Verdict> {
  try {
    const { payload } = await jwtVerify(
      token,
      (header) => {
        const key = header.kid === undefined ? undefined : keys.verifying.get(header.kid);
        if (!key) throw new errors.JWKSNoMatchingKey();
        return key;
      },
      {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: TYPE,
        requiredClaims: ['sub', 'exp', 'iat', 'jti', 'sid'],
        maxTokenAge: ACCESS_MS / 1000,
        clockTolerance: TOLERANCE_S,
        currentDate: new Date(now),
      },
    );
    const { sub, sid, exp } = payload;
    if (sub === undefined || !isUuid(sub) || typeof sid !== 'string' || !isUuid(sid) || exp === undefined) return { kind: 'invalid' };
    return { kind: 'valid', userId: sub, sid, expiresAt: exp * 1000 };
  } catch (error) {
    return error instanceof errors.JWTExpired ? { kind: 'expired' } : { kind: 'invalid' };
  }
}
