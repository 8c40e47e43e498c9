import { exportJWK, exportPKCS8, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { systemRandom } from '../../../shared/clock.ts';
import { openRing } from '../testing/keys.ts';
import { type Forge, TOKEN_MUTATIONS, forged } from '../testing/token-mutations.ts';
import { signAccessToken, verifyAccessToken } from './access-token.ts';
import type { KeyRing } from './key-ring.ts';
import { ACCESS_MS, importPem, importStored, makeStoredKey } from './signing-keys.ts';

const NOW = 1_800_000_000_000;
const who = { userId: '0190a0a0-0000-7000-8000-000000000001', sid: '0190a0a0-0000-7000-8000-000000000002', rotation: 3 };
const iat = NOW / 1000;
const claims = { iss: 'homing', aud: 'homing', sub: who.userId, sid: who.sid, rot: 3, jti: 'j', iat, exp: iat + 900 };

let keys: KeyRing;
let forge: Forge;
beforeAll(async () => {
  const stored = await makeStoredKey(0);
  keys = await openRing(() => [stored]);
  const { token } = await signAccessToken(keys, { ...who, now: NOW, random: systemRandom });
  const [key] = await importStored([stored]);
  forge = { token, refreshToken: `${who.sid}.${'A'.repeat(43)}`, key: key!, claims, iat };
});

const verify = (text: string, now = NOW) => verifyAccessToken(keys, text, now);

test('[S2] a token proves who, in which sign-in and until when', async () => {
  expect(await verify(forge.token)).toEqual({ kind: 'valid', ...who, expiresAt: NOW + ACCESS_MS });
  expect(await verify(await forged(forge, {}))).toMatchObject({ kind: 'valid', rotation: 3 });
});

test('[S2] it expires after 15 minutes and half a minute for wrong clocks', async () => {
  expect(await verify(forge.token, NOW + ACCESS_MS + 29_000)).toMatchObject({ kind: 'valid' });
  expect(await verify(forge.token, NOW + ACCESS_MS + 31_000)).toEqual({ kind: 'expired' });
  expect(await verify(forge.token, NOW - 29_000)).toMatchObject({ kind: 'valid' });
});

test('[F9] of a time to come, because a clock was put back, it is to be renewed: nobody is signed out', async () => {
  expect(await verify(forge.token, NOW - 31_000)).toEqual({ kind: 'expired' });
  expect(await verify(forge.token, NOW - 24 * 3_600_000)).toEqual({ kind: 'expired' });
  const other = await TOKEN_MUTATIONS['signed by somebody under our key id']!(forge);
  expect(await verify(other, NOW - 31_000)).toEqual({ kind: 'invalid' });
});

describe('[S2] a token is refused', () => {
  // Whether its sign-in ever was is not the token's to tell.
  const mutations = Object.entries(TOKEN_MUTATIONS).filter(([name]) => name !== 'of a sign-in that never was');
  test.each(mutations)('%s', async (_, mutate) => {
    expect(await verify(await mutate(forge))).toEqual({ kind: 'invalid' });
  });

  test('that lives longer than a token may', async () => {
    expect(await verify(await forged(forge, { exp: iat + 90_000 }), NOW + ACCESS_MS + 31_000)).toEqual({ kind: 'expired' });
  });

  test('that is expired and forged: it was never good', async () => {
    const other = await TOKEN_MUTATIONS['signed by somebody under our key id']!(forge);
    expect(await verify(other, NOW + 2 * ACCESS_MS)).toEqual({ kind: 'invalid' });
  });
});

describe('[S5] keys from a text', () => {
  const pem = async (): Promise<string> => exportPKCS8((await generateKeyPair('EdDSA', { extractable: true })).privateKey);
  const ringOf = (text: string) => importPem(text);

  test('the first signs, all of them verify, line breaks may be written as such', async () => {
    const [older, newer] = [await pem(), await pem()];
    const [before] = await ringOf(older);
    const both = await ringOf(`${newer}\n${older}`);
    expect(both.map(({ kid }) => kid)).toEqual([(await ringOf(newer))[0]!.kid, before!.kid]);
    expect(both.map(({ verifiesUntil }) => verifiesUntil)).toEqual([null, null]);
    expect((await ringOf(older.replaceAll('\n', '\\n')))[0]!.kid).toBe(before!.kid);
  });

  test.each(['', 'no key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'])(
    '%j is no key, and is not repeated',
    async (text) => {
      await expect(importPem(text)).rejects.toThrow('Ed25519 key as PKCS #8 PEM');
    },
  );

  test('of another algorithm, or the public half, are none', async () => {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    await expect(importPem(await exportPKCS8(privateKey))).rejects.toThrow('Ed25519');
    const { publicKey } = await generateKeyPair('EdDSA', { extractable: true });
    await expect(importStored([{ kid: 'k', jwk: JSON.stringify(await exportJWK(publicKey)), signsFrom: 0 }])).rejects.toThrow();
  });
});
