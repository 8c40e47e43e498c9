import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, type JWK, SignJWT, exportJWK, generateKeyPair } from 'jose';

export const AUDIENCE = 'homing-chat';
export const ISSUER = 'https://id.example';

interface PlatformKey {
  sign: CryptoKey;
  published: JWK;
}

async function makeKey(alg: string, kid: string): Promise<PlatformKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { sign: privateKey, published: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** Another platform: it publishes keys on loopback, signs tokens, and may be ill in every way. */
export async function openOtherPlatform(now: () => number) {
  let count = 0;
  let key = await makeKey('RS256', 'key 0');
  let published = [key.published];
  let answer: RequestListener | null = null;
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    if (answer) answer(request, response);
    else response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys: published }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    asked: () => asked,
    /** Answers so instead of with its keys; null: it is well again. */
    become: (ill: RequestListener | null) => void (answer = ill),
    /** Signs with a new key from now on; the old one stays published. */
    async rotate(alg = 'ES256') {
      key = await makeKey(alg, `key ${++count}`);
      published = [key.published, ...published];
    },
    sign: (
      claims: Record<string, unknown>,
      header: Record<string, unknown> = {},
      by: CryptoKey | Uint8Array = key.sign,
    ): Promise<string> => {
      const iat = Math.floor(now() / 1000);
      const all = { iss: ISSUER, aud: AUDIENCE, iat, exp: iat + 3_600, ...claims };
      return new SignJWT(all).setProtectedHeader({ alg: key.published.alg!, kid: key.published.kid!, ...header }).sign(by);
    },
    published: () => published,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type OtherPlatform = Awaited<ReturnType<typeof openOtherPlatform>>;
