import { type CryptoKey, type JWK, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, importPKCS8 } from 'jose';
import { z } from 'zod';
import type { SigningKeys, StoredKey } from '../../core/accounts.ts';

export const ALGORITHM = 'EdDSA';

/** The keys of access tokens: the newest signs, all of them verify. */
export interface KeyRing {
  signing: { kid: string; key: CryptoKey };
  verifying: ReadonlyMap<string, CryptoKey>;
}

/** A new Ed25519 key, as it is stored. */
export async function makeStoredKey(): Promise<StoredKey> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { crv: 'Ed25519', extractable: true });
  return storedKey(privateKey);
}

async function storedKey(privateKey: CryptoKey): Promise<StoredKey> {
  const jwk = await exportJWK(privateKey);
  return { kid: await calculateJwkThumbprint(jwk), jwk: JSON.stringify(jwk) };
}

/** The ring of the database's keys, made at first start; all nodes share them. */
export const loadKeyRing = async (keys: SigningKeys): Promise<KeyRing> => importRing(await keys.load(makeStoredKey));

/** The ring of one key from a file: PKCS #8 in PEM, Ed25519. */
export const readKeyRing = async (pem: string): Promise<KeyRing> =>
  importRing([await storedKey(await importPKCS8(pem, ALGORITHM, { extractable: true }))]);

const privateJwk = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string() });

async function importKey(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, ALGORITHM);
  if (key instanceof Uint8Array) throw new TypeError('a signing key is no asymmetric key');
  return key;
}

/** The ring of stored keys, the newest first. Throws when there is none, or one that is no private Ed25519 key. */
export async function importRing(stored: readonly StoredKey[]): Promise<KeyRing> {
  const verifying = new Map<string, CryptoKey>();
  let signing: KeyRing['signing'] | undefined;
  for (const { kid, jwk } of stored) {
    const { d, ...half } = privateJwk.parse(JSON.parse(jwk));
    signing ??= { kid, key: await importKey({ ...half, d }) };
    verifying.set(kid, await importKey(half));
  }
  if (!signing) throw new TypeError('there is no signing key');
  return { signing, verifying };
}
