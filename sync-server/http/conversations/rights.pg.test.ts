import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { conversationAnswer, conversations, messageAnswer, reportAnswer, users } from '../../../shared/api.ts';
import { systemRandom } from '../../../shared/clock.ts';
import { LIMITS } from '../../../shared/limits.ts';
import { type Uuid, directConversationId, makeMessageId, makeUuid } from '../../../shared/ids.ts';
import { addMessage, readMessages } from '../../../shared/segment.ts';
import { makeReports } from '../../postgres/reports.ts';
import { type TestApi, type TestPerson, openTestApi } from '../test-api.ts';
import { dial } from '../testing/dial.ts';
import { listen } from '../testing/listen.ts';

let api: TestApi;
let server: Awaited<ReturnType<typeof listen>>;
beforeAll(async () => {
  api = await openTestApi();
  server = await listen(api);
});
afterAll(async () => {
  await server.close();
  await api.close();
});
afterEach(() => expect(api.errors.splice(0)).toEqual([]));

const C = '/api/messaging/conversations';
let count = 0;
const somebody = (name = 'person'): Promise<TestPerson> => api.register(`${name}${++count}`);
const newId = () => makeMessageId(api.now(), systemRandom);
async function open(person: TestPerson, body: unknown) {
  const answer = await person.call('POST', C, body);
  return { status: answer.status, ...conversationAnswer.parse(answer.body) };
}
const direct = async (a: TestPerson, b: TestPerson): Promise<Uuid> => (await open(a, { userId: b.id })).conversation.id;
/** The direct conversation of two people who both opened it, so that neither was asked. */
async function friends(a: TestPerson, b: TestPerson): Promise<Uuid> {
  await direct(a, b);
  return direct(b, a);
}
async function group(owner: TestPerson, ...others: TestPerson[]): Promise<Uuid> {
  return (await open(owner, { title: 'Trip', memberIds: others.map(({ id }) => id) })).conversation.id;
}
const post = (person: TestPerson, conversationId: Uuid, content: string) =>
  person.call('POST', '/api/messaging/messages', { conversationId, content, id: newId() });
const said = async (person: TestPerson, id: Uuid, content: string) => messageAnswer.parse((await post(person, id, content)).body).message;
const list = async (person: TestPerson) => conversations.parse((await person.call('GET', C)).body).conversations;
const rowOf = async (person: TestPerson, id: Uuid) => (await list(person)).find((row) => row.id === id);

describe('[G2] groups over HTTP', () => {
  test('adding, roles, leaving; each answer shows the group as it is', async () => {
    const [ada, ben, carl] = [await somebody('ada'), await somebody('ben'), await somebody('carl')];
    const id = await group(ada, ben);
    const put = await ada.call('PUT', `${C}/${id}/members/${carl.id}`, {});
    expect(put.status).toBe(200);
    expect(conversationAnswer.parse(put.body).conversation.members.map((member) => [member.id, member.role])).toEqual([
      [ada.id, 'owner'],
      [ben.id, 'member'],
      [carl.id, 'member'],
    ]);
    const pass = async () => (await ada.call('PUT', `${C}/${id}/members/${ben.id}`, { role: 'owner' })).status;
    expect(await pass()).toBe(403);
    expect((await ben.call('PUT', `${C}/${id}/accept`)).status).toBe(200);
    expect(await pass()).toBe(200);
    expect((await ada.call('DELETE', `${C}/${id}/members/${ben.id}`)).status).toBe(403);
    expect((await ben.call('DELETE', `${C}/${id}/members/${ben.id}`)).status).toBe(204);
    const { members } = (await rowOf(ada, id))!;
    expect(members.map((member) => [member.id, member.role])).toEqual([
      [ada.id, 'owner'],
      [carl.id, 'member'],
    ]);
    expect(await rowOf(ben, id)).toBeUndefined();
    expect((await ben.call('GET', `${C}/${id}/messages`)).status).toBe(404);
    const renamed = await ada.call('PATCH', `${C}/${id}`, { title: 'Journey', history: 'joined' });
    expect(conversationAnswer.parse(renamed.body).conversation).toMatchObject({ title: 'Journey', history: 'joined' });
  });

  test('[H2] a group with an id of its own may be asked for again', async () => {
    const [ada, ben] = [await somebody(), await somebody()];
    const id = crypto.randomUUID();
    const body = { id, title: 'Trip', memberIds: [ben.id] };
    const answers = await Promise.all([open(ada, body), open(ada, body)]);
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 201]);
    expect(answers.map(({ conversation }) => conversation.id)).toEqual([id, id]);
    expect((await open(ada, body)).status).toBe(200);
    const stranger = await somebody();
    expect((await stranger.call('POST', C, body)).body).toMatchObject({ code: 'id-used' });
    // Ids of people and of direct conversations cannot be taken.
    for (const taken of [ben.id, await directConversationId(ada.id, ben.id), makeUuid(api.now(), systemRandom)])
      expect((await ada.call('POST', C, { ...body, id: taken })).status).toBe(400);
  });

  test('newcomers of a group that says so read from then on, in pages, segments and documents', async () => {
    const [ada, ben, carl] = [await somebody(), await somebody(), await somebody()];
    const answer = await open(ada, { title: 'Trip', memberIds: [ben.id], history: 'joined' });
    const { id } = answer.conversation;
    const before = await said(ada, id, 'before');
    await ada.call('PUT', `${C}/${id}/members/${carl.id}`, {});
    expect(await rowOf(carl, id)).toMatchObject({ lastMessage: null, unreadCount: 0, request: true });
    await said(ben, id, 'after');
    const page = async (person: TestPerson) =>
      ((await person.call('GET', `${C}/${id}/messages`)).body as { messages: { content: string }[] }).messages.map(
        ({ content }) => content,
      );
    expect([await page(carl), await page(ben)]).toEqual([['after'], ['before', 'after']]);
    expect((await carl.call('GET', `${C}/${id}/segments`)).body).toMatchObject({ segments: [{ n: 2, firstSeq: 2 }] });
    expect((await carl.call('POST', '/api/reports', { conversationId: id, messageId: before.id, reason: 'x' })).status).toBe(404);
    const [old, fresh] = [dial(server.url, `${id}/1`, carl.accessToken), dial(server.url, `${id}/2`, carl.accessToken)];
    await expect.poll(() => old.closed?.code).toBe(4404);
    await expect.poll(() => readMessages(fresh.doc).map(({ body }) => body)).toEqual(['after']);
    fresh.session.closed();
  });

  test('a removed person’s sockets end within a second', async () => {
    const [ada, ben] = [await somebody(), await somebody()];
    const id = await group(ada, ben);
    await said(ada, id, 'hello');
    const sockets = [dial(server.url, id, ben.accessToken), dial(server.url, `${id}/1`, ben.accessToken)];
    await expect.poll(() => sockets.every((peer) => peer.order.includes('sync 1'))).toBe(true);
    await ada.call('DELETE', `${C}/${id}/members/${ben.id}`);
    await expect.poll(() => sockets.map((peer) => peer.closed?.code), { timeout: 1_000 }).toEqual([4403, 4403]);
    expect(
      await api.sql`select left_seq, left_at is not null as left from members where conversation_id = ${id} and user_id = ${ben.id}`,
    ).toEqual([{ left_seq: 1, left: true }]);
  });
});

describe('[I3] a conversation off the list', () => {
  test('is off, and comes back with the next message', async () => {
    const [ada, ben] = [await somebody(), await somebody()];
    const id = await friends(ada, ben);
    await said(ada, id, 'hello');
    expect((await ben.call('DELETE', `${C}/${id}`)).status).toBe(204);
    expect([await rowOf(ben, id), (await rowOf(ada, id))?.id]).toEqual([undefined, id]);
    expect((await ben.call('GET', `${C}/${id}/messages`)).status).toBe(200);
    await said(ada, id, 'again');
    expect((await rowOf(ben, id))?.unreadCount).toBe(2);
    await ben.call('DELETE', `${C}/${id}`);
    await direct(ben, ada);
    expect(await rowOf(ben, id)).toBeDefined();
  });
});

describe('[G1] blocks over HTTP', () => {
  test('hide both from one another, and say nothing of it', async () => {
    const [ada, ben] = [await somebody('adamant'), await somebody('benevolent')];
    expect((await ada.call('PUT', `/api/blocks/${ben.id}`)).status).toBe(204);
    expect((await ada.call('PUT', `/api/blocks/${ben.id}`)).status).toBe(204);
    for (const [one, other] of [
      [ada, ben],
      [ben, ada],
    ] as const) {
      const nobody = await one.call('GET', '/api/users/nobodyatall');
      const blocked = await one.call('GET', `/api/users/${other.user.handle}`);
      expect([blocked.status, blocked.body]).toEqual([nobody.status, nobody.body]);
      const found = users.parse((await one.call('GET', `/api/users?query=${other.user.handle}`)).body).users;
      expect(found).toEqual([]);
      const [unknown, added] = [
        await one.call('POST', C, { title: 'x', memberIds: [crypto.randomUUID()] }),
        await one.call('POST', C, { title: 'x', memberIds: [other.id] }),
      ];
      expect([added.status, added.body]).toEqual([unknown.status, unknown.body]);
    }
    expect(users.parse((await ada.call('GET', '/api/blocks')).body).users.map(({ id }) => id)).toEqual([ben.id]);
    expect(users.parse((await ben.call('GET', '/api/blocks')).body).users).toEqual([]);
    const id = await direct(ben, ada);
    expect((await open(ben, { userId: ada.id })).status).toBe(200);
    expect(await post(ben, id, 'hello')).toMatchObject({ status: 422, body: { code: 'not-delivered', detail: expect.any(String) } });
    expect(await rowOf(ada, id)).toBeUndefined();
    await ada.call('DELETE', `/api/blocks/${ben.id}`);
    expect((await post(ben, id, 'hello')).status).toBe(201);
    expect((await ada.call('PUT', `/api/blocks/${ada.id}`)).status).toBe(400);
    expect((await ada.call('PUT', `/api/blocks/${crypto.randomUUID()}`)).status).toBe(404);
  });

  test('a message that was written offline before the block is not delivered', async () => {
    const [ada, ben] = [await somebody(), await somebody()];
    const id = await friends(ada, ben);
    const b = dial(server.url, `${id}/1`, ben.accessToken);
    await expect.poll(() => b.order.includes('sync 1')).toBe(true);
    await ada.call('PUT', `/api/blocks/${ben.id}`);
    b.change((doc) => addMessage(doc, ben.id, newId(), ['offline', null, null]));
    await expect.poll(() => b.told.map(({ code }) => code)).toEqual(['blocked']);
    b.session.closed();
    expect(await rowOf(ada, id)).toMatchObject({ lastMessage: null });
  });

  test('looking for somebody takes as long whether they have blocked one or do not exist', async () => {
    const [ada, ben] = [await somebody('adage'), await somebody('benzene')];
    await ada.call('PUT', `/api/blocks/${ben.id}`);
    const took = async (handle: string): Promise<number> => {
      const from = performance.now();
      await api.deps.accounts.byHandle(handle, ben.id);
      return performance.now() - from;
    };
    const times: Record<'blocked' | 'nobody', number[]> = { blocked: [], nobody: [] };
    for (let i = 0; i < 1_000; i++) {
      times.blocked.push(await took(ada.user.handle));
      times.nobody.push(await took('benzene-nobody'));
    }
    const median = (list: number[]): number => list.toSorted((a, b) => a - b)[list.length >> 1]!;
    const [blocked, nobody] = [median(times.blocked), median(times.nobody)];
    expect(Math.abs(blocked - nobody) / Math.max(blocked, nobody), `${blocked} and ${nobody} ms`).toBeLessThan(0.25);
  });
});

describe('[G3] requests over HTTP', () => {
  test('a stranger’s first message is a request until it is accepted, or answered', async () => {
    const [ada, ben, carl] = [await somebody(), await somebody(), await somebody()];
    const id = await direct(ada, ben);
    expect(await rowOf(ben, id)).toBeUndefined();
    await said(ada, id, 'hello');
    expect(await rowOf(ben, id)).toMatchObject({ request: true, unreadCount: 1 });
    expect(await rowOf(ada, id)).not.toHaveProperty('request');
    const accepted = await ben.call('PUT', `${C}/${id}/accept`);
    expect(accepted.status).toBe(200);
    expect(conversationAnswer.parse(accepted.body).conversation).not.toHaveProperty('request');
    const other = await direct(carl, ben);
    await said(carl, other, 'me too');
    await said(ben, other, 'welcome');
    expect(await rowOf(ben, other)).not.toHaveProperty('request');
  });

  test('asking many strangers in one day is refused, in words, with the time to wait', async () => {
    const ada = await somebody();
    const others = await Promise.all(Array.from({ length: LIMITS.requestsPerDay + 1 }, () => somebody()));
    for (const other of others.slice(1)) await direct(ada, other);
    const refused = await ada.call('POST', C, { userId: others[0]!.id });
    expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-requests', detail: expect.stringContaining('today') } });
    expect(refused.headers.get('retry-after')).toMatch(/^[0-9]+$/);
    expect((await ada.call('POST', '/api/messaging/messages', { recipientId: others[0]!.id, content: 'x' })).status).toBe(429);
    expect((await ada.call('POST', C, { title: 'x', memberIds: [others[0]!.id] })).status).toBe(429);
    expect((await open(ada, { userId: others[1]!.id })).status).toBe(200);
    await others[1]!.call('PUT', `${C}/${await directConversationId(ada.id, others[1]!.id)}/accept`);
    expect((await open(ada, { userId: others[0]!.id })).status).toBe(201);
  });
});

describe('[G4] reports', () => {
  test('keep the message and what stands around it, also when all of it is deleted', async () => {
    const [ada, ben] = [await somebody(), await somebody()];
    const id = await friends(ada, ben);
    const messages = [];
    for (let i = 0; i < 14; i++) messages.push(await said(i % 2 ? ada : ben, id, `line ${i}`));
    const report = { conversationId: id, messageId: messages[7]!.id, reason: 'They threaten me.' };
    const filed = await ben.call('POST', '/api/reports', report);
    expect(filed.status).toBe(201);
    expect(await ben.call('POST', '/api/reports', report)).toMatchObject({ status: 200, body: filed.body });
    await api.sql`update messages set body = null, deleted_at = now() where conversation_id = ${id}`;
    const reports = makeReports(api.sql);
    const kept = (await reports.find(reportAnswer.parse(filed.body).id))!;
    expect(kept).toMatchObject({ reporterId: ben.id, reportedId: ada.id, reason: report.reason, closedAt: null });
    expect(kept.messages.map(({ content }) => content)).toEqual(Array.from({ length: 11 }, (_, i) => `line ${i + 2}`));
    expect((await reports.list('open', 10)).map((one) => one.id)).toContain(kept.id);
    expect(await reports.find(kept.id.slice(0, 35))).toMatchObject({ id: kept.id });
    expect(await reports.find('ffffffff')).toBeNull();
    expect(await reports.close(kept.id, api.now())).toBe(true);
    expect(await reports.close(kept.id, api.now())).toBe(false);
    expect((await reports.list('open', 10)).map((one) => one.id)).not.toContain(kept.id);
    expect((await reports.list('all', 10)).map((one) => one.id)).toContain(kept.id);
  });

  test('are about what one may read of others, and not without end', async () => {
    const [ada, ben, carl] = [await somebody(), await somebody(), await somebody()];
    const id = await friends(ada, ben);
    const { id: messageId } = await said(ada, id, 'hello');
    const body = { conversationId: id, messageId, reason: 'x' };
    expect((await carl.call('POST', '/api/reports', body)).status).toBe(404);
    expect((await ada.call('POST', '/api/reports', body)).status).toBe(404);
    expect((await ben.call('POST', '/api/reports', { ...body, messageId: newId() })).status).toBe(404);
    for (const reason of ['', ' ', 'x'.repeat(1_001), 'a\u0000'])
      expect((await ben.call('POST', '/api/reports', { ...body, reason })).status).toBe(400);
    const answers = [];
    for (let i = 0; i < 12; i++) answers.push((await ben.call('POST', '/api/reports', body)).status);
    expect(answers).toContain(429);
  });
});

describe('[G4] reports that nobody looks at', () => {
  test('do not grow without end; those that are closed make room', async () => {
    const [ada, ben] = [await somebody(), await somebody()];
    const id = await friends(ada, ben);
    const { id: messageId } = await said(ada, id, 'hello');
    const other = await said(ada, id, 'once more');
    await api.sql`
      insert into reports (id, reporter_id, reported_id, conversation_id, message_id, reason, at, messages)
      select gen_random_uuid(), ${ben.id}, ${ada.id}, ${id}, 'earlier ' || n, 'x', now(), '[]' from generate_series(2, ${LIMITS.openReports}) as n`;
    const report = (of: string) => ben.call('POST', '/api/reports', { conversationId: id, messageId: of, reason: 'x' });
    expect((await report(messageId)).status).toBe(201);
    expect(await report(other.id)).toMatchObject({ status: 409, body: { code: 'too-many' } });
    expect((await report(messageId)).status).toBe(200);
    await api.sql`update reports set closed_at = now() where reporter_id = ${ben.id} and message_id = 'earlier 2'`;
    expect((await report(other.id)).status).toBe(201);
  });
});

describe('[G5] a deleted account', () => {
  const remove = (person: TestPerson, password: string | undefined = 'correct horse') => person.call('DELETE', '/api/me', { password });

  test('is gone: sessions, sockets, profile, search; its handle is nobody’s, and its conversations stay for the others', async () => {
    const [ada, ben] = [await somebody('adelaide'), await somebody()];
    const id = await friends(ada, ben);
    await said(ada, id, 'farewell');
    const shared = await group(ada, ben);
    const socket = dial(server.url, `${id}/1`, ada.accessToken);
    await expect.poll(() => socket.order.includes('sync 1')).toBe(true);
    expect((await remove(ada, 'wrong password')).body).toMatchObject({ code: 'wrong-password' });
    const gone = await remove(ada);
    expect([gone.status, gone.headers.getSetCookie().length]).toEqual([204, 2]);
    await expect.poll(() => socket.closed?.code, { timeout: 1_000 }).toBe(4401);
    expect((await ada.call('GET', '/api/me')).status).toBe(401);
    const { handle } = ada.user;
    expect((await ben.call('GET', `/api/users/${handle}`)).status).toBe(404);
    expect(users.parse((await ben.call('GET', `/api/users?query=${handle}`)).body).users).toEqual([]);
    const password = 'correct horse';
    expect((await api.call('POST', '/api/auth/login', { handle, password })).status).toBe(401);
    const again = { handle, displayName: 'Somebody else', password, client: 'program' };
    expect((await api.call('POST', '/api/auth/register', again, { 'X-Forwarded-For': '10.9.9.9' })).body).toMatchObject({
      code: 'handle-taken',
    });
    const row = (await rowOf(ben, id))!;
    expect(row.members.find((member) => member.id === ada.id)).toMatchObject({ displayName: 'Deleted account', handle: '', deleted: true });
    expect(row.lastMessage?.preview).toBe('farewell');
    expect(await open(ben, { userId: ada.id })).toMatchObject({ status: 200 });
    await expect.poll(async () => (await post(ben, id, 'are you there?')).status).toBe(422);
    expect((await post(ben, id, 'are you there?')).body).toMatchObject({ code: 'not-delivered', detail: 'This account was deleted.' });
    expect((await post(ben, id, 'hello?')).body).not.toMatchObject({ code: 'internal' });
    await expect
      .poll(async () => (await rowOf(ben, shared))?.members.map((member) => [member.id, member.role]))
      .toEqual([[ben.id, 'owner']]);
    const stranger = await somebody();
    expect((await stranger.call('POST', C, { userId: ada.id })).status).toBe(404);
    await expect.poll(async () => (await api.sql`select 1 from departures where user_id = ${ada.id}`).length).toBe(0);
    for (const table of ['passkeys', 'password_resets', 'sign_ins', 'known_devices', 'avatars'])
      expect((await api.sql`select 1 from ${api.sql(table)} where user_id = ${ada.id}`).length, table).toBe(0);
    expect((await api.sql`select 1 from documents where conversation_id = ${ada.id}`).length).toBe(0);
  });

  test('asks for the password, or for a fresh sign-in', async () => {
    const ada = await somebody();
    api.pass(11 * 60_000);
    expect((await ada.call('DELETE', '/api/me', {})).body).toMatchObject({ code: 'forbidden' });
    const again = await api.call('POST', '/api/auth/login', { handle: ada.user.handle, password: 'correct horse', client: 'program' });
    const { accessToken } = again.body as { accessToken: string };
    const gone = await api.call('DELETE', '/api/me', {}, { Authorization: `Bearer ${accessToken}` });
    expect(gone.status).toBe(204);
    expect((await api.call('DELETE', '/api/me', {}, { Authorization: `Bearer ${accessToken}` })).status).toBe(401);
  });

  test('its messages go where the operator says so: from rows, edits, documents and open replicas', async () => {
    const removing = await openTestApi((deps) => ({ ...deps, deletedMessages: 'remove' }));
    const port = await listen(removing);
    try {
      const [ada, ben] = [await removing.register('ada'), await removing.register('ben')];
      await ada.call('POST', C, { userId: ben.id });
      await ben.call('POST', C, { userId: ada.id });
      const id = await directConversationId(ada.id, ben.id);
      const replica = dial(port.url, `${id}/1`, ben.accessToken);
      await ada.call('POST', '/api/messaging/messages', { conversationId: id, content: 'canary-7f3a' });
      await ben.call('POST', '/api/messaging/messages', { conversationId: id, content: 'this one stays' });
      await expect.poll(() => readMessages(replica.doc).map(({ body }) => body)).toEqual(['canary-7f3a', 'this one stays']);
      expect((await ada.call('DELETE', '/api/me', { password: 'correct horse' })).status).toBe(204);
      await expect.poll(() => readMessages(replica.doc).map(({ body }) => body), { timeout: 10_000 }).toEqual([null, 'this one stays']);
      replica.session.closed();
      expect((await removing.sql`select body from messages where conversation_id = ${id} order by seq`).map((row) => row.body)).toEqual([
        null,
        'this one stays',
      ]);
      const stored = async () =>
        (await removing.sql<{ bytes: Uint8Array }[]>`select bytes from updates where conversation_id = ${id}`)
          .map(({ bytes }) => Buffer.from(bytes).toString('latin1'))
          .join();
      await expect.poll(stored, { timeout: 60_000, interval: 500 }).not.toContain('canary-7f3a');
      expect(await stored()).toContain('this one stays');
    } finally {
      await port.close();
      await removing.close();
    }
  });
});
