import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { SignIn } from '../../core/accounts.ts';
import type { RandomBytes } from '../../../shared/clock.ts';
import { type Uuid, isUuid, makeUuid } from '../../../shared/ids.ts';

/**
 * A refresh token is `<sid>.<256 bits in base64url>`. The database holds hashes, and per sign-in the key that makes a token's successor
 * from the token: two tabs that refresh at once get the same one, and neither a stolen database nor a stolen old token makes one alone.
 */
export interface RefreshToken {
  sid: Uuid;
  token: string;
}

/** How long the previous token still gets its successor (S2): two tabs, or an answer that was lost. */
export const SAME_SUCCESSOR_MS = 20_000;
/** A sign-in that was not used this long runs out. */
export const SIGN_IN_MS = 60 * 24 * 3_600_000;

const SECRET = /^[A-Za-z0-9_-]{43}$/;

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();
const isHash = (stored: Uint8Array | null, hash: Buffer): boolean => stored !== null && timingSafeEqual(stored, hash);
const successorOf = ({ sid, successorKey }: SignIn, token: string): string =>
  `${sid}.${createHmac('sha256', successorKey).update(token).digest('base64url')}`;

/** Reads what a client presents as its refresh token; null for anything of another form. */
export function readRefreshToken(text: string): RefreshToken | null {
  const [sid = '', secret = '', ...rest] = text.split('.');
  return isUuid(sid) && SECRET.test(secret) && rest.length === 0 ? { sid, token: text } : null;
}

/** A new sign-in and its first token. */
export function startSignIn(userId: Uuid, now: number, random: RandomBytes): { signIn: SignIn; token: string } {
  const sid = makeUuid(now, random);
  const token = `${sid}.${Buffer.from(random(32)).toString('base64url')}`;
  const signIn = {
    sid,
    userId,
    tokenHash: hashOf(token),
    previousHash: null,
    successorKey: random(32),
    rotatedAt: now,
    expiresAt: now + SIGN_IN_MS,
  };
  return { signIn, token };
}

/** What a presented token leads to: how the sign-in stands afterwards. `reused`: somebody else may have the token, the sign-in ends. */
export type Rotation =
  | { kind: 'rotated'; signIn: SignIn; successor: string }
  | { kind: 'expired' | 'reused'; signIn: null; ended: { userId: Uuid; sid: Uuid } };

/** Judges a token against its sign-in (S2): the current one rotates, the previous one gets the same successor for 20 s. */
export function rotate(signIn: SignIn, { token }: RefreshToken, now: number): Rotation {
  const ended = { userId: signIn.userId, sid: signIn.sid };
  if (signIn.expiresAt <= now) return { kind: 'expired', signIn: null, ended };
  const hash = hashOf(token);
  const successor = successorOf(signIn, token);
  if (isHash(signIn.tokenHash, hash)) {
    const rotated = { ...signIn, tokenHash: hashOf(successor), previousHash: hash, rotatedAt: now, expiresAt: now + SIGN_IN_MS };
    return { kind: 'rotated', signIn: rotated, successor };
  }
  if (isHash(signIn.previousHash, hash) && now - signIn.rotatedAt < SAME_SUCCESSOR_MS) return { kind: 'rotated', signIn, successor };
  return { kind: 'reused', signIn: null, ended };
}
