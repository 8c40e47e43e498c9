import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemRandom } from '../../shared/clock.ts';
import { makeUuid } from '../../shared/ids.ts';
import { aConversation, aMessage, append } from '../core/contracts/contract-examples.ts';
import { readBackup, writeBackup } from './backup.ts';
import { type Sql, connect } from './connect.ts';
import { makePostgresInbox } from './inbox.ts';
import { createTestDatabase } from './launcher/test-database.ts';
import { type MigratedDatabase, openMigratedDatabase } from './migrated-database.ts';
import { MIGRATIONS } from './migrations/list.ts';
import { migrate } from './migrate.ts';
import { makeRestores } from './restores.ts';
import { makePostgresLog } from './update-log.ts';

const AT = new Date(0);
const id = () => makeUuid(1, systemRandom);
let database: MigratedDatabase;
let copy: { sql: Sql; close(): Promise<void> };

beforeEach(async () => {
  database = await openMigratedDatabase();
  const empty = await createTestDatabase();
  const sql = await connect(empty.url, { allowUnsafe: true });
  copy = {
    sql,
    async close() {
      await sql.end();
      await empty.drop();
    },
  };
});
afterEach(async () => {
  await copy.close();
  await database.close();
});

async function dump(sql: Sql): Promise<Buffer> {
  const out = new PassThrough();
  const chunks: Buffer[] = [];
  out.on('data', (chunk: Buffer) => chunks.push(chunk));
  await writeBackup(sql, out, AT);
  return Buffer.concat(chunks);
}
async function* inPieces(bytes: Buffer, size = 1_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const read = (bytes: Buffer, size?: number) => readBackup(copy.sql, inPieces(bytes, size), (migrations) => migrate(copy.sql, migrations));

/** A conversation with texts that a careless reader would cut. */
async function fill({ sql }: { sql: Sql }) {
  const log = makePostgresLog(sql);
  const conversation = aConversation();
  await log.create(conversation);
  const writer = conversation.members[0]!.userId;
  const message = aMessage(writer, 1, { body: 'a\tb\\c\nd\re\u2028f\\.\n\\.' });
  await append(log, conversation.id, { snapshot: [message] });
  const edit = { kind: 'edit', id: message.id, body: 'second', replyTo: null, extras: { a: [1] }, editedAt: 5 } as const;
  await append(log, conversation.id, { snapshot: [edit] });
  return { log, conversation, writer, message };
}

test('[F21] a backup that is read in elsewhere is the same to the byte, whatever the pieces, and its counters go on', async () => {
  const { log, conversation } = await fill(database);
  // More than any buffer on the way holds, in rows of many sizes.
  for (let i = 0; i < 40; i++) await append(log, conversation.id, { update: Buffer.alloc(1 + 997 * i, i) });
  const bytes = await dump(database.sql);
  await read(bytes, 701);
  expect((await dump(copy.sql)).toString()).toBe(bytes.toString());
  const message = (await copy.sql<{ id: string; conversation_id: string }[]>`select id, conversation_id from messages`)[0]!;
  const edit = { kind: 'edit', id: message.id, body: 'third', replyTo: null, extras: null, editedAt: 6 } as const;
  await append(makePostgresLog(copy.sql), message.conversation_id, { snapshot: [edit] });
  const versions = await copy.sql<{ version: number }[]>`select version from message_edits order by version`;
  expect(versions.map(({ version }) => version)).toEqual([1, 2]);
});

test('[F21] a backup is of one moment, however much is written meanwhile', async () => {
  const { log, conversation, writer } = await fill(database);
  let seq = 1;
  let isOver = false;
  const writing = (async () => {
    while (!isOver) await append(log, conversation.id, { snapshot: [aMessage(writer, ++seq)] });
  })();
  for (let i = 0; i < 5; i++) await append(log, conversation.id, { snapshot: [] });
  const bytes = await dump(database.sql);
  isOver = true;
  await writing;
  await read(bytes);
  const [row] = await copy.sql<{ seq: number; messages: number; position: number; updates: number }[]>`
    select c.seq, (select count(*) from messages) as messages, d.position,
      (select count(*) from updates u where u.n = 1) as updates
    from conversations c join documents d on d.conversation_id = c.id and d.n = 1`;
  expect(row!.messages).toBe(row!.seq);
  expect(row!.updates).toBe(row!.position);
  expect(row!.seq).toBeLessThan(seq);
});

/** What may be wrong with a file, and the words for it. */
const SPOILT: [what: string, spoil: (text: string) => string, words: string][] = [
  ['cut', (text) => text.slice(0, text.length / 2), 'ends in the middle'],
  ['without its last line', (text) => text.replace('-- end\n', ''), 'ends in the middle'],
  ['with a line of somebody else', (text) => text.replace('COPY updates', 'DROP TABLE updates;\nCOPY updates'), 'none of ours'],
  ['of a newer version', (text) => text.replace('0001-messaging', '9999-future'), 'newer version'],
  ['none', () => 'select 1;\n', 'no backup'],
];

test('[F21] a backup that is cut, spoilt, of a newer version or none is refused with words, and nothing of it is there', async () => {
  await fill(database);
  const text = (await dump(database.sql)).toString();
  await migrate(copy.sql);
  for (const [what, spoil, words] of SPOILT) {
    await expect(read(Buffer.from(spoil(text))), what).rejects.toThrow(words);
    expect([what, (await copy.sql`select 1 from conversations`).length]).toEqual([what, 0]);
  }
});

test('[F21] what is not empty is left alone; an older backup is brought up to date by the next start', async () => {
  const { conversation } = await fill(database);
  const older = MIGRATIONS.slice(0, -1);
  const text = (await dump(database.sql)).toString();
  const bytes = Buffer.from(text.replace(`,"${MIGRATIONS.at(-1)!.name}"`, '').replace(/COPY (restores|home) [^]*?\n\\\.\n/g, ''));
  await read(bytes);
  expect(await copy.sql`select 1 from migrations`).toHaveLength(older.length);
  await migrate(copy.sql);
  expect((await makePostgresLog(copy.sql).read(conversation.id, 1, 0))?.rows).toHaveLength(3);
  await expect(read(bytes)).rejects.toThrow('empty');
});

test('[F21] [L14] a copy finds out that it is one, by itself and once; what was begun is ended', async () => {
  await fill(database);
  const first = makeRestores(database.sql);
  expect([await first.begin(false, id()), await first.begin(false, id()), await first.last()]).toEqual([null, null, null]);
  await read(await dump(database.sql));
  const copied = makeRestores(copy.sql);
  const restore = id();
  expect(await copied.begin(false, restore)).toEqual({ id: restore, reached: null });
  const [one] = await copied.conversations(null, 10);
  await copied.reached(restore, one!);
  expect([await copied.begin(true, id()), await copied.last()]).toEqual([{ id: restore, reached: one }, null]);
  expect(await copied.conversations(one!, 10)).toEqual([]);
  await copied.finish(restore);
  expect(await copied.begin(false, id())).toBeNull();
  expect(await copied.last()).toMatchObject({ id: restore, backTo: expect.any(Number) });
  // The one that was copied goes on; a command says so of it where nothing else can.
  expect([await first.begin(false, id()), await first.begin(true, restore)]).toEqual([null, { id: restore, reached: null }]);
});

test('[F21] [L14] after a restore no sign-in and no link of before holds', async () => {
  const { sql } = database;
  const user = id();
  await sql`insert into users (id, handle, display_name, name_key, created_at) values (${user}, 'ana', 'Ana', 'ana', now())`;
  await sql`insert into sign_ins (sid, user_id, token_hash, successor_key, rotated_at, expires_at, created_at)
    values (${id()}, ${user}, 'a', 'b', now(), now(), now())`;
  await sql`insert into password_resets (token_hash, user_id, expires_at) values ('c', ${user}, now())`;
  const kept = async () => [await sql`select 1 from sign_ins`, await sql`select 1 from password_resets`].map(({ length }) => length);
  const restores = makeRestores(sql);
  await restores.begin(false, id());
  // A standby took over: what it may have lost is of seconds.
  await sql`update home set place = split_part(place, '/', 1) || '/00000000'`;
  const failover = id();
  expect(await restores.begin(false, failover)).toEqual({ id: failover, reached: null });
  await restores.finish(failover);
  expect([await kept(), await restores.begin(false, id())]).toEqual([[1, 1], null]);
  await restores.begin(true, id());
  expect(await kept()).toEqual([0, 0]);
});

test('[F21] [I2] after a restore a cursor of before brings the whole list, and one from then on only what changes', async () => {
  const { conversation, writer, log } = await fill(database);
  const inbox = makePostgresInbox(database.sql);
  const before = await inbox.changes(writer, null);
  // As in rows that come from a cluster which has counted further.
  await database.sql`update conversations set changed = '999999999'`;
  const restores = makeRestores(database.sql);
  const restore = id();
  await restores.begin(true, restore);
  await restores.finish(restore);
  const whole = await inbox.changes(writer, before.cursor);
  expect(whole.changed.map((row) => row.id)).toEqual([conversation.id]);
  await append(log, (await created()).id);
  const later = await inbox.changes(writer, whole.cursor);
  const again = await inbox.changes(writer, later.cursor);
  expect(again.changed).toEqual([]);

  async function created() {
    const other = aConversation();
    await log.create(other);
    return other;
  }
});
