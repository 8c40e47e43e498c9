import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { signedIn } from '../../../shared/api.ts';
import { makeSigningKeys } from '../../postgres/signing-keys.ts';
import { makeStoredKey } from '../identity/signing-keys.ts';
import { type TestApi, openTestApi } from '../test-api.ts';

let api: TestApi;
const hashes: (string | null)[] = [];
beforeAll(async () => {
  api = await openTestApi((deps) => ({
    ...deps,
    passwords: {
      hash: (password) => deps.passwords.hash(password),
      async matches(stored, password) {
        hashes.push(stored);
        return deps.passwords.matches(stored, password);
      },
    },
  }));
});
afterAll(() => api.close());
beforeEach(() => {
  api.told.ended.length = 0;
  api.told.extended.length = 0;
});

const setCookies = (headers: Headers): string[] => headers.getSetCookie();
const cookieHeader = (headers: Headers): string =>
  setCookies(headers)
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
const password = 'correct horse';
const program = { password, client: 'program' };
const refresh = (refreshToken: string | undefined) => api.call('POST', '/api/auth/refresh', { refreshToken });
const isIn = async (accessToken: string): Promise<boolean> =>
  (await api.call('GET', '/api/me', undefined, { Authorization: `Bearer ${accessToken}` })).status === 200;

test('[S3] registering signs a browser in by cookies, and its tokens stand nowhere else', async () => {
  const answer = await api.call('POST', '/api/auth/register', { handle: ' Ada ', displayName: 'Ada L.', password });
  expect(answer.status).toBe(201);
  expect(answer.body).toEqual({
    user: {
      id: expect.any(String),
      handle: 'ada',
      displayName: 'Ada L.',
      bio: '',
      avatarUrl: null,
      document: expect.stringMatching(/^user:.*\/1$/),
    },
    accessToken: expect.any(String),
    expiresAt: expect.any(String),
  });
  expect(setCookies(answer.headers)).toEqual([
    expect.stringMatching(/^homing_device=[\w-]{43}; Max-Age=31536000; Path=\/api\/auth; HttpOnly; SameSite=Lax$/),
    expect.stringMatching(/^homing_session=[^;]+; Max-Age=5184000; Path=\/; HttpOnly; SameSite=Lax$/),
    expect.stringMatching(/^homing_refresh=[^;]+; Max-Age=5184000; Path=\/api\/auth; HttpOnly; SameSite=Lax$/),
  ]);
  const me = await api.call('GET', '/api/me', undefined, { Cookie: cookieHeader(answer.headers) });
  expect(me).toMatchObject({ status: 200, body: { handle: 'ada' } });
});

test('[S3] over TLS the cookies are bound to the host, and others are not read', async () => {
  const tls = { 'X-Forwarded-Proto': 'https' };
  const answer = await api.call('POST', '/api/auth/register', { handle: 'tls', displayName: 'T', password }, tls);
  expect(setCookies(answer.headers)).toEqual([
    expect.stringMatching(/^__Secure-homing_device=[^;]+; Max-Age=\d+; Path=\/api\/auth; HttpOnly; Secure; SameSite=Lax$/),
    expect.stringMatching(/^__Host-homing_session=[^;]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
    expect.stringMatching(/^__Secure-homing_refresh=[^;]+; Max-Age=\d+; Path=\/api\/auth; HttpOnly; Secure; SameSite=Lax$/),
  ]);
  const Cookie = cookieHeader(answer.headers);
  expect((await api.call('GET', '/api/me', undefined, { ...tls, Cookie })).status).toBe(200);
  const bare = Cookie.replaceAll(/__(Host|Secure)-/g, '');
  expect((await api.call('GET', '/api/me', undefined, { ...tls, Cookie: bare })).status).toBe(401);
});

test('a handle is one person’s, in whatever case', async () => {
  await api.register('grace');
  const answer = await api.call('POST', '/api/auth/register', { handle: 'GRACE', displayName: 'G', password });
  expect(answer).toMatchObject({ status: 409, body: { code: 'handle-taken' } });
});

test('[S1] passwords are argon2id hashes', async () => {
  await api.register('hashed');
  const [row] = await api.sql`select password_hash as hash from users where handle = 'hashed'`;
  expect(row!.hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
});

test('[S1] an unknown handle and a wrong password get the same answer for the same work', async () => {
  await api.register('known');
  hashes.length = 0;
  const wrong = await api.call('POST', '/api/auth/login', { ...program, handle: 'known', password: 'wrong' });
  const unknown = await api.call('POST', '/api/auth/login', { ...program, handle: 'unknown' });
  const noHandle = await api.call('POST', '/api/auth/login', { ...program, handle: 'no\u0000handle' });
  expect(wrong).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
  for (const other of [unknown, noHandle]) {
    expect(other.status).toBe(401);
    expect(other.body).toEqual(wrong.body);
    expect([...other.headers]).toEqual([...wrong.headers]);
  }
  expect(hashes).toEqual([expect.stringMatching(/^\$argon2id/), null, null]);
});

test('logging in gives a program its tokens and no cookies', async () => {
  await api.register('prog');
  const answer = await api.call('POST', '/api/auth/login', { ...program, handle: 'Prog' });
  expect(answer).toMatchObject({ status: 200, body: { user: { handle: 'prog' }, refreshToken: expect.any(String) } });
  expect(setCookies(answer.headers)).toEqual([]);
  expect(await isIn(signedIn.parse(answer.body).accessToken)).toBe(true);
});

test('[S2] an access token ends after 15 minutes, a refresh gives the next and extends the sockets', async () => {
  const person = await api.register('fleeting');
  api.pass(16 * 60_000);
  const late = await person.call('GET', '/api/me');
  expect(late).toMatchObject({ status: 401, body: { code: 'expired' } });
  const renewed = signedIn.parse((await refresh(person.refreshToken)).body);
  expect(await isIn(renewed.accessToken)).toBe(true);
  expect(renewed.refreshToken).not.toBe(person.refreshToken);
  expect(api.told.extended).toHaveLength(2);
  expect(new Set(api.told.extended).size).toBe(1);
});

test('[S2] refreshing by cookie rotates the cookies', async () => {
  const answer = await api.call('POST', '/api/auth/register', { handle: 'browser', displayName: 'B', password });
  const Cookie = cookieHeader(answer.headers);
  const renewed = await api.call('POST', '/api/auth/refresh', undefined, { Cookie, 'Sec-Fetch-Site': 'same-origin' });
  expect(renewed.status).toBe(200);
  expect(renewed.body).not.toHaveProperty('refreshToken');
  expect(cookieHeader(renewed.headers)).toMatch(/homing_session=.+homing_refresh=/);
  expect(cookieHeader(renewed.headers)).not.toBe(Cookie);
});

test('[S2] two tabs that refresh at once get the same successor, as does who lost the answer, for 20 s', async () => {
  const person = await api.register('tabs');
  const both = await Promise.all([refresh(person.refreshToken), refresh(person.refreshToken), refresh(person.refreshToken)]);
  api.pass(19_000);
  const successors = [...both, await refresh(person.refreshToken)].map(({ body }) => signedIn.parse(body).refreshToken);
  expect(new Set(successors).size).toBe(1);
  expect((await refresh(successors[0])).status).toBe(200);
  expect(api.told.ended).toEqual([]);
});

test('[S2] a token used again after 20 s ends its family, with its access tokens and sockets', async () => {
  const person = await api.register('stolen');
  const renewed = signedIn.parse((await refresh(person.refreshToken)).body);
  expect(await isIn(renewed.accessToken)).toBe(true);
  api.pass(21_000);
  expect(await refresh(person.refreshToken)).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
  expect(api.told.ended).toEqual([{ userId: person.id, sid: expect.any(String) }]);
  expect((await refresh(renewed.refreshToken)).status).toBe(401);
  expect(await isIn(renewed.accessToken)).toBe(false);
});

test('[S2] a refresh whose answer was lost is answered again, hours later, with the same successor', async () => {
  const person = await api.register('lossy');
  const lost = signedIn.parse((await refresh(person.refreshToken)).body);
  // What the older access token does shows nothing about the answer.
  expect(await isIn(person.accessToken)).toBe(true);
  api.pass(5 * 3_600_000);
  const again = signedIn.parse((await refresh(person.refreshToken)).body);
  expect(again.refreshToken).toBe(lost.refreshToken);
  expect(await isIn(again.accessToken)).toBe(true);
  expect((await refresh(again.refreshToken)).status).toBe(200);
  api.pass(21_000);
  expect((await refresh(person.refreshToken)).status).toBe(401);
});

test('[S2] two tabs refresh a thousand times each: nobody is signed out', async () => {
  const answer = await api.call('POST', '/api/auth/register', { handle: 'twotabs', displayName: 'T', password });
  let jar = cookieHeader(answer.headers);
  const statuses: number[] = [];
  for (let round = 0; round < 1_000; round++) {
    const seen = jar;
    const tab = async (cookies: string): Promise<void> => {
      const renewed = await api.call('POST', '/api/auth/refresh', undefined, { Cookie: cookies, Origin: 'http://localhost' });
      statuses.push(renewed.status);
      if (renewed.status === 200) jar = cookieHeader(renewed.headers);
    };
    // Now both at once, now the second one late, with what it read before the first one's answer.
    if (round % 3 === 0) await Promise.all([tab(seen), tab(seen)]);
    else {
      await tab(seen);
      api.pass(round % 3 === 1 ? 19_000 : 0);
      await tab(seen);
    }
    if (round % 10 === 0) expect((await api.call('GET', '/api/me', undefined, { Cookie: jar })).status).toBe(200);
    api.pass(14 * 60_000);
  }
  expect(statuses).toHaveLength(2_000);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect(api.told.ended).toEqual([]);
});

test('[S2] a sign-in that nobody used for 60 days has run out', async () => {
  const person = await api.register('away');
  api.pass(61 * 24 * 3_600_000);
  expect((await refresh(person.refreshToken)).status).toBe(401);
});

test('[S2] the database holds no token', async () => {
  const person = await api.register('secretive');
  const [row] = await api.sql`select row_to_json(s)::text as row from sign_ins s where user_id = ${person.id}`;
  const secret = Buffer.from(person.refreshToken!.split('.')[1]!, 'base64url');
  expect(row!.row).not.toContain(secret.toString('hex'));
  expect(row!.row).not.toContain(person.refreshToken!.split('.')[1]);
});

test.each([undefined, '', 'x', `${'0'.repeat(36)}.${'A'.repeat(43)}`, `00000000-0000-7000-8000-000000000000.${'A'.repeat(43)}`])(
  'refreshing with %s is refused, and the cookies go',
  async (token) => {
    const Cookie = token === undefined ? '' : `homing_refresh=${token}`;
    const answer = await api.call('POST', '/api/auth/refresh', undefined, { Cookie, Origin: 'http://localhost' });
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    expect(setCookies(answer.headers)).toEqual([
      'homing_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax',
      'homing_refresh=; Max-Age=0; Path=/api/auth; HttpOnly; SameSite=Lax',
    ]);
  },
);

test('[S4] signing out ends the sign-in at once, with an expired access token too, and no other one', async () => {
  const person = await api.register('leaving');
  const other = signedIn.parse((await api.call('POST', '/api/auth/login', { ...program, handle: 'leaving' })).body);
  expect((await api.call('POST', '/api/auth/logout', { refreshToken: person.refreshToken })).status).toBe(204);
  expect(api.told.ended).toEqual([{ userId: person.id, sid: person.refreshToken!.split('.')[0] }]);
  expect(await isIn(person.accessToken)).toBe(false);
  expect((await refresh(person.refreshToken)).status).toBe(401);
  expect(await isIn(other.accessToken)).toBe(true);
});

test('[S4] a browser signs out by its cookies, and again without harm', async () => {
  const answer = await api.call('POST', '/api/auth/register', { handle: 'closing', displayName: 'C', password });
  const headers = { Cookie: cookieHeader(answer.headers), Origin: 'http://localhost' };
  const out = await api.call('POST', '/api/auth/logout', undefined, headers);
  expect(out.status).toBe(204);
  expect(setCookies(out.headers)).toHaveLength(2);
  expect((await api.call('GET', '/api/me', undefined, headers)).status).toBe(401);
  expect((await api.call('POST', '/api/auth/logout', undefined, headers)).status).toBe(204);
  expect(api.told.ended).toHaveLength(1);
});

test('[S1] whatever is wrong with a log-in, one password is checked for it, and never none', async () => {
  await api.register('counted');
  const random = (i: number) => ['counted', `nobody${i}`, 'counted', `n\u0000${i}`][i % 4]!;
  hashes.length = 0;
  for (let i = 0; i < 40; i++)
    await api.call(
      'POST',
      '/api/auth/login',
      { ...program, handle: random(i), password: `wrong ${i}` },
      { 'X-Forwarded-For': `198.51.100.${i}` },
    );
  expect(hashes).toHaveLength(40);
  expect(hashes.filter((stored) => stored === null)).toHaveLength(20);
});

test('[S1] an unknown handle and a wrong password take as long: of sixty pairs neither is the slower one', async () => {
  await api.register('timed');
  const timeOf = async (handle: string, from: string): Promise<number> => {
    const before = performance.now();
    await api.call('POST', '/api/auth/login', { ...program, handle, password: 'wrong' }, { 'X-Forwarded-For': from });
    return performance.now() - before;
  };
  let slower = 0;
  for (let i = 0; i < 60; i++) {
    api.pass(60_000);
    const kinds = [`nobody${i}`, 'timed'];
    // Whoever is first may find a cold cache.
    const [one, two] = i % 2 === 0 ? kinds : kinds.toReversed();
    const [a, b] = [await timeOf(one!, `198.51.101.${i}`), await timeOf(two!, `198.51.101.${i}`)];
    if (i % 2 === 0 ? b > a : a > b) slower += 1;
  }
  // The sign test: beyond these the chance is one in a thousand that nothing is the matter.
  expect(slower).toBeGreaterThan(16);
  expect(slower).toBeLessThan(44);
});

test('[S7] a browser that signed in before is let in while others guess from everywhere', async () => {
  const registered = await api.call('POST', '/api/auth/register', { handle: 'besieged', displayName: 'B', password });
  const device = cookieHeader(registered.headers).match(/homing_device=[^;]+/)![0];
  const login = (from: string, guess: string, headers: Record<string, string> = {}) =>
    api.call('POST', '/api/auth/login', { password: guess, handle: 'besieged' }, { 'X-Forwarded-For': from, ...headers });
  hashes.length = 0;
  const statuses = [];
  for (let i = 0; i < 200; i++) statuses.push((await login(`203.0.${Math.floor(i / 100)}.${i % 100}`, 'guess')).status);
  expect(statuses.filter((status) => status === 401).length).toBeLessThan(53);
  expect(hashes.length).toBeLessThan(53);
  expect((await login('203.0.9.9', password)).status).toBe(429);
  expect((await login('203.0.9.9', password, { Cookie: device, Origin: 'http://localhost' })).status).toBe(200);
  // Of another person it is unknown, and so is one that somebody made up.
  await api.register('neighbour');
  const made = { Cookie: `homing_device=${'A'.repeat(43)}`, Origin: 'http://localhost' };
  expect((await login('203.0.9.9', password, made)).status).toBe(429);
});

test('guessing is slowed down for the guesser, not for the person', async () => {
  await api.register('target');
  const login = (from: string, guess: string) =>
    api.call('POST', '/api/auth/login', { ...program, handle: 'target', password: guess }, { 'X-Forwarded-For': from });
  const statuses = [];
  for (let i = 0; i < 11; i++) statuses.push((await login('192.0.2.1', `guess ${i}`)).status);
  expect(statuses).toEqual([...Array(10).fill(401), 429]);
  const refused = await login('192.0.2.1', password);
  expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-requests' } });
  expect(refused.headers.get('retry-after')).toMatch(/^[1-9][0-9]?$/);
  expect((await login('192.0.2.2', password)).status).toBe(200);
  api.pass(20_000);
  expect((await login('192.0.2.1', password)).status).toBe(200);
});

test.each(['closed', 'invite'] as const)('REGISTRATION=%s lets nobody register', async (registration) => {
  const shut = await openTestApi((deps) => ({ ...deps, registration }));
  const answer = await shut.call('POST', '/api/auth/register', { handle: 'ada', displayName: 'A', password });
  const detail = expect.stringMatching(registration === 'invite' ? /invitation/ : /closed/) as unknown;
  expect(answer).toMatchObject({ status: 403, body: { code: 'registration-closed', detail } });
  await shut.close();
});

test('[S5] nodes that start at once share one signing key', async () => {
  await api.sql`delete from signing_keys`;
  const keys = makeSigningKeys(api.sql);
  const loaded = await Promise.all([1, 2, 3, 4].map(() => keys.load(() => makeStoredKey(api.now()))));
  expect(new Set(loaded.flat().map(({ kid }) => kid)).size).toBe(1);
  expect(await api.sql`select kid from signing_keys`).toHaveLength(1);
});

test('[H1] what cannot be a handle is nobody’s, also on a device that is known', async () => {
  const headers = { Cookie: `homing_device=${'a'.repeat(43)}`, 'X-Forwarded-For': '10.77.0.1' };
  for (const handle of ['a\u0000b', 'a\ud800b', '%', 'x'.repeat(60)])
    expect((await api.call('POST', '/api/auth/login', { handle, password }, headers)).status, JSON.stringify(handle)).toBe(401);
  expect(api.errors).toEqual([]);
});
