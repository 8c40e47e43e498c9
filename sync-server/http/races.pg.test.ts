import { afterAll, beforeAll, expect, test } from 'vitest';
import { conversationAnswer } from '../../shared/api.ts';
import { systemRandom } from '../../shared/clock.ts';
import { makeMessageId } from '../../shared/ids.ts';
import { type TestApi, type TestPerson, openTestApi } from './test-api.ts';
import { dial } from './testing/dial.ts';
import { listen } from './testing/listen.ts';

let api: TestApi;
let server: Awaited<ReturnType<typeof listen>>;
beforeAll(async () => {
  api = await openTestApi((deps) => ({ ...deps, deletedMessages: 'remove' }));
  server = await listen(api);
});
afterAll(async () => {
  await server.close();
  await api.close();
});

const C = '/api/messaging/conversations';
const open = async (person: TestPerson, body: unknown) =>
  conversationAnswer.parse((await person.call('POST', C, body)).body).conversation.id;
const membership = (group: string, whose: TestPerson) => `${C}/${group}/members/${whose.id}`;
const post = (person: TestPerson, conversationId: string) =>
  person.call('POST', '/api/messaging/messages', {
    conversationId,
    content: `by ${person.user.handle}`,
    id: makeMessageId(api.now(), systemRandom),
  });

/** Does something again and again until it is stopped. */
function again(task: () => Promise<unknown>) {
  const stopping = new AbortController();
  let rounds = 0;
  const running = (async () => {
    for (; !stopping.signal.aborted; rounds++) await task();
  })();
  return {
    rounds: () => rounds,
    stop() {
      stopping.abort();
      return running;
    },
  };
}

test('[G5] an account that is deleted while everything goes on leaves nothing', async () => {
  const [ada, ben] = [await api.register('ada'), await api.register('ben')];
  await open(ada, { userId: ben.id });
  const direct = await open(ben, { userId: ada.id });
  const group = await open(ada, { title: 'Trip', memberIds: [ben.id] });
  const tasks = [
    () => post(ada, direct),
    () => post(ada, group),
    () => post(ben, direct),
    () => ben.call('PUT', membership(group, ada), {}),
    () => ada.call('PATCH', '/api/me', { bio: 'canary' }),
    () => ada.call('POST', '/api/invites', {}),
    async () => {
      const peer = dial(server.url, `user:${ada.id}/1`, ada.accessToken);
      await expect.poll(() => peer.closed !== null || peer.order.length > 0).toBe(true);
      peer.session.closed();
    },
  ].map(again);
  const goOn = async (rounds: number) => {
    const from = tasks.map((task) => task.rounds());
    await expect.poll(() => tasks.every((task, i) => task.rounds() >= from[i]! + rounds), { timeout: 20_000 }).toBe(true);
  };
  await goOn(2);
  expect((await ada.call('DELETE', '/api/me', { password: 'correct horse' })).status).toBe(204);
  await goOn(3);
  await Promise.all(tasks.map((task) => task.stop()));
  await expect.poll(async () => (await api.sql`select 1 from departures`).length, { timeout: 40_000 }).toBe(0);
  expect(api.errors).toEqual([]);
  const { sql } = api;
  expect({
    texts: (await sql`select body from messages where sender_id = ${ada.id} and body is not null`).length,
    groups: (await sql`select 1 from members where conversation_id = ${group} and user_id = ${ada.id} and left_at is null`).length,
    invites: (await sql`select 1 from invites where created_by = ${ada.id}`).length,
    sessions: (await sql`select 1 from sign_ins where user_id = ${ada.id}`).length,
    private: (await sql`select 1 from conversations where id = ${ada.id}`).length,
    bio: (await sql`select bio from users where id = ${ada.id}`)[0]!.bio,
  }).toEqual({ texts: 0, groups: 0, invites: 0, sessions: 0, private: 0, bio: '' });
});

test('[G2] of all that is done to a group at once one owner is left', async () => {
  const [owner, admin, member] = [await api.register('olga'), await api.register('anna'), await api.register('mark')];
  const group = await open(owner, { title: 'Trip', memberIds: [admin.id, member.id] });
  for (const person of [admin, member]) await person.call('PUT', `${C}/${group}/accept`);
  await Promise.all([
    owner.call('DELETE', membership(group, owner)),
    owner.call('PUT', membership(group, admin), { role: 'owner' }),
    admin.call('DELETE', membership(group, admin)),
    owner.call('PUT', membership(group, member), { role: 'owner' }),
  ]);
  const owners = await api.sql`select user_id from members where conversation_id = ${group} and left_at is null and role = 'owner'`;
  expect(owners.map((row) => row.user_id)).toEqual([member.id]);
});

test('[S1] of many who register one handle at once one has it', async () => {
  const body = { handle: 'wanted', displayName: 'x', password: 'correct horse' };
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, i) => api.call('POST', '/api/auth/register', body, { 'X-Forwarded-For': `10.3.3.${i}` })),
  );
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, ...Array(7).fill(409)]);
});
