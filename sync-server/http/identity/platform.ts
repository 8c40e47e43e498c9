import { decodeJwt } from 'jose';
import { displayName, handle } from '../../../shared/api.ts';
import type { ForeignPerson } from '../../core/identity.ts';
import { type Claims, type FindKey, type Verified, verifyToken } from './verify-token.ts';

/** Whose tokens they are, for whom, and which claims hold somebody's handle and name. */
interface Terms {
  issuer: string;
  audience: string;
  handleClaim: string;
  nameClaim: string;
}

/** Somebody, as the platform says. */
export interface PlatformPerson extends ForeignPerson {
  /** The nearest to what they are called there that is a handle here; null when it tells none. */
  handle: string | null;
  name: string;
  /** When the token was made and when it ends, milliseconds since 1970. */
  issuedAt: number;
  expiresAt: number;
}

/** Another platform whose people are at home here too (S6). */
export interface Platform {
  /** Whether a token claims to be the platform's; proves nothing. */
  claims(token: string): boolean;
  /** Whom a token of the platform signs in. */
  signIn(token: string, now: number): Promise<Verified<PlatformPerson>>;
  /** Whom a token of the platform describes (`typ: person+jwt`); it signs nobody in, so it may be given to others. */
  describe(token: string, now: number): Promise<Verified<PlatformPerson>>;
  /** Whose sessions a token of the platform ends (OpenID Connect Back-Channel Logout 1.0, `typ: logout+jwt`). */
  signOut(token: string, now: number): Promise<Verified<PlatformPerson>>;
}

/** Signatures by a public key; nothing else can be checked by who must not be able to sign. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
const LONGEST_MS = 24 * 3_600_000;
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** What issuers call access tokens; an issuer may also say nothing. */
const SIGN_IN_TYPES: (string | undefined)[] = [undefined, 'jwt', 'at+jwt', 'application/at+jwt'];

export function makePlatform({ issuer, audience, handleClaim, nameClaim }: Terms, findKey: FindKey): Platform {
  const demands = { algorithms: ALGORITHMS, issuer, audience, requiredClaims: [], maxAgeMs: LONGEST_MS };

  function asPerson({ sub, iat, exp, ...claims }: Claims): PlatformPerson {
    const called = claims[handleClaim];
    const found = typeof called === 'string' ? handleFrom(called) : null;
    const told = claims[nameClaim];
    // A letter of two units that the cut would halve goes whole.
    const name = displayName.safeParse(typeof told === 'string' ? told.slice(0, 60).replace(/[\ud800-\udbff]$/, '') : '');
    const shown = name.success ? name.data : (found ?? 'Somebody');
    return { issuer, subject: sub, handle: found, name: shown, issuedAt: iat * 1000, expiresAt: exp * 1000 };
  }

  /** `isMeant`: what else the claims must say. */
  async function verify(
    token: string,
    typ: string | null,
    now: number,
    isMeant: (claims: Claims) => boolean = () => true,
  ): Promise<Verified<PlatformPerson>> {
    const find: FindKey = async (header) => (typ !== null || SIGN_IN_TYPES.includes(header.typ?.toLowerCase()) ? findKey(header) : null);
    const verified = await verifyToken(token, find, { ...demands, typ }, now);
    return verified.kind === 'valid' && isSubject(verified.claims.sub) && isMeant(verified.claims)
      ? { kind: 'valid', claims: asPerson(verified.claims) }
      : refused(verified);
  }

  return {
    claims: (token) => issuerOf(token) === issuer,
    signIn: (token, now) => verify(token, null, now),
    describe: (token, now) => verify(token, 'person+jwt', now),
    signOut: (token, now) =>
      verify(token, 'logout+jwt', now, ({ events }) => typeof events === 'object' && events !== null && LOGOUT_EVENT in events),
  };
}

const isSubject = (sub: string): boolean => sub !== '' && sub.length <= 255 && !sub.includes('\0');
const refused = ({ kind }: Verified<Claims>): Verified<never> => ({ kind: kind === 'expired' ? 'expired' : 'invalid' });

function issuerOf(token: string): unknown {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/** The handle that is nearest to what somebody is called elsewhere; null where nothing is left of it. */
export function handleFrom(called: string): string | null {
  const letters = called
    .normalize('NFKD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase()
    .replace(/^@/, '')
    .replace(/@.*$/, '')
    .replaceAll(/[^a-z0-9_.-]+/g, '-')
    .slice(0, 30)
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  return handle.safeParse(letters).success ? letters : null;
}
