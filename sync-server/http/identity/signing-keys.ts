import { type CryptoKey, type JWK, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, importPKCS8 } from 'jose';
import { z } from 'zod';
import type { StoredKey } from '../../core/identity.ts';

/** How long an access token lives (S2). */
export const ACCESS_MS = 15 * 60_000;
const ALGORITHM = 'EdDSA';

/** A key pair of access tokens. */
export interface SigningKey {
  kid: string;
  sign: CryptoKey;
  verify: CryptoKey;
  /** The public half, as it is published. */
  published: JWK;
  /** Milliseconds since 1970. */
  signsFrom: number;
  /** Until its last token is over; null: as long as it is there. */
  verifiesUntil: number | null;
}

/** How long before it signs a new key is there, so that every node, and whoever reads the published keys, knows it by then. */
export const AHEAD_MS = 2 * 60_000;
/** A key that was followed by another verifies for a token's life, and for nodes that noticed it late. */
const AFTER_MS = ACCESS_MS + 2 * AHEAD_MS;

/** A new Ed25519 key, as it is stored. */
export async function makeStoredKey(signsFrom: number): Promise<StoredKey> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { crv: 'Ed25519', extractable: true });
  return storedKey(privateKey, signsFrom);
}

async function storedKey(privateKey: CryptoKey, signsFrom: number): Promise<StoredKey> {
  const jwk = await exportJWK(privateKey);
  return { kid: await calculateJwkThumbprint(jwk), jwk: JSON.stringify(jwk), signsFrom };
}

const privateJwk = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string() });

async function importKey({ kid, jwk, signsFrom }: StoredKey, verifiesUntil: number | null): Promise<SigningKey> {
  const { d, ...half } = privateJwk.parse(JSON.parse(jwk));
  const [sign, verify] = await Promise.all([importJWK({ ...half, d }, ALGORITHM), importJWK(half, ALGORITHM)]);
  if (sign instanceof Uint8Array || verify instanceof Uint8Array) throw new TypeError('a signing key is no asymmetric key');
  return { kid, sign, verify, published: { ...half, kid, alg: ALGORITHM, use: 'sig' }, signsFrom, verifiesUntil };
}

/** Stored keys, the newest first, each verifying until the tokens that it signed are over. */
export const importStored = (stored: readonly StoredKey[]): Promise<SigningKey[]> =>
  Promise.all(stored.map((key, i) => importKey(key, i === 0 ? null : stored[i - 1]!.signsFrom + AFTER_MS)));

const PEM = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/g;

/** Keys of a text of PKCS #8 PEM blocks, Ed25519: the first signs, all of them verify. Throws a sentence for whoever wrote the text. */
export async function importPem(text: string): Promise<SigningKey[]> {
  const blocks = text.replaceAll('\\n', '\n').match(PEM) ?? [];
  if (blocks.length === 0)
    throw new TypeError('The signing key should be an Ed25519 key as PKCS #8 PEM, "-----BEGIN PRIVATE KEY-----" and so on.');
  try {
    const keys = await Promise.all(blocks.map((block) => importPKCS8(block, ALGORITHM, { extractable: true })));
    return await Promise.all(keys.map(async (key) => importKey(await storedKey(key, 0), null)));
  } catch (cause) {
    throw new TypeError('The signing key is not an Ed25519 key as PKCS #8 PEM; "openssl genpkey -algorithm ed25519" makes one.', { cause });
  }
}
