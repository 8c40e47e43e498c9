import { createRequire } from 'node:module';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { me, signedIn } from '../../../shared/api.ts';
import { CLOSE } from '../../../shared/close-codes.ts';
import { makePlatform } from '../identity/platform.ts';
import { COOL_DOWN_MS, STALE_MS, makeRemoteKeys } from '../identity/remote-keys.ts';
import { type Answer, type TestApi, openTestApi } from '../test-api.ts';
import { listen } from '../testing/listen.ts';
import { AUDIENCE, ISSUER, type OtherPlatform, openOtherPlatform } from '../testing/other-platform.ts';

// The client's plugin makes the test runner resolve `ws` as a browser would; here it is Node's.
vi.mock('ws', () => {
  const ws = createRequire(import.meta.url)('../../../node_modules/ws/index.js') as typeof import('ws');
  return { WebSocket: ws.WebSocket, WebSocketServer: ws.WebSocketServer };
});

const SHOP = 'https://shop.example';
let api: TestApi;
let other: OtherPlatform;
beforeAll(async () => {
  other = await openOtherPlatform(() => api.now());
  api = await openTestApi((deps) => {
    const { clock, logger } = deps;
    const keys = makeRemoteKeys({ url: other.url, fetch: (...request) => fetch(...request), elapsed: () => clock.elapsed(), logger });
    const terms = { issuer: ISSUER, audience: AUDIENCE, handleClaim: 'preferred_username', nameClaim: 'name' };
    return { ...deps, platform: makePlatform(terms, keys), allowedOrigins: [SHOP], registration: 'closed' };
  });
});
afterAll(async () => {
  await api.close();
  await other.close();
});

const person = (name: string) => ({ sub: `sub-${name}`, preferred_username: name, name: `${name} of the shop` });
const meWith = (token: string): Promise<Answer> => api.call('GET', '/api/me', undefined, { Authorization: `Bearer ${token}` });
const exchange = async (claims: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Answer> =>
  api.call('POST', '/api/auth/exchange', { token: await other.sign(claims) }, headers);
const enter = (form: Record<string, string>, headers: Record<string, string> = { Origin: SHOP }): Promise<Answer> =>
  api.call('POST', '/api/auth/enter', new URLSearchParams(form).toString(), {
    'Content-Type': 'application/x-www-form-urlencoded',
    ...headers,
  });
const cookies = ({ headers }: Answer): string =>
  headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ');

test('[S6] a token of the platform is good as Bearer, and is one person however often it comes', async () => {
  const tokens = await Promise.all([1, 2, 3, 4, 5, 6].map(() => other.sign(person('grace'))));
  const answers = await Promise.all(tokens.map(meWith));
  expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
  expect(new Set(answers.map(({ body }) => me.parse(body).id)).size).toBe(1);
  expect(answers[0]!.body).toMatchObject({ handle: 'grace', displayName: 'grace of the shop' });
  expect(await api.sql`select 1 from users where handle = 'grace'`).toHaveLength(1);
});

test('[S6] it signs a program in like everybody: messages, search, and an end', async () => {
  const [ada, bob] = [await other.sign(person('ada')), await other.sign(person('bob'))];
  const bobId = me.parse((await meWith(bob)).body).id;
  const sent = await api.call(
    'POST',
    '/api/messaging/messages',
    { recipientId: bobId, content: 'hello' },
    { Authorization: `Bearer ${ada}` },
  );
  expect(sent.status).toBe(201);
  api.pass(3_600_000 + 31_000);
  expect(await meWith(ada)).toMatchObject({ status: 401, body: { code: 'expired' } });
});

test('[S6] it opens a socket, which stays open until the token ends, and no longer', async () => {
  const server = await listen(api);
  const open = async (token: string): Promise<{ socket: WebSocket; closed: Promise<number> }> => {
    const socket = new WebSocket(server.url, { headers: { Authorization: `Bearer ${token}` } });
    const closed = new Promise<number>((resolve) => socket.on('close', resolve));
    await new Promise((resolve) => socket.on('open', resolve));
    return { socket, closed };
  };
  const long = await open(await other.sign(person('socket')));
  const short = await open(await other.sign({ ...person('socket'), exp: Math.floor(api.now() / 1000) + 2 }));
  expect(await short.closed).toBe(CLOSE.expired.code);
  expect(long.socket.readyState).toBe(WebSocket.OPEN);
  expect(await (await open(await other.sign({ ...person('socket'), iss: 'https://evil.example' }))).closed).toBe(CLOSE.unauthorized.code);
  long.socket.close();
  await server.close();
});

test('[S6] it is exchanged for a session of ours, which refreshes by itself', async () => {
  const answer = await api.call('POST', '/api/auth/exchange', { token: await other.sign(person('mary')), client: 'program' });
  expect(answer).toMatchObject({ status: 200, body: { user: { handle: 'mary' }, refreshToken: expect.any(String) } });
  const { refreshToken } = signedIn.parse(answer.body);
  api.pass(5 * 3_600_000);
  expect((await api.call('POST', '/api/auth/refresh', { refreshToken })).status).toBe(200);
});

test('[S6] a page of the same site exchanges it for cookies, when its origin is allowed', async () => {
  const answer = await exchange(person('lin'), { Origin: SHOP });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('access-control-allow-origin')).toBe(SHOP);
  expect(await api.call('GET', '/api/me', undefined, { Cookie: cookies(answer) })).toMatchObject({ body: { handle: 'lin' } });
  expect((await exchange(person('lin'), { Origin: 'https://evil.example' })).status).toBe(403);
});

test('[S6] "Send message" on a profile leads here, signed in, to a person who had no account yet', async () => {
  const token = await other.sign(person('visitor'));
  const described = await other.sign(person('seller'), { typ: 'person+jwt' });
  const answer = await enter({ token, person: described });
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/people/seller']);
  expect(answer.headers.getSetCookie().join()).not.toContain(token);
  const Cookie = cookies(answer);
  expect(await api.call('GET', '/api/me', undefined, { Cookie })).toMatchObject({ body: { handle: 'visitor' } });
  expect(await api.call('GET', '/api/users/seller', undefined, { Cookie })).toMatchObject({ body: { displayName: 'seller of the shop' } });
});

test.each([
  ['/people/ada', '/people/ada'],
  ['/?q=1#x', '/?q=1#x'],
  ['people/ada', '/people/ada'],
  ['', '/'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['\\\\evil.example', '/'],
  ['/..//evil.example', '/'],
  ['/\t/evil.example', '/'],
  ['https://evil.example/', '/'],
  ['javascript:alert(1)', '/'],
  ['data:text/html,x', '/'],
])('[S6] the way on leads into the app alone: %j to %s', async (next, place) => {
  const answer = await enter({ token: await other.sign(person('walker')), next });
  expect([answer.status, answer.headers.get('location')]).toEqual([303, place]);
});

test('[S6] nobody is signed in by a page of anybody else, nor by what only describes them', async () => {
  const token = await other.sign(person('victim'));
  for (const Origin of ['https://evil.example', 'null', `${SHOP}.evil.example`, SHOP.toUpperCase(), SHOP.replace('https', 'http')]) {
    const answer = await enter({ token }, { Origin });
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([403, []]);
  }
  const described = await other.sign(person('victim'), { typ: 'person+jwt' });
  expect((await enter({ token: described })).status).toBe(401);
  expect((await enter({ token, person: token })).status).toBe(401);
  expect((await enter({ token: 'nonsense' })).status).toBe(401);
  expect((await enter({})).status).toBe(400);
});

test('[S6] a platform’s token is none in a cookie, and ours is none for the platform', async () => {
  const token = await other.sign(person('cookie'));
  const headers = { Cookie: `homing_session=${token}`, Origin: 'http://localhost' };
  expect((await api.call('GET', '/api/me', undefined, headers)).status).toBe(401);
  const own = signedIn.parse((await api.call('POST', '/api/auth/exchange', { token, client: 'program' })).body);
  expect((await api.call('POST', '/api/auth/exchange', { token: own.accessToken })).status).toBe(401);
});

test('[S6] the account belongs to issuer and subject: the same handle is another person, a name follows the platform', async () => {
  await api.sql`insert into users (id, handle, display_name, name_key, created_at) values (gen_random_uuid(), 'taken', 'T', 't', now())`;
  const first = me.parse((await meWith(await other.sign(person('taken')))).body);
  expect(first.handle).toMatch(/^taken-[0-9a-f]{4}$/);
  expect(me.parse((await meWith(await other.sign(person('taken')))).body)).toEqual(first);
  const second = me.parse((await meWith(await other.sign({ ...person('taken'), sub: 'another' }))).body);
  expect(second.handle).toMatch(/^taken-[0-9a-f]{4}$/);
  expect(second.id).not.toBe(first.id);

  const headers = { Authorization: `Bearer ${await other.sign(person('taken'))}` };
  await api.call('PATCH', '/api/me', { displayName: 'By myself' }, headers);
  expect((await meWith(await other.sign(person('taken')))).body).toMatchObject({ displayName: 'By myself' });
  const renamed = await other.sign({ ...person('taken'), name: 'Married' });
  expect((await meWith(renamed)).body).toMatchObject({ id: first.id, displayName: 'Married' });
  const nameless = me.parse((await meWith(await other.sign({ sub: 'nameless' }))).body);
  expect(nameless).toMatchObject({ handle: expect.stringMatching(/^user-[0-9a-f]{4}$/), displayName: 'Somebody' });
});

test('[S6] the platform’s people have no password here, and nobody registers beside it', async () => {
  await meWith(await other.sign(person('keyless')));
  for (const password of ['', 'null', 'correct horse'])
    expect((await api.call('POST', '/api/auth/login', { handle: 'keyless', password })).status).toBe(401);
  const body = { handle: 'beside', displayName: 'B', password: 'correct horse' };
  expect((await api.call('POST', '/api/auth/register', body)).status).toBe(403);
});

test('[S6] the platform ends what it has begun: every session of ours of a person, and of nobody else', async () => {
  const [leaving, staying] = [person('leaving'), person('staying')];
  const open = async (who: Record<string, unknown>) =>
    signedIn.parse((await api.call('POST', '/api/auth/exchange', { token: await other.sign(who), client: 'program' })).body);
  const [one, two, neighbour] = [await open(leaving), await open(leaving), await open(staying)];
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  const logOut = (token: string): Promise<Answer> =>
    api.call('POST', '/api/auth/backchannel-logout', new URLSearchParams({ logout_token: token }).toString(), {
      'Content-Type': 'application/x-www-form-urlencoded',
    });
  const typ = { typ: 'logout+jwt' };
  for (const bad of [await other.sign(leaving), await other.sign({ ...leaving, events }), await other.sign(leaving, typ)])
    expect((await logOut(bad)).status).toBe(401);
  expect((await meWith(one.accessToken)).status).toBe(200);
  api.told.ended.length = 0;
  expect((await logOut(await other.sign({ sub: leaving.sub, events }, typ))).status).toBe(204);
  for (const { accessToken, refreshToken } of [one, two]) {
    expect((await meWith(accessToken)).status).toBe(401);
    expect((await api.call('POST', '/api/auth/refresh', { refreshToken })).status).toBe(401);
  }
  expect(api.told.ended).toEqual([{ userId: one.user.id }]);
  expect((await meWith(neighbour.accessToken)).status).toBe(200);
  expect((await logOut(await other.sign({ sub: 'never here', events }, typ))).status).toBe(204);
});

test('[S6] while the platform’s keys cannot be had at all, nobody is told that their token is bad', async () => {
  const token = await other.sign({ ...person('patient'), exp: Math.floor((api.now() + 3 * STALE_MS) / 1000) });
  other.become((request) => request.socket.destroy());
  api.pass(STALE_MS - 60_000);
  expect((await meWith(token)).status).toBe(200);
  api.pass(COOL_DOWN_MS + 60_000);
  const late = await other.sign(person('patient'));
  expect(await meWith(late)).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  expect((await enter({ token: late })).status).toBe(503);
  other.become(null);
  api.pass(COOL_DOWN_MS);
  expect((await meWith(late)).status).toBe(200);
});

test('without another platform there is nothing to exchange', async () => {
  const alone = await openTestApi();
  expect(await alone.call('POST', '/api/auth/exchange', { token: 'x' })).toMatchObject({ status: 404, body: { code: 'not-found' } });
  expect((await alone.call('GET', '/api/me', undefined, { Authorization: `Bearer ${await other.sign(person('lost'))}` })).status).toBe(401);
  await alone.close();
});

test('[G5] [S6] a token from before the account was deleted opens nothing and makes no new one; a later one does', async () => {
  const before = await other.sign(person('wendy'));
  const described = await other.sign(person('wendy'), { typ: 'person+jwt' });
  const first = signedIn.parse((await exchange(person('wendy'))).body);
  const headers = { Authorization: `Bearer ${first.accessToken}` };
  expect((await api.call('DELETE', '/api/me', {}, headers)).status).toBe(204);
  expect((await meWith(before)).status).toBe(401);
  expect((await api.call('POST', '/api/auth/exchange', { token: before })).status).toBe(401);
  expect((await enter({ token: before })).status).toBe(401);
  // Nor does somebody else who writes to them from a page of before.
  const entered = await enter({ token: await other.sign(person('walter')), person: described });
  expect([entered.status, entered.headers.get('location')]).toEqual([303, '/']);
  expect(await api.sql`select 1 from users where display_name = 'wendy of the shop'`).toHaveLength(0);
  const later = await other.sign({ ...person('wendy'), iat: Math.floor(api.now() / 1000) + 2 });
  expect(me.parse((await meWith(later)).body).id).not.toBe(first.user.id);
});
