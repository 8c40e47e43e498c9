import { createHash } from 'node:crypto';
import type { RandomBytes } from '../../../shared/clock.ts';

/** What a link or a challenge is kept as. */
export const hashToken = (token: string): Uint8Array => createHash('sha256').update(token).digest();

/** 256 bits to be told once; only the hash is kept. */
export function makeToken(random: RandomBytes): { token: string; hash: Uint8Array } {
  const token = Buffer.from(random(32)).toString('base64url');
  return { token, hash: hashToken(token) };
}
