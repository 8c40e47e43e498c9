import type { Sql } from './connect.ts';
import { MIGRATIONS, type Migration } from './migrations/list.ts';
import { transaction } from './transaction.ts';

/** The longest that a timer can wait: a large table may take its time, and so may the node that is ahead of us. */
const PATIENCE = { lastMs: 2 ** 31 - 1 };
/** Any number that nothing else in this database locks. */
const LOCK = 0x686f6d67;

/**
 * Brings the schema up to date: each migration exactly once, in order, all of them in one transaction. Several nodes may start at once;
 * one applies, the others wait for it.
 */
export async function migrate(sql: Sql, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  await transaction(
    sql,
    async (tx) => {
      await tx`set local lock_timeout = 0`;
      await tx`set local statement_timeout = 0`;
      await tx`select pg_advisory_xact_lock(${LOCK})`;
      await tx`create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())`;
      const applied = new Set((await tx<{ name: string }[]>`select name from migrations`).map(({ name }) => name));
      for (const { name, up } of migrations) {
        if (applied.has(name)) continue;
        await tx.unsafe(up);
        await tx`insert into migrations (name) values (${name})`;
      }
    },
    PATIENCE,
  );
}
