import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { invites, madeInvite } from '../../../shared/account-api.ts';
import { signedIn } from '../../../shared/api.ts';
import { systemRandom } from '../../../shared/clock.ts';
import { makeUuid } from '../../../shared/ids.ts';
import type { Registration } from '../../../shared/account-api.ts';
import { makeToken } from '../identity/link-token.ts';
import { type TestApi, openTestApi } from '../test-api.ts';

const DAY_MS = 24 * 3_600_000;
const password = 'correct horse';
const ENDED = { status: 410, body: { code: 'link-ended' } };

/** A server whose operator has chosen who may register. */
async function openMode(registration: Registration) {
  const api = await openTestApi((deps) => ({ ...deps, registration }));
  let addresses = 0;
  const from = () => ({ 'X-Forwarded-For': `10.3.0.${addresses++}` });
  const join = (handle: string, invite?: string) =>
    api.call(
      'POST',
      '/api/auth/register',
      { handle, displayName: `${handle}!`, password, client: 'program', ...(invite !== undefined && { invite }) },
      from(),
    );
  /** Somebody who is here, signed in anew. */
  async function enter(handle: string) {
    const answer = await api.call('POST', '/api/auth/login', { handle, password, client: 'program' }, from());
    const { accessToken } = signedIn.parse(answer.body);
    const call = (method: string, path: string, body?: unknown) => api.call(method, path, body, { Authorization: `Bearer ${accessToken}` });
    return {
      call,
      make: async (body: object = {}) => madeInvite.parse((await call('POST', '/api/invites', body)).body),
      listed: async () => invites.parse((await call('GET', '/api/invites')).body).invites,
    };
  }
  async function operatorsInvite(): Promise<string> {
    const { token, hash } = makeToken(systemRandom);
    const now = api.now();
    const id = makeUuid(now, systemRandom);
    const invite = { id, tokenHash: hash, createdBy: null, createdAt: now, expiresAt: now + DAY_MS, uses: 1, usesLeft: 1 };
    expect(await api.deps.invites.open(invite, 10)).toBe(true);
    return token;
  }
  return { ...api, join, enter, operatorsInvite, look: (invite: string) => api.call('POST', '/api/auth/invite', { invite }, from()) };
}
type Mode = Awaited<ReturnType<typeof openMode>>;

describe('[U5] by invitation', () => {
  let api: Mode;
  let ada: Awaited<ReturnType<Mode['enter']>>;
  beforeAll(async () => {
    api = await openMode('invite');
    const first = await api.operatorsInvite();
    expect((await api.look(first)).body).toEqual({ invitedBy: null });
    expect((await api.join('ada', first)).status).toBe(201);
    ada = await api.enter('ada');
  });
  afterAll(() => api.close());

  test('everybody may know that it is so', async () => {
    expect((await api.call('GET', '/api/auth/registration')).body).toEqual({ registration: 'invite' });
    expect(await api.join('uninvited')).toMatchObject({ status: 403, body: { code: 'registration-closed' } });
  });

  test('a link lets as many register as it says', async () => {
    const { token, invite } = await ada.make({ uses: 2, days: 3 });
    expect(Date.parse(invite.expiresAt) - Date.parse(invite.createdAt)).toBe(3 * DAY_MS);
    expect((await api.look(token)).body).toEqual({ invitedBy: 'ada!' });
    expect((await api.join('grace', token)).status).toBe(201);
    expect(await ada.listed()).toMatchObject([{ id: invite.id, uses: 2, usesLeft: 1 }]);
    expect((await api.join('ida', token)).status).toBe(201);
    expect(await api.join('one-too-many', token)).toMatchObject(ENDED);
    expect(await api.look(token)).toMatchObject(ENDED);
    expect(await ada.listed()).toEqual([]);
  });

  test('of two at once with the last use one is let in', async () => {
    const { token } = await ada.make();
    const statuses = (await Promise.all([api.join('first', token), api.join('second', token)])).map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([201, 410]);
  });

  test('a handle that is taken costs no use, and is told to the invited alone', async () => {
    const { token } = await ada.make();
    expect(await api.join('ada', token)).toMatchObject({ status: 409, body: { code: 'handle-taken' } });
    expect((await ada.listed())[0]).toMatchObject({ usesLeft: 1 });
    expect(await api.join('ada', 'made up')).toMatchObject(ENDED);
    expect((await api.join('lou', token)).status).toBe(201);
  });

  test('used, removed, run out, made up and malformed ones are answered alike', async () => {
    const used = await ada.make();
    await api.join('max', used.token);
    const removed = await ada.make();
    expect((await ada.call('DELETE', `/api/invites/${removed.invite.id}`)).status).toBe(204);
    const late = await ada.make({ days: 1 });
    api.pass(DAY_MS);
    const tokens = [used.token, removed.token, late.token, Buffer.alloc(32).toString('base64url'), '', 'x\u0000y'];
    const answers = [
      ...(await Promise.all(tokens.map(api.look))),
      ...(await Promise.all(tokens.map((token) => api.join('nobody', token)))),
    ];
    expect(answers[0]).toMatchObject(ENDED);
    for (const { status, body } of answers) expect([status, body]).toEqual([410, answers[0]!.body]);
    ada = await api.enter('ada');
  });

  test('only the hash is kept', async () => {
    const { token } = await ada.make();
    const rows = await api.sql<{ hash: string }[]>`select encode(token_hash, 'escape') as hash from invites`;
    expect(rows.some(({ hash }) => hash.includes(token))).toBe(false);
  });

  test('are seen and removed by their maker alone, and made within limits', async () => {
    const grace = await api.enter('grace');
    const { invite } = await grace.make();
    expect((await ada.call('DELETE', `/api/invites/${invite.id}`)).status).toBe(404);
    expect((await ada.listed()).some(({ id }) => id === invite.id)).toBe(false);
    expect((await grace.call('DELETE', `/api/invites/${invite.id}`)).status).toBe(204);
    expect((await grace.call('DELETE', `/api/invites/${invite.id}`)).status).toBe(404);
    for (const body of [{ uses: 0 }, { uses: 21 }, { days: 31 }, { days: 1.5 }, { for: 'ever' }])
      expect((await grace.call('POST', '/api/invites', body)).status).toBe(400);
    for (const [method, path] of [
      ['GET', '/api/invites'],
      ['POST', '/api/invites'],
      ['DELETE', `/api/invites/${invite.id}`],
    ] as const)
      expect((await api.call(method, path, method === 'POST' ? {} : undefined)).status).toBe(401);
  });

  test('are twenty at most, and not many a minute', async () => {
    const ida = await api.enter('ida');
    await api.sql`
      insert into invites (id, token_hash, created_by, created_at, expires_at, uses, uses_left)
      select gen_random_uuid(), decode(lpad(n::text, 4, '0'), 'hex'), (select id from users where handle = 'ida'), now(),
        ${new Date(api.now() + DAY_MS)}, 1, 1 from generate_series(1, 20) n`;
    expect(await ida.call('POST', '/api/invites', {})).toMatchObject({ status: 409, body: { code: 'too-many' } });
    // Those that have run out do not count.
    await api.sql`update invites set expires_at = ${new Date(api.now())} where uses_left = 1`;
    const statuses = [];
    for (let i = 0; i < 22; i++) statuses.push((await ida.call('POST', '/api/invites', {})).status);
    expect([statuses[0], statuses.at(-1)]).toEqual([201, 429]);
  });
});

describe('[U5] closed', () => {
  let api: Mode;
  beforeAll(async () => {
    api = await openMode('closed');
  });
  afterAll(() => api.close());

  test('nobody registers but by the operator’s links, and people make none', async () => {
    expect(await api.join('uninvited')).toMatchObject({ status: 403, body: { code: 'registration-closed' } });
    expect((await api.join('ada', await api.operatorsInvite())).status).toBe(201);
    const ada = await api.enter('ada');
    expect(await ada.call('POST', '/api/invites', {})).toMatchObject({ status: 403, body: { code: 'registration-closed' } });
  });

  test('links that people made while they might are of no use', async () => {
    const { token, hash } = makeToken(systemRandom);
    const owner = await api.deps.accounts.byHandle('ada');
    const now = api.now();
    const times = { createdAt: now, expiresAt: now + DAY_MS };
    const id = makeUuid(now, systemRandom);
    expect(await api.deps.invites.open({ id, tokenHash: hash, createdBy: owner!.id, ...times, uses: 1, usesLeft: 1 }, 10)).toBe(true);
    expect(await api.look(token)).toMatchObject(ENDED);
    expect(await api.join('grace', token)).toMatchObject(ENDED);
  });
});

describe('[U5] open', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await openTestApi();
  });
  afterAll(() => api.close());

  test('an invite is neither needed nor used up', async () => {
    const ada = await api.register('ada');
    const { token, invite } = madeInvite.parse((await ada.call('POST', '/api/invites', {})).body);
    const body = { handle: 'grace', displayName: 'G', password, client: 'program', invite: token };
    expect((await api.call('POST', '/api/auth/register', body)).status).toBe(201);
    expect((await api.call('POST', '/api/auth/register', { ...body, handle: 'ida', invite: 'made up' })).status).toBe(201);
    expect(invites.parse((await ada.call('GET', '/api/invites')).body).invites).toEqual([invite]);
  });

  test('looking at links is slowed down by address', async () => {
    const statuses = [];
    for (let i = 0; i < 32; i++) statuses.push((await api.call('POST', '/api/auth/invite', { invite: `t${i}` })).status);
    expect([statuses[0], statuses.at(-1)]).toEqual([410, 429]);
  });
});
