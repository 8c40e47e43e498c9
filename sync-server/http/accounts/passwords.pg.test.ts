import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { signedIn } from '../../../shared/api.ts';
import { systemRandom } from '../../../shared/clock.ts';
import { makeToken } from '../identity/link-token.ts';
import { type TestApi, openTestApi } from '../test-api.ts';

const password = 'correct horse';
const next = 'battery staple';
let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());
beforeEach(() => void (api.told.ended.length = 0));

let tries = 0;
/** Each time from another address. */
const logIn = (handle: string, typed: string) =>
  api.call('POST', '/api/auth/login', { handle, password: typed, client: 'program' }, { 'X-Forwarded-For': `10.1.0.${tries++}` });
const reset = (token: string, typed = next) =>
  api.call('POST', '/api/auth/reset', { token, password: typed }, { 'X-Forwarded-For': `10.2.0.${tries++}` });
const isIn = async (accessToken: string): Promise<boolean> =>
  (await api.call('GET', '/api/me', undefined, { Authorization: `Bearer ${accessToken}` })).status === 200;
async function link(handle: string): Promise<string> {
  const { token, hash } = makeToken(systemRandom);
  expect(await api.deps.passwordStore.openReset(handle, { tokenHash: hash, expiresAt: api.now() + 1000 })).toBe(true);
  return token;
}
const ENDED = { status: 410, body: { code: 'link-ended', title: 'This link has been used, or has run out.' } };

test('[U2] a change keeps this session and ends all others, their sockets too', async () => {
  const ada = await api.register('ada');
  const other = signedIn.parse((await logIn('ada', password)).body);
  const answer = await ada.call('POST', '/api/me/password', { current: password, next });
  expect(answer.status).toBe(204);
  expect([await isIn(ada.accessToken), await isIn(other.accessToken)]).toEqual([true, false]);
  expect(api.told.ended).toEqual([{ userId: ada.id, sid: expect.any(String) }]);
  expect([(await logIn('ada', password)).status, (await logIn('ada', next)).status]).toEqual([401, 200]);
});

test('[U2] the wrong password, a short one, and one too many changes nothing', async () => {
  const grace = await api.register('grace');
  const change = (body: object) => grace.call('POST', '/api/me/password', body);
  expect(await change({ current: 'wrong', next })).toMatchObject({
    status: 403,
    body: { code: 'wrong-password', errors: [{ path: 'current', message: 'This is not your password.' }] },
  });
  expect(await change({ current: password, next: 'short' })).toMatchObject({ status: 400, body: { errors: [{ path: 'next' }] } });
  expect(await change({ next })).toMatchObject({ status: 400, body: { errors: [{ path: 'current' }] } });
  expect((await api.call('POST', '/api/me/password', { current: password, next })).status).toBe(401);
  expect((await logIn('grace', password)).status).toBe(200);
});

test('[U2] guessing with a borrowed session is slowed down', async () => {
  const eager = await api.register('eager');
  const statuses = [];
  for (let i = 0; i < 7; i++) statuses.push((await eager.call('POST', '/api/me/password', { current: `wrong ${i}`, next })).status);
  expect(statuses).toEqual([403, 403, 403, 403, 403, 429, 429]);
});

test('[U2] who has no password gets none by a session alone, and no log-in with an empty one', async () => {
  const guest = await api.register('guest');
  await api.sql`update users set password_hash = null where id = ${guest.id}`;
  for (const current of ['', password]) {
    const answer = await guest.call('POST', '/api/me/password', { current, next });
    expect(answer).toMatchObject({ status: 403, body: { code: 'wrong-password' } });
    expect(await logIn('guest', current)).toMatchObject({ status: 401 });
  }
});

test('[U2] of two changes at once one wins, and a log-in with the old password does not outlive it', async () => {
  const ida = await api.register('ida');
  const other = signedIn.parse((await logIn('ida', password)).body);
  const changes = await Promise.all([
    ida.call('POST', '/api/me/password', { current: password, next }),
    api.call('POST', '/api/me/password', { current: password, next: 'another one' }, { Authorization: `Bearer ${other.accessToken}` }),
  ]);
  expect(changes.map(({ status }) => status).filter((status) => status === 204)).toHaveLength(1);
  const stored = await api.deps.passwordStore.hashOf(ida.id);
  const signIn = { ...(await api.deps.signIns.list(ida.id, api.now()))[0]!, sid: other.user.id };
  expect(await api.deps.signIns.open(signIn, 'the hash from before')).toBeNull();
  expect(await api.deps.signIns.open(signIn, stored)).toEqual([]);
});

test('[U3] a link sets a new password once, and ends every session', async () => {
  const kay = await api.register('kay');
  const token = await link('kay');
  expect(await reset(token)).toMatchObject({ status: 200, body: { handle: 'kay' } });
  expect(await isIn(kay.accessToken)).toBe(false);
  expect(api.told.ended).toEqual([{ userId: kay.id, sid: expect.any(String) }]);
  expect([(await logIn('kay', password)).status, (await logIn('kay', next)).status]).toEqual([401, 200]);
  expect(await reset(token, 'a third password')).toMatchObject(ENDED);
  expect((await logIn('kay', next)).status).toBe(200);
});

test('[U3] of two uses at once one wins', async () => {
  await api.register('lou');
  const token = await link('lou');
  const statuses = (await Promise.all([reset(token, 'password one'), reset(token, 'password two')])).map(({ status }) => status);
  expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 410]);
});

test('[U3] used, run out, replaced, superseded, made up and malformed links are answered alike', async () => {
  const max = await api.register('max');
  const replaced = await link('max');
  const late = await link('max');
  api.pass(1000);
  const unlike = [replaced, late, Buffer.alloc(32).toString('base64url'), '', 'x\u0000y', '%'];
  const answers = await Promise.all(unlike.map((token) => reset(token)));
  for (const { status, body } of answers) expect([status, body]).toEqual([answers[0]!.status, answers[0]!.body]);
  expect(answers[0]).toMatchObject(ENDED);
  // Whoever has changed the password themselves wants no older link to undo it.
  const superseded = await link('max');
  expect((await max.call('POST', '/api/me/password', { current: password, next })).status).toBe(204);
  expect(await reset(superseded, 'yet another')).toMatchObject(ENDED);
});

test('[U3] a password that is too short leaves the link as it is', async () => {
  await api.register('ned');
  const token = await link('ned');
  expect(await reset(token, 'short')).toMatchObject({ status: 400, body: { errors: [{ path: 'password' }] } });
  expect((await reset(token)).status).toBe(200);
});

test('[U3] only the hash of a link is kept, and there is one for a person at a time', async () => {
  await api.register('oda');
  const [first, second] = [await link('oda'), await link('oda')];
  const rows =
    await api.sql`select encode(token_hash, 'base64') as hash from password_resets r join users u on u.id = r.user_id where handle = 'oda'`;
  expect(rows).toHaveLength(1);
  for (const token of [first, second]) expect(rows[0]!.hash).not.toContain(token);
  expect(await api.deps.passwordStore.openReset('nobody-here', { tokenHash: new Uint8Array(32), expiresAt: api.now() })).toBe(false);
});

test('what is on its way when an account ends opens nothing', async () => {
  const gone = await api.register('gone');
  const [signIn] = await api.deps.signIns.list(gone.id, api.now());
  await api.sql`update users set deleted_at = now() where id = ${gone.id}`;
  const passkey = { id: 'k', name: 'n', publicKey: new Uint8Array(), counter: 0, lastUsedAt: null };
  const times = { createdAt: api.now(), expiresAt: api.now() + 1000 };
  const invite = { id: gone.id, tokenHash: new Uint8Array(32), createdBy: gone.id, ...times, uses: 1, usesLeft: 1 };
  const { signIns, passwordStore, passkeys, invites } = api.deps;
  expect([
    await signIns.open({ ...signIn!, sid: gone.id }, null),
    await passwordStore.openReset('gone', { tokenHash: new Uint8Array(32), expiresAt: times.expiresAt }),
    await passkeys.add({ ...passkey, userId: gone.id, createdAt: times.createdAt }, 20),
    await invites.open(invite, 20),
  ]).toEqual([null, false, false, false]);
});

test('[U3] trying links is slowed down by address', async () => {
  const statuses = [];
  const from = { 'X-Forwarded-For': '10.8.8.8' };
  for (let i = 0; i < 32; i++) statuses.push((await api.call('POST', '/api/auth/reset', { token: `t${i}`, password: next }, from)).status);
  expect(statuses[0]).toBe(410);
  expect(statuses.at(-1)).toBe(429);
});
