import { afterAll, beforeAll, expect, test } from 'vitest';
import { aConversation, aMessage, append } from '../core/contracts/contract-examples.ts';
import { type MigratedDatabase, openMigratedDatabase } from './migrated-database.ts';
import { makePostgresLog } from './update-log.ts';

/** What the contract cannot ask of every adapter. */
let database: MigratedDatabase;
beforeAll(async () => {
  database = await openMigratedDatabase();
});
afterAll(() => database.close());

async function created() {
  const log = makePostgresLog(database.sql);
  const conversation = aConversation();
  await log.create(conversation);
  return { log, id: conversation.id, writer: conversation.members[0]!.userId };
}

test('[D3] a message id or a seq that is taken fails the transaction', async () => {
  const { log, id, writer } = await created();
  const message = aMessage(writer, 1);
  await append(log, id, { snapshot: [message] });
  await expect(append(log, id, { snapshot: [{ ...message, seq: 2 }] })).rejects.toMatchObject({ code: '23505' });
  await expect(append(log, id, { snapshot: [aMessage(writer, 1)] })).rejects.toMatchObject({ code: '23505' });
  expect((await log.read(id, 1, 0))!.document.position).toBe(2);
});

test('[A2] a client id that somebody else has in the document fails the transaction', async () => {
  const { log, id } = await created();
  const claims = [{ client: 7, userId: id }];
  await append(log, id, { write: { claims } });
  await expect(append(log, id, { write: { claims } })).rejects.toMatchObject({ code: '23505' });
});

test('[H3] text that Postgres does not take, and times beyond its dates, do not fail a batch', async () => {
  const { log, id, writer } = await created();
  const extras = { 'a\0': ['\ud800'] };
  const message = aMessage(writer, 1, { body: 'a\0b\udc00', extras, editedAt: Number.MAX_SAFE_INTEGER });
  await append(log, id, { snapshot: [message, { kind: 'reactions', id: message.id, userId: writer, emoji: ['\0'] }] });
  const [kept] = await database.messages(id);
  expect(kept).toMatchObject({ body: 'a\ufffdb\ufffd', extras: { 'a\ufffd': ['\ufffd'] } });
  expect(kept!.reactions.get(writer)).toEqual(['\ufffd']);
});

test('[H3] the conversation list is ordered by the last accepted message', async () => {
  const { log, id, writer } = await created();
  const lastAt = async () =>
    (
      await database.sql<{ at: number }[]>`
    select (extract(epoch from last_at) * 1000)::int8 as at from conversations where id = ${id}`
    )[0]!.at;
  const atFirst = await lastAt();
  const message = aMessage(writer, 1, { acceptedAt: atFirst + 5_000 });
  await append(log, id, { snapshot: [message] });
  await append(log, id, { snapshot: [{ kind: 'deletion', id: message.id, deletedAt: atFirst + 9_000, by: writer }] });
  expect(await lastAt()).toBe(atFirst + 5_000);
});

test('[L2] a batch of 300 conversations is one transaction', async () => {
  const log = makePostgresLog(database.sql);
  const conversations = Array.from({ length: 300 }, () => aConversation());
  for (const conversation of conversations) await log.create(conversation);
  const wants = conversations.map(({ id }) => ({
    conversationId: id,
    documents: [{ n: 1, position: 1 }],
    messageIds: [],
    membersVersion: 1,
  }));
  const ids = new Set<string>();
  await log.transact(wants, (locked) =>
    conversations.map(({ id, members }) => {
      const state = { ...locked.get(id)!.documents.get(1)!.state, position: 2 };
      const documents = [{ state, update: new Uint8Array(100), claims: [], fresh: false, compact: false }];
      return { conversationId: id, seq: 1, open: 1, documents, snapshot: [aMessage(members[0]!.userId, 1)] };
    }),
  );
  const rows = await database.sql<{ id: string; xmin: string }[]>`
    select id, xmin::text from conversations where id = any(${conversations.map(({ id }) => id)}::uuid[])`;
  for (const { xmin } of rows) ids.add(xmin);
  expect(rows).toHaveLength(300);
  expect(ids.size).toBe(1);
});
