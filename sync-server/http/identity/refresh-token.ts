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

/** How long the previous token gets its successor in any case (S2): two tabs. */
export const SAME_SUCCESSOR_MS = 20_000;
/** So many rotations in a row may be answered once more after that, when the answer had not arrived (S2). */
export const REPEATS_MAX = 3;
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
export function startSignIn({ userId, device, now, random }: { userId: Uuid; device: string; now: number; random: RandomBytes }): {
  signIn: SignIn;
  token: string;
} {
  const sid = makeUuid(now, random);
  const token = `${sid}.${Buffer.from(random(32)).toString('base64url')}`;
  const signIn = {
    sid,
    userId,
    device,
    tokenHash: hashOf(token),
    previousHash: null,
    successorKey: random(32),
    createdAt: now,
    rotatedAt: now,
    expiresAt: now + SIGN_IN_MS,
    rotation: 0,
    isReceived: false,
    isRepeated: false,
    repeats: 0,
  };
  return { signIn, token };
}

/** What a presented token leads to: how the sign-in stands afterwards. `reused`: somebody else may have the token, the sign-in ends. */
export type Rotation =
  | { kind: 'rotated'; signIn: SignIn; successor: string }
  | { kind: 'expired' | 'reused'; signIn: null; ended: { userId: Uuid; sid: Uuid } };

/**
 * Judges a token against its sign-in (S2): the current one rotates, the previous one gets the same successor for 20 s. After that it gets
 * it only while nothing shows that the answer arrived, neither the successor nor the access token that came with it: an honest device on
 * a bad network has nothing else to present. Who holds a stolen copy and is always first would look the same, but not three times in a
 * row without being noticed.
 */
export function rotate(signIn: SignIn, { token }: RefreshToken, now: number): Rotation {
  const ended = { userId: signIn.userId, sid: signIn.sid };
  if (signIn.expiresAt <= now) return { kind: 'expired', signIn: null, ended };
  const hash = hashOf(token);
  const successor = successorOf(signIn, token);
  if (isHash(signIn.tokenHash, hash)) {
    const rotated: SignIn = {
      ...signIn,
      tokenHash: hashOf(successor),
      previousHash: hash,
      rotatedAt: now,
      expiresAt: now + SIGN_IN_MS,
      rotation: signIn.rotation + 1,
      isReceived: false,
      isRepeated: false,
      repeats: signIn.isRepeated ? signIn.repeats : 0,
    };
    return { kind: 'rotated', signIn: rotated, successor };
  }
  if (!isHash(signIn.previousHash, hash)) return { kind: 'reused', signIn: null, ended };
  if (now - signIn.rotatedAt < SAME_SUCCESSOR_MS) return { kind: 'rotated', signIn, successor };
  const repeats = signIn.isRepeated ? signIn.repeats : signIn.repeats + 1;
  if (!signIn.isReceived && repeats <= REPEATS_MAX) return { kind: 'rotated', signIn: { ...signIn, isRepeated: true, repeats }, successor };
  return { kind: 'reused', signIn: null, ended };
}
