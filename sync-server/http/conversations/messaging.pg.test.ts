import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conversationAnswer, conversations, messageAnswer, messagesPage } from '../../../shared/api.ts';
import { systemRandom } from '../../../shared/clock.ts';
import { directConversationId, makeMessageId } from '../../../shared/ids.ts';
import { type TestApi, type TestPerson, openTestApi } from '../test-api.ts';

let api: TestApi;
beforeAll(async () => void (api = await openTestApi()));
afterAll(() => api.close());

let count = 0;
const somebody = (name = 'person'): Promise<TestPerson> => api.register(`${name}${++count}`);
const newId = () => makeMessageId(api.now(), systemRandom);

async function open(person: TestPerson, body: unknown) {
  const answer = await person.call('POST', '/api/messaging/conversations', body);
  return { status: answer.status, ...conversationAnswer.parse(answer.body) };
}
const post = (person: TestPerson, conversationId: string, content: string, id = newId()) =>
  person.call('POST', '/api/messaging/messages', { conversationId, content, id });
async function send(person: TestPerson, conversationId: string, content: string, id = newId()) {
  const answer = await post(person, conversationId, content, id);
  return { status: answer.status, ...messageAnswer.parse(answer.body) };
}
const list = async (person: TestPerson, query = '') =>
  conversations.parse((await person.call('GET', `/api/messaging/conversations${query}`)).body);
const page = async (person: TestPerson, conversationId: string, query = '') =>
  messagesPage.parse((await person.call('GET', `/api/messaging/conversations/${conversationId}/messages${query}`)).body);
const read = (person: TestPerson, conversationId: string, seq: number) =>
  person.call('PATCH', `/api/messaging/conversations/${conversationId}/read`, { seq });

describe('conversations', () => {
  test('[D2] two people have one conversation, whoever opens it and however often', async () => {
    const [ada, grace] = [await somebody('ada'), await somebody('grace')];
    const both = await Promise.all([open(ada, { userId: grace.id }), open(grace, { userId: ada.id }), open(ada, { userId: grace.id })]);
    expect(both.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 200, 201]);
    expect(both[0].conversation).toEqual({
      id: await directConversationId(ada.id, grace.id),
      kind: 'direct',
      title: null,
      members: [ada, grace].map(({ id, user: { handle, displayName } }) => ({
        id,
        handle,
        displayName,
        bio: '',
        avatarUrl: null,
        role: 'member',
      })),
      lastMessage: null,
      unreadCount: 0,
      lastReadSeq: 0,
      openSegment: 1,
    });
  });

  test('a group has its founder as owner, and everybody once', async () => {
    const [ada, grace, zoe] = [await somebody('ada'), await somebody('grace'), await somebody('zoe')];
    const { status, conversation } = await open(ada, { title: ' Poets ', memberIds: [zoe.id, grace.id, ada.id, zoe.id] });
    expect(status).toBe(201);
    expect(conversation).toMatchObject({ kind: 'group', title: 'Poets' });
    expect(conversation.members.map(({ id, role }) => [id, role])).toEqual([
      [ada.id, 'owner'],
      [grace.id, 'member'],
      [zoe.id, 'member'],
    ]);
    expect((await list(zoe)).conversations).toEqual([{ ...conversation, request: true }]);
  });

  test('the list is newest first by last message or creation, in pages without holes or doubles', async () => {
    const ada = await somebody('ada');
    const ids: string[] = [];
    for (let i = 0; i < 7; i++) ids.push((await open(ada, { title: `g${i}`, memberIds: [(await somebody()).id] })).conversation.id);
    await send(ada, ids[2]!, 'hello');
    await send(ada, ids[0]!, 'hello');
    const expected = [ids[0], ids[2], ids[6], ids[5], ids[4], ids[3], ids[1]];
    expect((await list(ada)).conversations.map(({ id }) => id)).toEqual(expected);
    const seen: string[] = [];
    let before: string | null = null;
    do {
      const next = await list(ada, `?limit=3${before === null ? '' : `&before=${before}`}`);
      seen.push(...next.conversations.map(({ id }) => id));
      before = next.nextBefore;
    } while (before !== null);
    expect(seen).toEqual(expected);
    expect((await list(ada, '?limit=7')).nextBefore).toBeNull();
  });

  test('conversations of the same moment are all listed', async () => {
    const ada = await somebody('ada');
    for (let i = 0; i < 5; i++) await open(ada, { title: `g${i}`, memberIds: [(await somebody()).id] });
    await api.sql`update conversations set last_at = '2026-01-01T00:00:00.123Z' where id in (select conversation_id from members where user_id = ${ada.id})`;
    const first = await list(ada, '?limit=2');
    const second = await list(ada, `?limit=5&before=${first.nextBefore}`);
    const titles = [...first.conversations, ...second.conversations].map(({ title }) => title);
    expect(titles).toHaveLength(5);
    expect(new Set(titles)).toEqual(new Set(['g0', 'g1', 'g2', 'g3', 'g4']));
  });

  test('a private document is no conversation', async () => {
    const ada = await somebody('ada');
    await api.sql`insert into conversations (id, kind, created_at, last_at, open) values (${ada.id}, 'private', now(), now(), 3)`;
    await api.sql`insert into members (conversation_id, user_id, role, since, read_seq, delivered_seq) values (${ada.id}, ${ada.id}, 'owner', 0, 0, 0)`;
    expect((await list(ada)).conversations).toEqual([]);
    for (const rest of ['messages', 'segments'])
      expect((await ada.call('GET', `/api/messaging/conversations/${ada.id}/${rest}`)).status).toBe(404);
    expect((await read(ada, ada.id, 1)).status).toBe(404);
    expect((await post(ada, ada.id, 'hello')).status).toBe(404);
    expect((await ada.call('GET', '/api/me')).body).toMatchObject({ document: `user:${ada.id}/3` });
  });
});

describe('messages', () => {
  test('[H2] the same id sent twice, or at once from everywhere, is one message', async () => {
    const [ada, grace] = [await somebody('ada'), await somebody('grace')];
    const { conversation } = await open(ada, { userId: grace.id });
    const id = newId();
    const answers = await Promise.all(Array.from({ length: 8 }, () => send(ada, conversation.id, 'once', id)));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
    expect(new Set(answers.map(({ message }) => JSON.stringify(message))).size).toBe(1);
    expect((await send(ada, conversation.id, 'other words', id)).message.content).toBe('once');
    expect((await page(grace, conversation.id)).messages).toEqual([answers[0]!.message]);
    expect(answers[0]!.message).toEqual({
      id,
      seq: 1,
      senderId: ada.id,
      content: 'once',
      sentAt: expect.any(String),
      editedAt: null,
      deletedAt: null,
      replyTo: null,
      reactions: [],
    });
  });

  test('[H2] an id that is somebody else’s is refused', async () => {
    const [ada, grace] = [await somebody('ada'), await somebody('grace')];
    const { conversation } = await open(ada, { userId: grace.id });
    const { message } = await send(ada, conversation.id, 'mine');
    expect(await post(grace, conversation.id, 'mine', message.id)).toMatchObject({ status: 409, body: { code: 'id-used' } });
  });

  test('writing to a person opens the conversation, and the server makes an id when there is none', async () => {
    const [ada, grace] = [await somebody('ada'), await somebody('grace')];
    const first = await ada.call('POST', '/api/messaging/messages', { recipientId: grace.id, content: 'hello' });
    const second = await grace.call('POST', '/api/messaging/messages', { recipientId: ada.id, content: 'hello yourself' });
    expect([first.status, second.status]).toEqual([201, 201]);
    const { messages } = await page(grace, await directConversationId(ada.id, grace.id));
    expect(messages.map(({ seq, senderId, content }) => [seq, senderId, content])).toEqual([
      [1, ada.id, 'hello'],
      [2, grace.id, 'hello yourself'],
    ]);
  });

  test('every character arrives as it was sent', async () => {
    const [ada, grace] = [await somebody('ada'), await somebody('grace')];
    const content = ' \u202Eلا 👩‍👩‍👧‍👦\r\n\t<b>&amp;"\'\\u0000 ' + 'x'.repeat(7_000);
    const { conversation } = await open(ada, { userId: grace.id });
    expect((await send(ada, conversation.id, content)).message.content).toBe(content);
    expect((await page(grace, conversation.id)).messages[0]!.content).toBe(content);
  });

  test('[H3] history comes in pages of 50, newest last, without holes or doubles', async () => {
    const [ada, grace] = [await somebody('ada'), await somebody('grace')];
    const { conversation } = await open(ada, { userId: grace.id });
    for (let i = 1; i <= 120; i++) await send(i % 2 ? ada : grace, conversation.id, `m${i}`);
    const first = await page(grace, conversation.id);
    expect(first.messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, i) => 71 + i));
    const second = await page(grace, conversation.id, `?before=${first.nextBefore}`);
    const third = await page(grace, conversation.id, `?before=${second.nextBefore}`);
    expect([...third.messages, ...second.messages, ...first.messages].map(({ content }) => content)).toEqual(
      Array.from({ length: 120 }, (_, i) => `m${i + 1}`),
    );
    expect(third.nextBefore).toBeNull();
    expect((await page(grace, conversation.id, '?limit=200')).messages).toHaveLength(120);
    expect(await page(grace, conversation.id, '?limit=20&before=21')).toMatchObject({ nextBefore: null });
    expect(await page(grace, conversation.id, '?before=1')).toEqual({ messages: [], nextBefore: null });
  });

  test('edits, deletions and reactions show in history', async () => {
    const [ada, grace, zoe] = [await somebody('ada'), await somebody('grace'), await somebody('zoe')];
    const { conversation } = await open(ada, { title: 'three', memberIds: [grace.id, zoe.id] });
    const { message: one } = await send(ada, conversation.id, 'one');
    const { message: two } = await send(ada, conversation.id, 'two');
    await api.sql`update messages set body = 'one!', edited_at = '2026-02-03T04:05:06.789Z', reply_to = ${`1:${two.id}`} where id = ${one.id}`;
    await api.sql`update messages set body = null, deleted_at = '2026-02-03T04:05:07Z' where id = ${two.id}`;
    const reactions = [
      [grace.id, ['🎉', '👍']],
      [zoe.id, ['👍']],
      [ada.id, []],
    ] as const;
    for (const [userId, emoji] of reactions)
      await api.sql`insert into reactions values (${conversation.id}, ${one.id}, ${userId}, ${[...emoji]})`;
    const { messages } = await page(grace, conversation.id);
    expect(messages).toMatchObject([
      {
        content: 'one!',
        editedAt: '2026-02-03T04:05:06.789Z',
        replyTo: `1:${two.id}`,
        reactions: [
          { emoji: '👍', userIds: [grace.id, zoe.id].sort() },
          { emoji: '🎉', userIds: [grace.id] },
        ],
      },
      { content: null, deletedAt: '2026-02-03T04:05:07.000Z', reactions: [] },
    ]);
    expect((await list(grace)).conversations[0]!.lastMessage).toMatchObject({ id: two.id, seq: 2, preview: null });
  });

  test('older segments are listed with their first seq', async () => {
    const [ada, grace] = [await somebody('ada'), await somebody('grace')];
    const { conversation } = await open(ada, { userId: grace.id });
    await api.sql`insert into documents (conversation_id, n, position, first_seq, log_client, log_clock, messages, bytes, clients)
      select ${conversation.id}, n, 1, (n - 1) * 500 + 1, 1, 1, 0, 0, 0 from generate_series(2, 5) n`;
    const segments = async (query: string) =>
      (await ada.call('GET', `/api/messaging/conversations/${conversation.id}/segments${query}`)).body;
    expect(await segments('?limit=2')).toEqual({
      segments: [
        { n: 4, firstSeq: 1501 },
        { n: 5, firstSeq: 2001 },
      ],
      nextBefore: 4,
    });
    expect(await segments('?before=4')).toMatchObject({ segments: [{ n: 1, firstSeq: 1 }, { n: 2 }, { n: 3 }], nextBefore: null });
    expect(await segments('?before=999999999999999')).toMatchObject({ nextBefore: null });
  });
});

describe('read state', () => {
  test('[H3] unread counts messages of others after the read position that are not deleted', async () => {
    const [ada, grace] = [await somebody('ada'), await somebody('grace')];
    const { conversation } = await open(ada, { userId: grace.id });
    const state = async () => {
      const { unreadCount, lastReadSeq } = (await list(grace)).conversations[0]!;
      return { unreadCount, lastReadSeq };
    };
    for (let i = 1; i <= 6; i++) await send(i === 3 ? grace : ada, conversation.id, `m${i}`);
    expect(await state()).toEqual({ unreadCount: 5, lastReadSeq: 0 });
    expect((await list(ada)).conversations[0]).toMatchObject({ unreadCount: 1 });
    await api.sql`update messages set body = null, deleted_at = now() where conversation_id = ${conversation.id} and seq = 5`;
    expect(await state()).toEqual({ unreadCount: 4, lastReadSeq: 0 });
    expect((await read(grace, conversation.id, 2)).body).toEqual({ unreadCount: 2, lastReadSeq: 2 });
    expect(await state()).toEqual({ unreadCount: 2, lastReadSeq: 2 });
    await api.sql`update members set since = 4 where conversation_id = ${conversation.id} and user_id = ${grace.id}`;
    expect(await state()).toEqual({ unreadCount: 1, lastReadSeq: 2 });
  });

  test('[P4] the read position moves forward only, and never beyond the last', async () => {
    const [ada, grace] = [await somebody('ada'), await somebody('grace')];
    const { conversation } = await open(ada, { userId: grace.id });
    for (let i = 0; i < 3; i++) await send(ada, conversation.id, 'm');
    expect((await read(grace, conversation.id, 2)).body).toEqual({ unreadCount: 1, lastReadSeq: 2 });
    expect((await read(grace, conversation.id, 1)).body).toEqual({ unreadCount: 1, lastReadSeq: 2 });
    expect((await read(grace, conversation.id, Number.MAX_SAFE_INTEGER)).body).toEqual({ unreadCount: 0, lastReadSeq: 3 });
    await send(ada, conversation.id, 'm');
    expect((await list(grace)).conversations[0]).toMatchObject({ unreadCount: 1, lastReadSeq: 3 });
  });

  test('a preview is the first 120 characters', async () => {
    const [ada, grace] = [await somebody('ada'), await somebody('grace')];
    const { conversation } = await open(ada, { userId: grace.id });
    const { message } = await send(ada, conversation.id, '👋'.repeat(200));
    expect((await list(grace)).conversations[0]!.lastMessage).toEqual({
      id: message.id,
      seq: 1,
      senderId: ada.id,
      preview: '👋'.repeat(120),
      sentAt: message.sentAt,
    });
  });
});

describe('[H4] a conversation that one is no member of', () => {
  test.each(['a stranger', 'a former member'])('is not there for %s', async (who) => {
    const [ada, grace, other] = [await somebody('ada'), await somebody('grace'), await somebody('other')];
    const former = who === 'a former member';
    const { conversation } = await open(ada, { title: 'g', memberIds: [grace.id, ...(former ? [other.id] : [])] });
    await send(ada, conversation.id, 'hello');
    await api.sql`update members set left_at = now(), left_seq = 1 where user_id = ${other.id}`;
    const nowhere = '00000000-0000-4000-8000-000000000000';
    const everything = (id: string) => [
      other.call('GET', `/api/messaging/conversations/${id}/messages`),
      other.call('GET', `/api/messaging/conversations/${id}/segments`),
      read(other, id, 1),
      other.call('POST', '/api/messaging/messages', { conversationId: id, content: 'hello' }),
    ];
    const theirs = await Promise.all(everything(conversation.id));
    const none = await Promise.all(everything(nowhere));
    for (const [i, answer] of theirs.entries()) {
      expect(answer.status).toBe(404);
      expect(answer.body).toEqual(none[i]!.body);
    }
    expect((await list(other)).conversations).toEqual([]);
    const kept = (await list(ada)).conversations[0]!;
    expect(kept.members.map(({ id }) => id)).not.toContain(other.id);
    expect(kept.lastMessage!.seq).toBe(1);
  });
});
