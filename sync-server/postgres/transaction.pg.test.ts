import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { aConversation, aMessage, append, bytes } from '../core/contracts/contract-examples.ts';
import { CommitUnknown, type Hint, LogUnavailable, type NewConversation, type UpdateLog } from '../core/ports.ts';
import { type Sql, connect } from './connect.ts';
import { type CuttingProxy, openCuttingProxy } from './cutting-proxy.ts';
import { makePostgresBus } from './hint-bus.ts';
import { type MigratedDatabase, openMigratedDatabase } from './migrated-database.ts';
import { transaction } from './transaction.ts';
import { makePostgresLog } from './update-log.ts';

/** The log by way of a proxy that cuts, and beside it a straight one that tells what was committed. */
let database: MigratedDatabase;
let straight: UpdateLog;
let proxy: CuttingProxy;
let sql: Sql;
let log: UpdateLog;
let conversation: NewConversation;

beforeAll(async () => {
  database = await openMigratedDatabase();
  straight = makePostgresLog(database.sql);
});
afterAll(() => database.close());
beforeEach(async () => {
  proxy = await openCuttingProxy(database.url);
  sql = await connect(proxy.url, { allowUnsafe: true, max: 1 });
  log = makePostgresLog(sql);
  conversation = aConversation();
  await straight.create(conversation);
});
afterEach(async () => {
  await sql.end({ timeout: 1 });
  await proxy.close();
});

const rowsOf = async (id = conversation.id) => (await straight.read(id, 1, 0))?.rows.length ?? 0;

test('[L10] a connection lost between COMMIT and its answer: unknown, and here committed', async () => {
  proxy.cutAt('commit', 'answer');
  await expect(append(log, conversation.id)).rejects.toBeInstanceOf(CommitUnknown);
  expect(await rowsOf()).toBe(2);
  await append(log, conversation.id);
  expect(await rowsOf()).toBe(3);
});

test('[L10] a COMMIT that never reached the server looks the same: unknown, and here not committed', async () => {
  proxy.cutAt('commit', 'request');
  await expect(append(log, conversation.id)).rejects.toBeInstanceOf(CommitUnknown);
  expect(await rowsOf()).toBe(1);
  await append(log, conversation.id);
  expect(await rowsOf()).toBe(2);
});

test('[L10] creating a conversation tells the unknown apart, too', async () => {
  const fresh = aConversation();
  proxy.cutAt('commit', 'answer');
  await expect(log.create(fresh)).rejects.toBeInstanceOf(CommitUnknown);
  expect(await log.create(fresh)).toBe(false);
});

test.each(
  ['begin', 'for update', 'from unnest', 'update conversations', 'insert into updates', 'pg_notify'].flatMap((text) => [
    { text, what: 'request' as const },
    { text, what: 'answer' as const },
  ]),
)('[L9] a connection lost at the $what of $text, before COMMIT: nothing was written, and the next batch goes through', async (cut) => {
  proxy.cutAt(cut.text, cut.what);
  await expect(append(log, conversation.id)).rejects.toBeInstanceOf(LogUnavailable);
  expect(await rowsOf()).toBe(1);
  await append(log, conversation.id);
  expect(await rowsOf()).toBe(2);
});

test('[L9] a server process that is ended amid a transaction: unavailable, and the pool goes on', async () => {
  await append(log, conversation.id);
  const killed = transaction(sql, async (tx) => {
    const [row] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
    await database.sql`select pg_terminate_backend(${row!.pid})`;
    await tx`select pg_sleep(60)`;
  });
  await expect(killed).rejects.toBeInstanceOf(LogUnavailable);
  await vi.waitFor(() => append(log, conversation.id), { timeout: 10_000 });
});

test('[L9] while the server cannot be reached the log is unavailable; afterwards it is there again', async () => {
  await proxy.goDown();
  for (let i = 0; i < 3; i++) await expect(append(log, conversation.id)).rejects.toBeInstanceOf(LogUnavailable);
  await proxy.comeBack();
  await append(log, conversation.id);
  expect(await rowsOf()).toBe(2);
});

test('[L9] a transaction that gets no connection in time is unavailable, and does nothing when one comes free', async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const busy = transaction(sql, () => released);
  let ran = false;
  const late = transaction(
    sql,
    async () => {
      ran = true;
    },
    { waitMs: 20 },
  );
  await expect(late).rejects.toBeInstanceOf(LogUnavailable);
  release();
  await busy;
  await append(log, conversation.id);
  expect(ran).toBe(false);
});

test('[L9] a transaction that lasts too long is unavailable, and is not committed later', async () => {
  const slow = transaction(
    sql,
    async (tx) => {
      await tx`delete from updates where conversation_id = ${conversation.id}`;
      await tx`select pg_sleep(0.3)`;
    },
    { lastMs: 50 },
  );
  await expect(slow).rejects.toBeInstanceOf(LogUnavailable);
  await append(log, conversation.id);
  expect(await rowsOf()).toBe(2);
});

test('[L9] what the server refuses is thrown as it says, and the connection is free', async () => {
  const refused = transaction(sql, async (tx) => {
    await tx`insert into documents (conversation_id) values (null)`;
  });
  await expect(refused).rejects.toMatchObject({ code: '23502' });
  await append(log, conversation.id);
});

test('[L10] one message sent again after each lost answer is one message', async () => {
  const message = aMessage(conversation.members[0]!.userId, 1);
  const want = { conversationId: conversation.id, documents: [{ n: 1, position: 0 }], messageIds: [message.id], membersVersion: 1 };
  const send = () =>
    log.transact([want], (locked) => {
      const { conversation, documents, usedIds } = locked.get(want.conversationId)!;
      if (usedIds.has(message.id)) return [];
      const { state } = documents.get(1)!;
      const write = { state: { ...state, position: state.position + 1 }, update: bytes(1), claims: [], fresh: false, compact: false };
      return [{ conversationId: conversation.id, seq: 1, open: 1, documents: [write], snapshot: [message] }];
    });
  for (let i = 0; i < 5; i++) {
    proxy.cutAt('commit', i % 2 ? 'answer' : 'request');
    await expect(send()).rejects.toBeInstanceOf(CommitUnknown);
  }
  await send();
  expect(await database.messages(conversation.id)).toHaveLength(1);
  expect(await rowsOf()).toBe(2);
});

test('[L12] a listener whose connection was lost listens again, and tells of the gap', async () => {
  const hints: Hint[] = [];
  let gaps = 0;
  const bus = makePostgresBus(sql, { info() {}, warn() {}, error() {} });
  await bus.listen(
    (hint) => hints.push(hint),
    () => gaps++,
  );
  expect(gaps).toBe(1);
  await proxy.goDown();
  await append(straight, conversation.id);
  await proxy.comeBack();
  await vi.waitFor(() => expect(gaps).toBe(2), { timeout: 20_000 });
  await append(straight, conversation.id);
  await vi.waitFor(() => expect(hints).toHaveLength(1), { timeout: 10_000 });
  expect(hints).toEqual([{ kind: 'updates', documents: [[conversation.id, 1, 3]] }]);
});

test('[L12] a payload that is no hint is logged, and the next one is heard', async () => {
  const hints: Hint[] = [];
  const warn = vi.fn();
  const bus = makePostgresBus(sql, { info() {}, warn, error() {} });
  await bus.listen(
    (hint) => hints.push(hint),
    () => {},
  );
  for (const payload of ['', 'null', '{', '{"kind":"updates","documents":[["x",1,1]]}', '{"kind":"positions"}'])
    await sql`select pg_notify('homing_hints', ${payload})`;
  const hint: Hint = { kind: 'positions', conversationId: conversation.id, userId: conversation.id, read: true };
  await bus.publish(hint);
  await vi.waitFor(() => expect(hints).toEqual([hint]), { timeout: 10_000 });
  expect(warn).toHaveBeenCalledTimes(5);
});
