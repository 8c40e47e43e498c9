import { expect, test } from 'vitest';
import { connect } from './connect.ts';
import { createTestDatabase } from './launcher/test-database.ts';

test('[F2] a server that may forget what it confirmed is refused, naming what is off', async () => {
  const database = await createTestDatabase();
  // The test cluster itself runs without fsync.
  await expect(connect(database.url)).rejects.toThrow('fsync off');
  const unsafe = await connect(database.url, { allowUnsafe: true });
  await unsafe`do $$ begin execute format('alter database %I set synchronous_commit = off', current_database()); end $$`;
  await unsafe.end();
  await expect(connect(database.url)).rejects.toThrow('fsync and synchronous_commit off');
  await database.drop();
});

test('an int8 is a number; one beyond the safe integers is an error, and the connection goes on', async () => {
  const database = await createTestDatabase();
  const sql = await connect(database.url, { allowUnsafe: true, max: 1 });
  const [row] = await sql`select ${Number.MAX_SAFE_INTEGER}::int8 as n, array[1, 2]::int8[] as list, count(*) from pg_class where false`;
  expect(row).toEqual({ n: Number.MAX_SAFE_INTEGER, list: [1, 2], count: 0 });
  await expect(sql`select 9007199254740993::int8 as n`).rejects.toThrow('beyond the safe integers');
  expect([...(await sql`select 1::int8 as n`)]).toEqual([{ n: 1 }]);
  await sql.end();
  await database.drop();
});
