import { createHmac } from 'node:crypto';
import { type JWK, SignJWT, base64url, exportJWK, exportSPKI, generateKeyPair } from 'jose';
import type { SigningKey } from '../identity/signing-keys.ts';

/** What a forger may start from: a good token, and the key that signed it. */
export interface Forge {
  token: string;
  refreshToken: string;
  key: SigningKey;
  /** Claims of the good token, and its time of issue in seconds. */
  claims: Record<string, unknown>;
  iat: number;
}

const header = { alg: 'EdDSA', typ: 'at+jwt' };
const part = (value: unknown): string => base64url.encode(typeof value === 'string' ? value : JSON.stringify(value));
const parts = (token: string): [string, string, string] => token.split('.') as [string, string, string];
const ours = ({ key }: Forge): Record<string, unknown> => ({ ...header, kid: key.kid });

/** A token with our own signature over whatever claims and header; undefined takes away. */
export const forged = ({ key, claims }: Forge, change: Record<string, unknown>, headers: Record<string, unknown> = {}): Promise<string> =>
  new SignJWT({ ...claims, ...change }).setProtectedHeader({ ...header, kid: key.kid, ...headers }).sign(key.sign);

/** Our signature over parts that no library would write. */
async function signedParts(forge: Forge, head: string, body: string): Promise<string> {
  const signature = await crypto.subtle.sign('Ed25519', forge.key.sign, new TextEncoder().encode(`${head}.${body}`));
  return `${head}.${body}.${base64url.encode(new Uint8Array(signature))}`;
}

/** Signed by HMAC, as some libraries would check with a public key for a secret. */
function byHmac(forge: Forge, alg: string, secret: string | Uint8Array): string {
  const text = `${part({ ...ours(forge), alg })}.${part(forge.claims)}`;
  return `${text}.${createHmac(alg.replace('HS', 'sha'), secret).update(text).digest('base64url')}`;
}

async function bySomebody(forge: Forge, alg: string, headers: (publicKey: JWK) => Record<string, unknown>): Promise<string> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return new SignJWT(forge.claims).setProtectedHeader({ ...ours(forge), alg, ...headers(await exportJWK(publicKey)) }).sign(privateKey);
}

const flipped = (text: string, at: number): string =>
  text.slice(0, at) + (text.at(at) === 'A' ? 'B' : 'A') + (at === -1 ? '' : text.slice(at + 1));

/** Everything that must not let anybody in (S2), by what is wrong with it. */
export const TOKEN_MUTATIONS: Record<string, (forge: Forge) => string | Promise<string>> = {
  'no token': () => 'token',
  'without a signature': ({ token }) => `${parts(token).slice(0, 2).join('.')}.`,
  'of two parts': ({ token }) => parts(token).slice(0, 2).join('.'),
  'of four parts': ({ token }) => `${token}.x`,
  'of five parts, as if encrypted': ({ token }) => `${token}.x.x`,
  'twice, one behind the other': ({ token }) => `${token}.${token}`,
  'with its claims twice': ({ token: [...text] }) => text.join('').replace(/\.([^.]+)\./, '.$1.$1.'),
  'with its signature for claims': ({ token }) => [parts(token)[0], parts(token)[2], parts(token)[2]].join('.'),
  'with a bit of its signature changed': ({ token }) => flipped(token, -10),
  'with half a signature': ({ token }) => token.slice(0, -43),
  'with a signature of zeros': ({ token }) => [...parts(token).slice(0, 2), 'A'.repeat(86)].join('.'),
  'with padding': ({ token }) => `${token}==`,
  'with other claims under its signature': ({ token, claims }) =>
    [parts(token)[0], part({ ...claims, sub: claims.sid }), parts(token)[2]].join('.'),
  'with another header under its signature': (forge) => [part({ ...ours(forge), x: 1 }), ...parts(forge.token).slice(1)].join('.'),
  'with alg none': (forge) => `${part({ ...ours(forge), alg: 'none' })}.${part(forge.claims)}.`,
  'with alg None': (forge) => `${part({ ...ours(forge), alg: 'None' })}.${part(forge.claims)}.`,
  'with alg none and our signature': (forge) => [part({ ...ours(forge), alg: 'none' }), ...parts(forge.token).slice(1)].join('.'),
  'without an alg': (forge) => [part({ typ: 'at+jwt', kid: forge.key.kid }), ...parts(forge.token).slice(1)].join('.'),
  'signed by HMAC with the bytes of our public key': (forge) => byHmac(forge, 'HS256', base64url.decode(forge.key.published.x!)),
  'signed by HMAC with the text of our public key': (forge) => byHmac(forge, 'HS512', forge.key.published.x!),
  'signed by HMAC with our public key as PEM': async (forge) => byHmac(forge, 'HS256', await exportSPKI(forge.key.verify)),
  'signed by HMAC with our published key as JSON': (forge) => byHmac(forge, 'HS384', JSON.stringify(forge.key.published)),
  'signed by HMAC with nothing': (forge) => byHmac(forge, 'HS256', ''),
  'signed by somebody under our key id': (forge) => bySomebody(forge, 'EdDSA', () => ({})),
  'signed by a key that it brings along': (forge) => bySomebody(forge, 'EdDSA', (jwk) => ({ jwk })),
  'signed by a key that it brings along, without a key id': (forge) => bySomebody(forge, 'EdDSA', (jwk) => ({ jwk, kid: undefined })),
  'signed by a key at an address that it names': (forge) => bySomebody(forge, 'EdDSA', () => ({ jku: 'https://evil.example/jwks.json' })),
  'signed by a certificate at an address that it names': (forge) => bySomebody(forge, 'EdDSA', () => ({ x5u: 'https://evil.example/x5u' })),
  'signed by a certificate that it brings along': (forge) => bySomebody(forge, 'RS256', () => ({ x5c: ['MIIB'] })),
  'signed by RS256': (forge) => bySomebody(forge, 'RS256', () => ({})),
  'signed by ES256': (forge) => bySomebody(forge, 'ES256', () => ({})),
  'good, but with a key beside it': (forge) => forged(forge, {}, { jwk: forge.key.published }),
  'good, but with an address of keys beside it': (forge) => forged(forge, {}, { jku: 'https://evil.example/jwks.json' }),
  'without a key id': (forge) => forged(forge, {}, { kid: undefined }),
  'with an unknown key id': (forge) => forged(forge, {}, { kid: 'unknown' }),
  'with an empty key id': (forge) => forged(forge, {}, { kid: '' }),
  'with a path for a key id': (forge) => forged(forge, {}, { kid: '../../../dev/null' }),
  'with SQL for a key id': (forge) => forged(forge, {}, { kid: `${forge.key.kid}' or '1'='1` }),
  'with a name of the prototype for a key id': (forge) => forged(forge, {}, { kid: '__proto__' }),
  'with a list for a key id': (forge) => signedParts(forge, part({ ...header, kid: [forge.key.kid] }), part(forge.claims)),
  'with a number for a key id': (forge) => signedParts(forge, part({ ...header, kid: 0 }), part(forge.claims)),
  'with an unknown critical header': (forge) => signedParts(forge, part({ ...ours(forge), crit: ['x'], x: 1 }), part(forge.claims)),
  'with an empty list of critical headers': (forge) => signedParts(forge, part({ ...ours(forge), crit: [] }), part(forge.claims)),
  'with claims that are not encoded (b64)': (forge) =>
    forged(forge, {}, { b64: false, crit: ['b64'] }).catch(() =>
      signedParts(forge, part({ ...ours(forge), b64: false, crit: ['b64'] }), part(forge.claims)),
    ),
  compressed: (forge) => signedParts(forge, part({ ...ours(forge), zip: 'DEF', crit: ['zip'] }), part(forge.claims)),
  'of type JWT': (forge) => forged(forge, {}, { typ: 'JWT' }),
  'of no type': (forge) => forged(forge, {}, { typ: undefined }),
  'of a refresh token’s type': (forge) => forged(forge, {}, { typ: 'rt+jwt' }),
  'of another issuer': (forge) => forged(forge, { iss: 'other' }),
  'of our issuer in other letters': (forge) => forged(forge, { iss: 'Homing' }),
  'without an issuer': (forge) => forged(forge, { iss: undefined }),
  'for another audience': (forge) => forged(forge, { aud: 'other' }),
  'for nobody': (forge) => forged(forge, { aud: [] }),
  'without an audience': (forge) => forged(forge, { aud: undefined }),
  'without a person': (forge) => forged(forge, { sub: undefined }),
  'for a person that is no id': (forge) => forged(forge, { sub: 'ada' }),
  'for a person that is an object': (forge) => forged(forge, { sub: { id: forge.claims.sub } }),
  'without a sign-in': (forge) => forged(forge, { sid: undefined }),
  'of a sign-in that is no id': (forge) => forged(forge, { sid: 7 }),
  'of a sign-in that never was': (forge) => forged(forge, { sid: forge.claims.sub }),
  'without an id of its own': (forge) => forged(forge, { jti: undefined }),
  'without an end': (forge) => forged(forge, { exp: undefined }),
  'with an end that is no number': (forge) => forged(forge, { exp: '9999999999' }),
  'with an end that no number holds': (forge) =>
    signedParts(forge, part(ours(forge)), part(JSON.stringify(forge.claims).replace(/"exp":\d+/, '"exp":1e999'))),
  'without a beginning': (forge) => forged(forge, { iat: undefined }),
  'not valid yet': (forge) => forged(forge, { nbf: forge.iat + 600 }),
  'whose claims are a list': (forge) => signedParts(forge, part(ours(forge)), part([forge.claims])),
  'whose claims are null': (forge) => signedParts(forge, part(ours(forge)), part('null')),
  'whose claims are no JSON': (forge) => signedParts(forge, part(ours(forge)), part('{')),
  'whose header is no JSON': (forge) => signedParts(forge, part('{'), part(forge.claims)),
  'larger than any token': (forge) => forged(forge, { fill: 'x'.repeat(7_000) }),
  'a refresh token': ({ refreshToken }) => refreshToken,
};
