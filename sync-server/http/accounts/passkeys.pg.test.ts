import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type CreationOptions, type RequestOptions, creationOptions, passkeys, requestOptions } from '../../../shared/account-api.ts';
import { signedIn } from '../../../shared/api.ts';
import { systemRandom } from '../../../shared/clock.ts';
import { makeToken } from '../identity/link-token.ts';
import { type TestApi, type TestPerson, openTestApi } from '../test-api.ts';
import { type Deviation, makeAuthenticator } from '../testing/authenticator.ts';

/** `app.request` asks for http://localhost. */
const ORIGIN = 'http://localhost';
const password = 'correct horse';
let api: TestApi;
let ada: Pick<TestPerson, 'id' | 'call'>;
let device: ReturnType<typeof makeAuthenticator>;
beforeAll(async () => {
  api = await openTestApi();
  ada = await api.register('ada', 'Ada Lovelace');
  device = makeAuthenticator(ORIGIN);
  expect(await add(ada, device)).toMatchObject({ status: 201 });
});
afterAll(() => api.close());
/** Allowances fill up again, and Ada signs in anew. */
beforeEach(async () => {
  api.pass(10 * 60_000);
  const { body } = await api.call('POST', '/api/auth/login', { handle: 'ada', password, client: 'program' });
  const { accessToken } = signedIn.parse(body);
  ada = { id: ada.id, call: (method, path, data) => api.call(method, path, data, { Authorization: `Bearer ${accessToken}` }) };
});

const askToAdd = async (person: Pick<TestPerson, 'call'>): Promise<CreationOptions> =>
  creationOptions.parse((await person.call('POST', '/api/me/passkeys/options', { password })).body);
const askToSign = async (headers: Record<string, string> = {}): Promise<RequestOptions> =>
  requestOptions.parse((await api.call('POST', '/api/auth/passkey/options', undefined, headers)).body);

async function add(person: Pick<TestPerson, 'call'>, made: ReturnType<typeof makeAuthenticator>, deviation: Deviation = {}) {
  return person.call('POST', '/api/me/passkeys', { name: ' Laptop ', passkey: made.create(await askToAdd(person), deviation) });
}
async function signIn(made = device, deviation: Deviation = {}, headers: Record<string, string> = {}) {
  const passkey = made.get(await askToSign(headers), deviation);
  return api.call('POST', '/api/auth/passkey', { passkey, client: 'program' }, headers);
}
const listed = async (person: Pick<TestPerson, 'call'>) => passkeys.parse((await person.call('GET', '/api/me/passkeys')).body);
const REFUSED = { status: 401, body: { code: 'unauthorized', detail: 'This passkey was not accepted. Please try again.' } };

describe('[U3] a reset link', () => {
  test('leaves no passkey that somebody added while they were in', async () => {
    const [mia, thiefs] = [await api.register('mia'), makeAuthenticator(ORIGIN)];
    expect((await add(mia, thiefs)).status).toBe(201);
    expect((await signIn(thiefs)).status).toBe(200);
    const { token, hash } = makeToken(systemRandom);
    await api.deps.passwordStore.openReset('mia', { tokenHash: hash, expiresAt: api.now() + 60_000 });
    expect((await api.call('POST', '/api/auth/reset', { token, password: 'battery staple' })).status).toBe(200);
    expect(await signIn(thiefs)).toMatchObject(REFUSED);
  });
});

describe('[U4] signing in', () => {
  test('needs no name: the device knows whose passkey it is', async () => {
    const answer = await signIn();
    expect(answer).toMatchObject({ status: 200, body: { user: { handle: 'ada' } } });
    const { accessToken } = signedIn.parse(answer.body);
    expect((await api.call('GET', '/api/me', undefined, { Authorization: `Bearer ${accessToken}` })).status).toBe(200);
    expect((await listed(ada)).passkeys).toMatchObject([{ id: device.id, name: 'Laptop', lastUsedAt: expect.any(String) }]);
  });

  test('gives a browser its cookies', async () => {
    const passkey = device.get(await askToSign());
    const answer = await api.call('POST', '/api/auth/passkey', { passkey });
    expect(answer.status).toBe(200);
    const names = answer.headers.getSetCookie().map((cookie) => cookie.split('=')[0]);
    expect(names).toEqual(expect.arrayContaining(['homing_session', 'homing_refresh']));
    expect(answer.body).not.toHaveProperty('refreshToken');
  });

  test('works behind a proxy, at the place that the browser sees', async () => {
    const headers = { 'X-Forwarded-Host': 'chat.example.org', 'X-Forwarded-Proto': 'https' };
    const eve = await api.register('proxied');
    const other = makeAuthenticator('https://chat.example.org');
    const options = creationOptions.parse((await eve.call('POST', '/api/me/passkeys/options', { password }, headers)).body);
    expect(options.rp.id).toBe('chat.example.org');
    expect(await eve.call('POST', '/api/me/passkeys', { name: 'P', passkey: other.create(options) }, headers)).toMatchObject({
      status: 201,
    });
    expect((await askToSign(headers)).rpId).toBe('chat.example.org');
    expect((await signIn(other, {}, headers)).status).toBe(200);
    // Over TLS, the page without it is another one.
    expect(await signIn(other, { origin: 'http://chat.example.org' }, headers)).toMatchObject(REFUSED);
  });

  test('takes devices that do not count', async () => {
    const lou = await api.register('lou');
    const apple = makeAuthenticator(ORIGIN);
    await add(lou, apple);
    for (let i = 0; i < 2; i++) expect((await signIn(apple, { counter: 0 })).status).toBe(200);
  });

  test('asks everybody for the same', async () => {
    const [one, two] = [await askToSign(), await askToSign()];
    expect(one).toEqual({ ...two, challenge: one.challenge });
    expect(one.challenge).not.toBe(two.challenge);
  });
});

describe('[U4] refused alike', () => {
  test.each<[string, Deviation]>([
    ['a page of another origin', { origin: 'https://homing.example.evil' }],
    ['another port', { origin: 'http://localhost:8080' }],
    ['another host’s passkeys', { rpId: 'example.evil' }],
    ['a challenge that was never given', { challenge: Buffer.alloc(32).toString('base64url') }],
    ['a device that does not know who holds it', { isUnverified: true }],
    ['a count that went back: a copy may be about', { counter: 1 }],
    ['another person’s handle', { userHandle: Buffer.alloc(16).toString('base64url') }],
  ])('%s', async (_what, deviation) => {
    expect(await signIn(device, deviation)).toMatchObject(REFUSED);
    expect((await signIn()).status).toBe(200);
  });

  test('a passkey of nobody here', async () => {
    const stranger = makeAuthenticator(ORIGIN);
    const options = await askToSign();
    const passkey = stranger.get(options, { userHandle: device.get(options).response.userHandle });
    expect(await api.call('POST', '/api/auth/passkey', { passkey })).toMatchObject(REFUSED);
    // Nor does its signature pass under the id of one that is known.
    const forged = {
      ...stranger.get(await askToSign(), { userHandle: passkey.response.userHandle, counter: 99 }),
      id: device.id,
      rawId: device.id,
    };
    expect(await api.call('POST', '/api/auth/passkey', { passkey: forged })).toMatchObject(REFUSED);
  });

  test('the same signature once more, and a second one for the same challenge', async () => {
    const options = await askToSign();
    const passkey = device.get(options);
    const both = await Promise.all([1, 2].map(() => api.call('POST', '/api/auth/passkey', { passkey })));
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401]);
    expect(await api.call('POST', '/api/auth/passkey', { passkey })).toMatchObject(REFUSED);
    expect(await api.call('POST', '/api/auth/passkey', { passkey: device.get(options) })).toMatchObject(REFUSED);
  });

  test('a challenge after five minutes', async () => {
    const passkey = device.get(await askToSign());
    api.pass(5 * 60_000);
    expect(await api.call('POST', '/api/auth/passkey', { passkey })).toMatchObject(REFUSED);
    const stale = async () =>
      (await api.sql<{ n: number }[]>`select count(*)::int as n from passkey_challenges where expires_at <= ${new Date(api.now())}`)[0]!.n;
    await askToSign();
    api.pass(5 * 60_000);
    expect(await stale()).toBeGreaterThan(0);
    // The next one takes with it what nobody came back for.
    await askToSign();
    expect(await stale()).toBe(0);
  });

  test('a challenge that was given for adding one', async () => {
    const { challenge } = await askToAdd(ada);
    expect(await signIn(device, { challenge })).toMatchObject(REFUSED);
  });

  test('what is no client data', async () => {
    const signed = device.get(await askToSign());
    for (const clientDataJSON of ['', 'AAAA', Buffer.from('{"challenge":5}').toString('base64url')]) {
      const passkey = { ...signed, response: { ...signed.response, clientDataJSON } };
      expect(await api.call('POST', '/api/auth/passkey', { passkey })).toMatchObject(REFUSED);
    }
    expect(await api.call('POST', '/api/auth/passkey', { passkey: { ...signed, id: '%' } })).toMatchObject({ status: 400 });
  });
});

describe('[U4] one’s own passkeys', () => {
  test('are added by whoever knows the password too', async () => {
    for (const body of [{}, { password: 'wrong' }]) {
      const answer = await ada.call('POST', '/api/me/passkeys/options', body);
      expect(answer).toMatchObject({ status: 403, body: { code: 'wrong-password', errors: [{ path: 'password' }] } });
    }
  });

  test('or by who has none', async () => {
    const guest = await api.register('guest');
    await api.sql`update users set password_hash = null where id = ${guest.id}`;
    expect(await listed(guest)).toEqual({ passkeys: [], hasPassword: false });
    const options = creationOptions.parse((await guest.call('POST', '/api/me/passkeys/options', {})).body);
    const theirs = makeAuthenticator(ORIGIN);
    expect((await guest.call('POST', '/api/me/passkeys', { name: 'Key', passkey: theirs.create(options) })).status).toBe(201);
    expect((await signIn(theirs)).body).toMatchObject({ user: { handle: 'guest' } });
  });

  test('name what the person has, so that no device makes a second one', async () => {
    const { user, excludeCredentials } = await askToAdd(ada);
    expect(excludeCredentials).toEqual([{ type: 'public-key', id: device.id }]);
    expect(Buffer.from(user.id, 'base64url').toString('hex')).toBe(ada.id.replaceAll('-', ''));
  });

  test.each<[string, Deviation]>([
    ['made on another page', { origin: 'https://homing.example.evil' }],
    ['made for another host', { rpId: 'example.evil' }],
    ['made for another challenge', { challenge: Buffer.alloc(32).toString('base64url') }],
    ['made by nobody in particular', { isUnverified: true }],
  ])('are not added when %s', async (_what, deviation) => {
    const answer = await add(ada, makeAuthenticator(ORIGIN), deviation);
    expect(answer).toMatchObject({ status: 422, body: { code: 'bad-passkey' } });
    expect((await listed(ada)).passkeys).toHaveLength(1);
  });

  test('are not added twice, nor for another person’s challenge, nor late', async () => {
    const mallory = await api.register('mallory');
    expect((await add(mallory, device)).status).toBe(422);
    const passkey = makeAuthenticator(ORIGIN).create(await askToAdd(ada));
    expect((await mallory.call('POST', '/api/me/passkeys', { name: 'M', passkey })).status).toBe(422);
    const late = makeAuthenticator(ORIGIN).create(await askToAdd(mallory));
    api.pass(5 * 60_000);
    expect((await mallory.call('POST', '/api/me/passkeys', { name: 'M', passkey: late })).status).toBe(422);
    expect((await listed(mallory)).passkeys).toEqual([]);
  });

  test('are twenty at most', async () => {
    const collector = await api.register('collector');
    await api.sql`
      insert into passkeys (id, user_id, name, public_key, counter, created_at)
      select 'k' || n, ${collector.id}, 'n', '', 0, now() from generate_series(1, 20) n`;
    const answer = await collector.call('POST', '/api/me/passkeys/options', { password });
    expect(answer).toMatchObject({ status: 409, body: { code: 'too-many' } });
  });

  test('are named and removed by their owner alone; a removed one signs nobody in', async () => {
    const grace = await api.register('grace');
    const hers = makeAuthenticator(ORIGIN);
    await add(grace, hers);
    const path = `/api/me/passkeys/${hers.id}`;
    expect(await ada.call('PATCH', path, { name: 'Mine' })).toMatchObject({ status: 404 });
    expect(await ada.call('DELETE', path)).toMatchObject({ status: 404 });
    expect(await grace.call('PATCH', path, { name: '\u0000' })).toMatchObject({ status: 400 });
    expect(await grace.call('PATCH', path, { name: 'Phone' })).toMatchObject({ status: 200, body: { name: 'Phone' } });
    expect((await listed(grace)).passkeys).toMatchObject([{ name: 'Phone', lastUsedAt: null }]);
    expect(await grace.call('DELETE', path)).toMatchObject({ status: 204 });
    expect(await grace.call('DELETE', path)).toMatchObject({ status: 404 });
    expect(await signIn(hers)).toMatchObject(REFUSED);
  });

  test('are not for who is not signed in', async () => {
    for (const [method, path, body] of [
      ['GET', '/api/me/passkeys', undefined],
      ['POST', '/api/me/passkeys/options', {}],
      ['PATCH', '/api/me/passkeys/x', { name: 'n' }],
      ['DELETE', '/api/me/passkeys/x', undefined],
    ] as const)
      expect((await api.call(method, path, body)).status).toBe(401);
  });
});

test('[U4] ceremonies are slowed down by address, and guesses at the password by person', async () => {
  const from = { 'X-Forwarded-For': '10.9.9.9' };
  const begun = [];
  for (let i = 0; i < 130; i++) begun.push((await api.call('POST', '/api/auth/passkey/options', undefined, from)).status);
  expect(begun).toContain(429);
  expect((await api.call('POST', '/api/auth/passkey/options')).status).toBe(200);
  const eager = await api.register('eager');
  const guessed = [];
  for (let i = 0; i < 7; i++) guessed.push((await eager.call('POST', '/api/me/passkeys/options', { password: `wrong ${i}` })).status);
  expect(guessed.slice(0, 5)).toEqual([403, 403, 403, 403, 403]);
  expect(guessed.at(-1)).toBe(429);
});
