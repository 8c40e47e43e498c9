import { SignJWT, base64url, exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { systemRandom } from '../../../shared/clock.ts';
import { ACCESS_MS, signAccessToken, verifyAccessToken } from './access-token.ts';
import { type KeyRing, importRing, makeStoredKey, readKeyRing } from './signing-keys.ts';

const NOW = 1_800_000_000_000;
const who = { userId: '0190a0a0-0000-7000-8000-000000000001', sid: '0190a0a0-0000-7000-8000-000000000002' };
const header = { alg: 'EdDSA', typ: 'at+jwt' };
const seconds = NOW / 1000;
const claims = { iss: 'homing', aud: 'homing', sub: who.userId, sid: who.sid, jti: 'j', iat: seconds, exp: seconds + 900 };

let keys: KeyRing;
let token: string;
beforeAll(async () => {
  keys = await importRing([await makeStoredKey()]);
  ({ token } = await signAccessToken(keys, { ...who, now: NOW, random: systemRandom }));
});

/** A token with our own signature over whatever claims and header. */
const signed = (change: Record<string, unknown>, changedHeader: Record<string, unknown> = {}): Promise<string> =>
  new SignJWT({ ...claims, ...change }).setProtectedHeader({ ...header, kid: keys.signing.kid, ...changedHeader }).sign(keys.signing.key);
const without = (name: string): Promise<string> => signed({ [name]: undefined });
const part = (value: unknown): string => base64url.encode(JSON.stringify(value));
const verify = (text: string, now = NOW) => verifyAccessToken(keys, text, now);
const ours = () => ({ ...header, kid: keys.signing.kid });

test('[S2] a token proves who, in which sign-in and until when', async () => {
  expect(await verify(token)).toEqual({ kind: 'valid', ...who, expiresAt: NOW + ACCESS_MS });
  expect(await verify(await signed({}))).toMatchObject({ kind: 'valid' });
});

test('[S2] it expires after 15 minutes and half a minute for wrong clocks', async () => {
  expect(await verify(token, NOW + ACCESS_MS + 29_000)).toMatchObject({ kind: 'valid' });
  expect(await verify(token, NOW + ACCESS_MS + 31_000)).toEqual({ kind: 'expired' });
  expect(await verify(token, NOW - 29_000)).toMatchObject({ kind: 'valid' });
  expect(await verify(token, NOW - 31_000)).toEqual({ kind: 'invalid' });
});

describe('[S2] a token is refused', () => {
  const mutations: Record<string, () => string | Promise<string>> = {
    'that is empty': () => '',
    'that is no token': () => 'token',
    'without a signature': () => token.split('.').slice(0, 2).join('.') + '.',
    'of two parts': () => token.split('.').slice(0, 2).join('.'),
    'of four parts': () => `${token}.x`,
    'with a bit of its signature changed': () => token.slice(0, -10) + (token.at(-10) === 'A' ? 'B' : 'A') + token.slice(-9),
    'with other claims under its signature': () => [token.split('.')[0], part({ ...claims, sub: who.sid }), token.split('.')[2]].join('.'),
    'with alg none': () => `${part({ alg: 'none', typ: 'at+jwt', kid: keys.signing.kid })}.${part(claims)}.`,
    'with alg none and our signature': () => [part({ ...ours(), alg: 'none' }), ...token.split('.').slice(1)].join('.'),
    'signed by HMAC with our public key': async () => {
      const { x } = await exportJWK(keys.verifying.get(keys.signing.kid)!);
      return new SignJWT(claims).setProtectedHeader({ ...ours(), alg: 'HS256' }).sign(base64url.decode(x!));
    },
    'signed by a key of somebody else under our key id': async () => {
      const { privateKey } = await generateKeyPair('EdDSA');
      return new SignJWT(claims).setProtectedHeader(ours()).sign(privateKey);
    },
    'signed by a key that it brings along': async () => {
      const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
      return new SignJWT(claims).setProtectedHeader({ ...header, jwk: await exportJWK(publicKey) }).sign(privateKey);
    },
    'signed by another algorithm': async () => {
      const { privateKey } = await generateKeyPair('ES256');
      return new SignJWT(claims).setProtectedHeader({ ...ours(), alg: 'ES256' }).sign(privateKey);
    },
    'without a key id': () => signed({}, { kid: undefined }),
    'with an unknown key id': () => signed({}, { kid: 'unknown' }),
    'with an unknown critical header': async () =>
      [part({ ...ours(), crit: ['x'], x: 1 }), ...(await signed({})).split('.').slice(1)].join('.'),
    'of type JWT': () => signed({}, { typ: 'JWT' }),
    'of no type': () => signed({}, { typ: undefined }),
    'of a refresh token’s type': () => signed({}, { typ: 'rt+jwt' }),
    'of another issuer': () => signed({ iss: 'other' }),
    'without an issuer': () => without('iss'),
    'for another audience': () => signed({ aud: 'other' }),
    'without an audience': () => without('aud'),
    'without a person': () => without('sub'),
    'for a person that is no id': () => signed({ sub: 'ada' }),
    'without a sign-in': () => without('sid'),
    'of a sign-in that is no id': () => signed({ sid: 7 }),
    'without an id of its own': () => without('jti'),
    'without an end': () => without('exp'),
    'with an end that is no number': () => signed({ exp: '9999999999' }),
    'without a beginning': () => without('iat'),
    'from the future': () => signed({ iat: seconds + 600 }),
    'not valid yet': () => signed({ nbf: seconds + 600 }),
    'whose claims are no object': () => [part(ours()), part([claims]), token.split('.')[2]].join('.'),
  };
  test.each(Object.entries(mutations))('%s', async (_, mutate) => {
    expect(await verify(await mutate())).toEqual({ kind: 'invalid' });
  });

  test('that lives longer than a token may', async () => {
    expect(await verify(await signed({ exp: seconds + 90_000 }), NOW + ACCESS_MS + 31_000)).toEqual({ kind: 'expired' });
  });

  test('that is expired and forged: it was never good', async () => {
    const forged = token.slice(0, -10) + (token.at(-10) === 'A' ? 'B' : 'A') + token.slice(-9);
    expect(await verify(forged, NOW + 2 * ACCESS_MS)).toEqual({ kind: 'invalid' });
  });
});

test('[S2] the newest key signs, older ones still verify', async () => {
  const [older, newer] = [await makeStoredKey(), await makeStoredKey()];
  const before = await signAccessToken(await importRing([older]), { ...who, now: NOW, random: systemRandom });
  const ring = await importRing([newer, older]);
  const after = await signAccessToken(ring, { ...who, now: NOW, random: systemRandom });
  expect(await verifyAccessToken(ring, before.token, NOW)).toMatchObject({ kind: 'valid' });
  expect(await verifyAccessToken(await importRing([newer]), after.token, NOW)).toMatchObject({ kind: 'valid' });
  expect(await verifyAccessToken(await importRing([newer]), before.token, NOW)).toEqual({ kind: 'invalid' });
});

test('a key from a file is read, one that cannot sign is told', async () => {
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const { exportPKCS8 } = await import('jose');
  const ring = await readKeyRing(await exportPKCS8(privateKey));
  const { token: fromFile } = await signAccessToken(ring, { ...who, now: NOW, random: systemRandom });
  expect(await verifyAccessToken(ring, fromFile, NOW)).toMatchObject({ kind: 'valid', sid: who.sid });
  await expect(readKeyRing('no key')).rejects.toThrow(TypeError);
  await expect(importRing([])).rejects.toThrow('no signing key');
  const { publicKey } = await generateKeyPair('EdDSA', { extractable: true });
  await expect(importRing([{ kid: 'k', jwk: JSON.stringify(await exportJWK(publicKey)) }])).rejects.toThrow();
});
