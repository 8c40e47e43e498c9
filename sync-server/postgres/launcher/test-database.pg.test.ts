import postgres from 'postgres';
import { expect, test } from 'vitest';
import { createTestDatabase } from './test-database.ts';

test('each test database is empty, its own, and gone after drop', async () => {
  const one = await createTestDatabase();
  const other = await createTestDatabase();
  const sql = postgres(one.url, { max: 1 });
  const otherSql = postgres(other.url, { max: 1 });
  await sql`create table here (n int)`;
  expect(await otherSql`select 1 from pg_tables where schemaname = 'public'`).toHaveLength(0);
  await sql.end();
  await one.drop();
  const names = await otherSql`select datname from pg_database where datname = ${new URL(one.url).pathname.slice(1)}`;
  expect(names).toHaveLength(0);
  await other.drop();
  await otherSql.end();
});
