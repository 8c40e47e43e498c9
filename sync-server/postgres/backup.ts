import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Sql, Transaction } from './connect.ts';
import { type Migration, MIGRATIONS } from './migrations/list.ts';
import { transaction } from './transaction.ts';

/**
 * A backup is text that `psql` reads, too, on a schema of the same migrations:
 *
 *   -- Homing backup {"at": …, "migrations": […]}
 *   COPY <table> (<columns>) FROM stdin;      one for each table, in the order in which they were made
 *   <rows>
 *   \.
 *   SELECT setval(…);                         counters go on where they were
 *   -- end                                    without it the backup is not whole
 */
const HEADER = '-- Homing backup ';
const END = '-- end';
const COPY = /^COPY ([a-z_]+) \(([a-z_, ]+)\) FROM stdin;$/;
const SETVAL = /^SELECT setval\('([a-z_.]+)', ([0-9]+)\);$/;

/** However large it is. */
const PATIENCE = { lastMs: 2 ** 31 - 1 };

async function beWithoutHaste(tx: Transaction): Promise<void> {
  for (const limit of ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'])
    await tx`select set_config(${limit}, '0', true)`;
}

/** Writes everything that the database holds, as of one moment, while servers go on writing. `out` is left open. */
export async function writeBackup(sql: Sql, out: Writable, at: Date): Promise<void> {
  const say = (text: string | Buffer): Promise<void> =>
    new Promise((resolve, reject) => void out.write(text, (error) => (error ? reject(error) : resolve())));
  await transaction(
    sql,
    async (tx) => {
      await tx`set transaction isolation level repeatable read, read only`;
      await beWithoutHaste(tx);
      const migrations = (await tx<{ name: string }[]>`select name from migrations order by name`).map(({ name }) => name);
      await say(`${HEADER}${JSON.stringify({ at: at.toISOString(), migrations })}\n`);
      for (const { table, columns } of await readTables(tx)) {
        await say(`COPY ${table} (${columns.join(', ')}) FROM stdin;\n`);
        for await (const rows of await tx`copy ${tx(table)} (${tx(columns)}) to stdout`.readable()) await say(rows as Buffer);
        await say('\\.\n');
      }
      for (const { counter, table, column } of await readCounters(tx)) {
        const [row] = await tx<{ last: string }[]>`select coalesce(max(${tx(column)}), 0)::text as last from ${tx(table)}`;
        if (row!.last !== '0') await say(`SELECT setval('${counter}', ${row!.last});\n`);
      }
      await say(`${END}\n`);
    },
    PATIENCE,
  );
}

/** Those that refer to others were made after them. */
const readTables = (tx: Transaction) => tx<{ table: string; columns: string[] }[]>`
  select c.relname as table, array_agg(a.attname::text order by a.attnum) as columns
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname <> 'migrations'
  group by c.oid, c.relname order by c.oid`;

const readCounters = (tx: Transaction) => tx<{ table: string; column: string; counter: string }[]>`
  select c.relname as table, a.attname as column, pg_get_serial_sequence(c.relname, a.attname) as counter
  from pg_class c join pg_attribute a on a.attrelid = c.oid
  where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attidentity <> ''`;

/** The lines of a file as bytes: a text may hold what other readers take for the end of a line. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let start = 0;
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10, start)) {
      yield rest.subarray(start, end + 1);
      start = end + 1;
    }
    rest = rest.subarray(start);
  }
  if (rest.length > 0) yield rest;
}

/** Thrown for a file that cannot be read in, in words for the operator. */
export class BadBackup extends Error {
  override name = 'BadBackup';
}

function readHeader(line: string): readonly Migration[] {
  if (!line.startsWith(HEADER)) throw new BadBackup('This file is no backup of Homing.');
  const { migrations } = JSON.parse(line.slice(HEADER.length)) as { migrations: string[] };
  const known = MIGRATIONS.filter(({ name }) => migrations.includes(name));
  if (known.length < migrations.length) throw new BadBackup('This backup was made by a newer version of Homing: restore it with that one.');
  return known;
}

/**
 * Reads a backup into a database that nobody has used, all or nothing. `migrate` brings the schema to where it was; what came later is
 * the next start's.
 */
export async function readBackup(
  sql: Sql,
  chunks: AsyncIterable<Buffer>,
  migrate: (migrations: readonly Migration[]) => Promise<void>,
): Promise<void> {
  const lines = linesOf(chunks);
  const next = async (): Promise<string | null> => {
    const { value, done } = await lines.next();
    return done ? null : value.toString('utf8').trimEnd();
  };
  await migrate(readHeader((await next()) ?? ''));
  await transaction(
    sql,
    async (tx) => {
      await beWithoutHaste(tx);
      const tables = (await readTables(tx)).map(({ table }) => table);
      await tx`lock table ${tx(tables)}`;
      const [used] = await tx`select 1 from users union all select 1 from conversations limit 1`;
      if (used) throw new BadBackup('There are people or conversations in this database: a backup is restored into an empty one.');
      await tx`truncate ${tx(tables)}`;
      for (let line = await next(); line !== END; line = await next()) {
        if (line === null) throw new BadBackup('This backup ends in the middle; nothing was restored.');
        const [, table, columns] = COPY.exec(line) ?? [];
        const [, counter, last] = SETVAL.exec(line) ?? [];
        if (table !== undefined) await copyIn(tx, table, columns!.split(', '), lines);
        else if (counter !== undefined) await tx`select setval(${counter}, ${last!}::int8)`;
        else throw new BadBackup(`This backup holds a line that is none of ours: ${line.slice(0, 100)}`);
      }
    },
    PATIENCE,
  );
}

async function copyIn(tx: Transaction, table: string, columns: string[], lines: AsyncGenerator<Buffer>): Promise<void> {
  async function* rows(): AsyncGenerator<Buffer> {
    for (let one = await lines.next(); !one.done; one = await lines.next()) {
      if (one.value.length === 3 && one.value.toString() === '\\.\n') return;
      yield one.value;
    }
    throw new BadBackup('This backup ends in the middle; nothing was restored.');
  }
  await pipeline(rows, await tx`copy ${tx(table)} (${tx(columns)}) from stdin`.writable());
}
