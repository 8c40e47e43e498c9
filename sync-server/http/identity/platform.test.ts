import { exportSPKI, generateKeyPair, importJWK } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AUDIENCE, ISSUER, type OtherPlatform, openOtherPlatform } from '../testing/other-platform.ts';
import { type Platform, handleFrom, makePlatform } from './platform.ts';
import { COOL_DOWN_MS, FRESH_MS, KeysUnavailable, STALE_MS, makeRemoteKeys } from './remote-keys.ts';

const START = 1_800_000_000_000;
let now = START;
let other: OtherPlatform;
let platform: Platform;
const warnings: string[] = [];
beforeEach(async () => {
  now = START;
  other = await openOtherPlatform(() => now);
  const logger = { warn: (fields: Record<string, unknown>) => void warnings.push(String(fields.error)) };
  const keys = makeRemoteKeys({ url: other.url, fetch: (...request) => fetch(...request), elapsed: () => now, logger });
  platform = makePlatform({ issuer: ISSUER, audience: AUDIENCE, handleClaim: 'preferred_username', nameClaim: 'name' }, keys);
});
afterEach(async () => {
  warnings.length = 0;
  await other.close();
});

const ada = { sub: 'u-1', preferred_username: 'Ada', name: 'Ada Lovelace' };
const kind = async (token: string) => (await platform.signIn(token, now)).kind;

test('[S6] a token of the platform tells who somebody is there', async () => {
  const verified = await platform.signIn(await other.sign(ada), now);
  expect(verified).toEqual({
    kind: 'valid',
    claims: { issuer: ISSUER, subject: 'u-1', handle: 'ada', name: 'Ada Lovelace', issuedAt: now, expiresAt: now + 3_600_000 },
  });
  expect(await platform.signIn(await other.sign({ sub: 'u-2' }), now)).toMatchObject({ claims: { handle: null, name: 'Somebody' } });
  expect(await platform.signIn(await other.sign({ sub: 'u-3', name: ' \u0000' }), now)).toMatchObject({ claims: { name: 'Somebody' } });
});

test('[S6] it is good until it ends, and for 24 hours at most', async () => {
  const token = await other.sign(ada);
  const long = await other.sign({ ...ada, exp: START / 1000 + 90 * 24 * 3_600 });
  now += 3_600_000 + 29_000;
  expect(await kind(token)).toBe('valid');
  now += 2_000;
  expect(await kind(token)).toBe('expired');
  expect(await platform.signIn(long, now)).toMatchObject({ kind: 'valid', claims: { expiresAt: START + 24 * 3_600_000 } });
  now = START + 24 * 3_600_000 + 31_000;
  expect(await kind(long)).toBe('expired');
});

describe('[S6] a token of the platform is refused', () => {
  const cases: Record<string, () => Promise<string>> = {
    'of another issuer': () => other.sign({ ...ada, iss: 'https://evil.example' }),
    'of our own issuer': () => other.sign({ ...ada, iss: 'homing' }),
    'for another audience': () => other.sign({ ...ada, aud: 'shop' }),
    'for no audience': () => other.sign({ ...ada, aud: undefined }),
    'of nobody': () => other.sign({ ...ada, sub: undefined }),
    'of an empty somebody': () => other.sign({ ...ada, sub: '' }),
    'of somebody too long': () => other.sign({ ...ada, sub: 'x'.repeat(256) }),
    'of somebody no database can hold': () => other.sign({ ...ada, sub: 'a\u0000b' }),
    'without an end': () => other.sign({ ...ada, exp: undefined }),
    'without a beginning': () => other.sign({ ...ada, iat: undefined }),
    'from the future': () => other.sign({ ...ada, iat: now / 1000 + 600 }),
    'that only describes somebody': () => other.sign(ada, { typ: 'person+jwt' }),
    'that ends a session': () => other.sign(ada, { typ: 'logout+jwt' }),
    'signed by somebody else': async () => other.sign(ada, {}, (await generateKeyPair('RS256')).privateKey),
    'of an unknown key': () => other.sign(ada, { kid: 'unknown' }),
    'signed by HMAC with the public key': async () => {
      const key = (await importJWK(other.published()[0]!, 'RS256', { extractable: true })) as CryptoKey;
      return other.sign(ada, { alg: 'HS256' }, new TextEncoder().encode(await exportSPKI(key)));
    },
    'with an algorithm that is not the key’s': async () => other.sign(ada, { alg: 'ES256' }, (await generateKeyPair('ES256')).privateKey),
    'with keys of its own': () => other.sign(ada, { jku: 'https://evil.example/jwks' }),
    unsigned: async () => {
      const [, claims] = (await other.sign(ada)).split('.');
      return `${Buffer.from(JSON.stringify({ alg: 'none', kid: 'key 0' })).toString('base64url')}.${claims}.`;
    },
  };
  test.each(Object.entries(cases))('%s', async (_, make) => {
    expect(await kind(await make())).toBe('invalid');
  });
});

test('[S6] what describes somebody signs nobody in, and the other way round', async () => {
  const description = await other.sign({ ...ada, sub: 'u-9' }, { typ: 'person+jwt' });
  expect(await platform.describe(description, now)).toMatchObject({ kind: 'valid', claims: { subject: 'u-9' } });
  expect(await kind(description)).toBe('invalid');
  for (const typ of [undefined, 'JWT', 'at+jwt'])
    expect(await platform.describe(await other.sign(ada, { typ }), now)).toEqual({ kind: 'invalid' });
});

test('[S6] a new key of the platform is found at once, and strangers cannot make us ask for keys', async () => {
  expect(await kind(await other.sign(ada))).toBe('valid');
  expect(other.asked()).toBe(1);
  const older = await other.sign(ada);
  now += COOL_DOWN_MS;
  await other.rotate();
  const [one, two] = [await other.sign(ada), await other.sign(ada)];
  expect(await Promise.all([kind(one), kind(two), kind(older)])).toEqual(['valid', 'valid', 'valid']);
  expect(other.asked()).toBe(2);
  const unknown = await other.sign(ada, { kid: 'unknown' });
  for (let i = 0; i < 500; i++) expect(await kind(unknown)).toBe('invalid');
  expect(other.asked()).toBe(2);
  now += FRESH_MS;
  expect(await kind(one)).toBe('valid');
  expect(other.asked()).toBe(3);
});

test.each([
  ['is down', (other: OtherPlatform) => other.become((request) => request.socket.destroy())],
  ['fails', (other: OtherPlatform) => other.become((_, response) => response.writeHead(500).end())],
  ['answers nonsense', (other: OtherPlatform) => other.become((_, response) => response.end('<html>'))],
  ['answers other JSON', (other: OtherPlatform) => other.become((_, response) => response.end('{"keys":"none"}'))],
  ['answers too much', (other: OtherPlatform) => other.become((_, response) => response.end(`{"keys":[],"x":"${'x'.repeat(300_000)}"}`))],
  ['sends us elsewhere', (other: OtherPlatform) => other.become((_, response) => response.writeHead(302, { Location: '/other' }).end())],
])('[S6] while the platform %s, the last keys serve for a day', async (_, fall) => {
  const token = () => other.sign(ada);
  expect(await kind(await token())).toBe('valid');
  fall(other);
  now += STALE_MS - 1;
  expect(await kind(await token())).toBe('valid');
  expect(warnings).toHaveLength(1);
  now += 1;
  await expect(kind(await token())).rejects.toThrow(KeysUnavailable);
  other.become(null);
  now += COOL_DOWN_MS;
  expect(await kind(await token())).toBe('valid');
});

test('[S6] a platform that answers late is not waited for', async () => {
  other.become(() => {});
  const hasty = makeRemoteKeys({
    url: other.url,
    fetch: (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(init.signal ? 20 : 60_000) }),
    elapsed: () => now,
    logger: { warn: () => {} },
  });
  await expect(hasty({ alg: 'RS256', kid: 'key 0' })).rejects.toThrow(KeysUnavailable);
});

test.each([
  ['Ada', 'ada'],
  ['ada.lovelace@example.org', 'ada.lovelace'],
  ['@ada', 'ada'],
  ['Zoë Müller', 'zoe-muller'],
  ['--ada--', 'ada'],
  ['x'.repeat(60), 'x'.repeat(30)],
  ['李', null],
  ['a', null],
  ['', null],
])('what is called %j elsewhere is nearest to %j', (called, handle) => expect(handleFrom(called)).toBe(handle));
