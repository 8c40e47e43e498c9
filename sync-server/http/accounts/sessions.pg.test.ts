import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Session, sessions } from '../../../shared/account-api.ts';
import { signedIn } from '../../../shared/api.ts';
import { type TestApi, type TestPerson, openTestApi } from '../test-api.ts';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0';
const password = 'correct horse';
let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());
beforeEach(() => void (api.told.ended.length = 0));

const listed = async (person: Pick<TestPerson, 'call'>): Promise<Session[]> =>
  sessions.parse((await person.call('GET', '/api/me/sessions')).body).sessions;

/** The same person on one more device. */
async function another(handle: string, userAgent: string) {
  const body = { handle, password, client: 'program' };
  const answer = await api.call('POST', '/api/auth/login', body, { 'User-Agent': userAgent });
  const { accessToken, refreshToken } = signedIn.parse(answer.body);
  return {
    refreshToken,
    call: (method: string, path: string, data?: unknown) => api.call(method, path, data, { Authorization: `Bearer ${accessToken}` }),
  };
}

test('[U1] one sees where one is signed in, on what, since when, and which is this', async () => {
  const ada = await api.register('ada');
  api.pass(3_600_000);
  const firefox = await another('ada', FIREFOX);
  const found = await listed(firefox);
  expect(found.map(({ device, isCurrent }) => [device, isCurrent])).toEqual([
    ['Firefox on Linux', true],
    ['A program', false],
  ]);
  expect(Date.parse(found[0]!.createdAt) - Date.parse(found[1]!.createdAt)).toBeGreaterThanOrEqual(3_600_000);
  // A refresh is a use.
  await api.call('POST', '/api/auth/refresh', { refreshToken: ada.refreshToken });
  const [first] = await listed(firefox);
  expect(first).toMatchObject({ device: 'A program', isCurrent: false });
  expect(Date.parse(first!.lastUsedAt)).toBeGreaterThan(Date.parse(first!.createdAt));
});

test('[U1] ending one ends its tokens and its sockets, and nobody else’s', async () => {
  const grace = await api.register('grace');
  const firefox = await another('grace', FIREFOX);
  const other = (await listed(grace)).find(({ isCurrent }) => !isCurrent)!;
  const mallory = await api.register('mallory');
  expect((await mallory.call('DELETE', `/api/me/sessions/${other.id}`)).status).toBe(404);
  expect(api.told.ended).toEqual([]);
  expect((await grace.call('DELETE', `/api/me/sessions/${other.id}`)).status).toBe(204);
  expect(api.told.ended).toEqual([{ userId: grace.id, sid: other.id }]);
  expect((await firefox.call('GET', '/api/me')).status).toBe(401);
  expect((await api.call('POST', '/api/auth/refresh', { refreshToken: firefox.refreshToken })).status).toBe(401);
  expect(await grace.call('DELETE', `/api/me/sessions/${other.id}`)).toMatchObject({ status: 404, body: { code: 'not-found' } });
  expect((await grace.call('DELETE', '/api/me/sessions/nonsense')).status).toBe(404);
});

test('[U1] all others end at once; this one stays', async () => {
  const ida = await api.register('ida');
  const others = [await another('ida', FIREFOX), await another('ida', 'curl/8')];
  const bystander = await api.register('bystander');
  expect((await ida.call('DELETE', '/api/me/sessions')).status).toBe(204);
  expect(api.told.ended).toHaveLength(2);
  expect(new Set(api.told.ended.map(({ userId }) => userId))).toEqual(new Set([ida.id]));
  for (const other of others) expect((await other.call('GET', '/api/me')).status).toBe(401);
  expect((await listed(ida)).map(({ isCurrent }) => isCurrent)).toEqual([true]);
  expect((await bystander.call('GET', '/api/me')).status).toBe(200);
});

test('[U1] a hundred at most: the next one ends the one that was used longest ago', async () => {
  const busy = await api.register('busy');
  api.pass(1000);
  await api.sql`
    insert into sign_ins (sid, user_id, device, token_hash, successor_key, created_at, rotated_at, expires_at)
    select gen_random_uuid(), ${busy.id}, 'old', '', '', now(), ${new Date(api.now())}, ${new Date(api.now() + 1e9)}
    from generate_series(1, 99)`;
  expect((await busy.call('GET', '/api/me')).status).toBe(200);
  const newest = await another('busy', FIREFOX);
  expect(await listed(newest)).toHaveLength(100);
  expect((await busy.call('GET', '/api/me')).status).toBe(401);
  expect(api.told.ended).toMatchObject([{ userId: busy.id }]);
});

test('sessions are not for who is not signed in', async () => {
  for (const [method, path] of [
    ['GET', '/api/me/sessions'],
    ['DELETE', '/api/me/sessions'],
  ] as const)
    expect((await api.call(method, path)).status).toBe(401);
});
