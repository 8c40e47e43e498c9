import { SignJWT } from 'jose';
import type { RandomBytes } from '../../../shared/clock.ts';
import { type Uuid, isUuid, makeUuid } from '../../../shared/ids.ts';
import type { KeyRing } from './key-ring.ts';
import { ACCESS_MS } from './signing-keys.ts';
import { type Demands, verifyToken } from './verify-token.ts';

const ISSUER = 'homing';
const DEMANDS: Demands = {
  algorithms: ['EdDSA'],
  issuer: ISSUER,
  audience: 'homing',
  typ: 'at+jwt',
  requiredClaims: ['jti', 'sid'],
  maxAgeMs: ACCESS_MS,
};

export interface AccessToken {
  token: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** Whose token it is: one rotation of one sign-in of one person. */
export interface Bearer {
  userId: Uuid;
  sid: Uuid;
  rotation: number;
}

/** What a token proves. `expired`: it was good once, or a clock was put back since (F9); whoever has it may renew it. */
export type Verdict = ({ kind: 'valid'; expiresAt: number } & Bearer) | { kind: 'expired' } | { kind: 'invalid' };

/** A signed access token. */
export async function signAccessToken(
  keys: KeyRing,
  { userId, sid, rotation, now, random }: Bearer & { now: number; random: RandomBytes },
): Promise<AccessToken> {
  const issuedAt = Math.floor(now / 1000);
  const expires = issuedAt + ACCESS_MS / 1000;
  const { kid, sign } = keys.signing(now);
  const token = await new SignJWT({ sid, rot: rotation })
    .setProtectedHeader({ alg: DEMANDS.algorithms[0]!, typ: 'at+jwt', kid })
    .setIssuer(ISSUER)
    .setAudience(DEMANDS.audience)
    .setSubject(userId)
    .setJti(makeUuid(now, random))
    .setIssuedAt(issuedAt)
    .setExpirationTime(expires)
    .sign(sign);
  return { token, expiresAt: expires * 1000 };
}

/** Verifies a token of our own (S2), by a key of the ring that it names. */
export async function verifyAccessToken(keys: KeyRing, token: string, now: number): Promise<Verdict> {
  const verified = await verifyToken(token, async ({ kid }) => (typeof kid === 'string' ? keys.verifying(kid, now) : null), DEMANDS, now);
  if (verified.kind !== 'valid') return { kind: verified.kind === 'invalid' ? 'invalid' : 'expired' };
  const { sub, sid, exp, rot } = verified.claims;
  if (!isUuid(sub) || typeof sid !== 'string' || !isUuid(sid)) return { kind: 'invalid' };
  return { kind: 'valid', userId: sub, sid, rotation: typeof rot === 'number' ? rot : -1, expiresAt: exp * 1000 };
}
