import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Uuid } from '../../shared/ids.ts';
import { aConversation, aMessage, anId, append } from '../core/contracts/contract-examples.ts';
import { makePostgresInbox } from './inbox.ts';
import { type MigratedDatabase, openMigratedDatabase } from './migrated-database.ts';
import { makePostgresLog } from './update-log.ts';

let database: MigratedDatabase;
beforeAll(async () => void (database = await openMigratedDatabase()));
afterAll(() => database.close());

async function newConversation(userId: Uuid): Promise<Uuid> {
  const conversation = aConversation({ members: [{ userId, role: 'member', since: 0 }] });
  await makePostgresLog(database.sql).create(conversation);
  return conversation.id;
}

test('[I2] a transaction that began early and commits late is not skipped by the cursors in between', async () => {
  const { sql } = database;
  const [log, inbox] = [makePostgresLog(sql), makePostgresInbox(sql)];
  const userId = anId();
  const [slow, quick] = [await newConversation(userId), await newConversation(userId)];
  let { cursor } = await inbox.changes(userId, null);

  let commit = (): void => {};
  let late: Promise<unknown> = Promise.resolve();
  await new Promise<void>((changed) => {
    late = sql.begin(async (tx) => {
      await tx`update conversations set title = 'late', changed = pg_current_xact_id() where id = ${slow}`;
      changed();
      await new Promise<void>((resolve) => (commit = resolve));
    });
  });

  // Others commit after it began, and are read, several times over.
  for (let seq = 1; seq <= 3; seq++) {
    await append(log, quick, { snapshot: [aMessage(userId, seq)] });
    const between = await inbox.changes(userId, cursor);
    expect(between.changed.map(({ id, lastMessage }) => [id, lastMessage?.seq])).toEqual([[quick, seq]]);
    ({ cursor } = between);
  }
  commit();
  await late;

  const after = await inbox.changes(userId, cursor);
  expect(after.changed.find(({ id }) => id === slow)).toMatchObject({ title: 'late' });
  // When nothing runs any more the overlap is over.
  expect((await inbox.changes(userId, after.cursor)).changed).toEqual([]);
});

test('[I2] a cursor from another cluster, or from a future that a restore took away, brings the whole list', async () => {
  const inbox = makePostgresInbox(database.sql);
  const userId = anId();
  const id = await newConversation(userId);
  const { cursor } = await inbox.changes(userId, null);
  expect((await inbox.changes(userId, cursor)).changed).toEqual([]);
  const [system, timeline, xid] = cursor.split('.') as [string, string, string];
  for (const other of [
    `1${system.slice(1)}9.${timeline}.${xid}`,
    `${system}.0000000F.${xid}`,
    `${system}.${timeline}.${BigInt(xid) + 1_000_000n}`,
  ])
    expect((await inbox.changes(userId, other)).changed.map((row) => row.id)).toEqual([id]);
});
