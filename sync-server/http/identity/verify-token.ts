import { type CryptoKey, type JWTHeaderParameters, type JWTPayload, errors, jwtVerify } from 'jose';

/** What a token must be. Every field is asked for: what is left out of jose's options is not checked. */
export interface Demands {
  algorithms: readonly string[];
  issuer: string;
  audience: string;
  /** Null: any, for issuers who leave it to chance. */
  typ: string | null;
  requiredClaims: readonly string[];
  maxAgeMs: number;
}

/** `expired`: it was good once. `early`: its issuer's clock is ahead of ours, or ours was put back. */
export type Verified<Claims> = { kind: 'valid'; claims: Claims } | { kind: 'expired' | 'early' | 'invalid' };
export type Claims = JWTPayload & { sub: string; exp: number; iat: number };

/** Finds the key that a header names, among keys that were trusted before; null when there is none. */
export type FindKey = (header: JWTHeaderParameters) => Promise<CryptoKey | null>;

const TOLERANCE_S = 30;
const LONGEST = 8 * 1024;
/** Three parts in base64url; jose would also take padding and other ways of writing the same bytes. */
const FORM = /^[\w-]+\.[\w-]+\.[\w-]+$/;
/** Headers by which a token would bring its own key, or say where to fetch one. */
const OWN_KEYS = ['jwk', 'jku', 'x5u'];

/**
 * The one place where tokens are verified (S2): the signature by a key that was trusted before, then every claim. What is wrong with the
 * token is an answer; only what `findKey` throws is thrown.
 */
export async function verifyToken(token: string, findKey: FindKey, demands: Demands, now: number): Promise<Verified<Claims>> {
  if (token.length > LONGEST || !FORM.test(token)) return { kind: 'invalid' };
  const { algorithms, issuer, audience, typ, requiredClaims, maxAgeMs } = demands;
  try {
    const { payload } = await jwtVerify(
      token,
      async (header) => {
        const key = OWN_KEYS.some((name) => name in header) ? null : await findKey(header);
        if (!key) throw new errors.JWKSNoMatchingKey();
        return key;
      },
      {
        algorithms: [...algorithms],
        issuer,
        audience,
        ...(typ === null ? {} : { typ }),
        requiredClaims: ['sub', 'exp', 'iat', ...requiredClaims],
        maxTokenAge: maxAgeMs / 1000,
        clockTolerance: TOLERANCE_S,
        currentDate: new Date(now),
      },
    );
    const { sub, exp, iat } = payload;
    if (sub === undefined || exp === undefined || iat === undefined || !Number.isFinite(exp)) return { kind: 'invalid' };
    return { kind: 'valid', claims: { ...payload, sub, iat, exp: Math.min(exp, iat + maxAgeMs / 1000) } };
  } catch (error) {
    if (error instanceof errors.JWTExpired) return { kind: 'expired' };
    // Claims are looked at after the signature.
    if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'iat' && error.reason === 'check_failed')
      return { kind: 'early' };
    if (error instanceof errors.JOSEError || error instanceof TypeError) return { kind: 'invalid' };
    throw error;
  }
}
