import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Sql, connect } from './connect.ts';
import { type TestDatabase, createTestDatabase } from './launcher/test-database.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS, type Migration } from './migrations/list.ts';

let database: TestDatabase;
let nodes: Sql[];
beforeEach(async () => {
  database = await createTestDatabase();
  nodes = await Promise.all(Array.from({ length: 4 }, () => connect(database.url, { allowUnsafe: true, max: 2 })));
});
afterEach(async () => {
  await Promise.all(nodes.map((sql) => sql.end()));
  await database.drop();
});

const step = (name: string): Migration => ({
  name,
  up: `create table if not exists steps (n serial, name text); insert into steps (name) values ('${name}');`,
});
const steps = async () => (await nodes[0]!<{ name: string }[]>`select name from steps order by n`).map(({ name }) => name);

test('nodes that start at once apply each migration once, in order; a later start applies only what is new', async () => {
  await Promise.all(nodes.map((sql) => migrate(sql, [step('a'), step('b')])));
  expect(await steps()).toEqual(['a', 'b']);
  await Promise.all(nodes.map((sql) => migrate(sql, [step('a'), step('b'), step('c')])));
  expect(await steps()).toEqual(['a', 'b', 'c']);
});

test('a migration that fails leaves the schema as it was', async () => {
  const broken = { name: 'b', up: 'create table half (n int); create table half (n int);' };
  await expect(migrate(nodes[0]!, [step('a'), broken])).rejects.toThrow('half');
  expect(await nodes[0]!`select 1 from pg_tables where schemaname = 'public'`).toHaveLength(0);
  await migrate(nodes[0]!, [step('a')]);
  expect(await steps()).toEqual(['a']);
});

test('the whole list applies to an empty database, twice without harm', async () => {
  await migrate(nodes[0]!);
  await migrate(nodes[1]!);
  const applied = await nodes[0]!<{ name: string }[]>`select name from migrations order by name`;
  expect(applied.map(({ name }) => name)).toEqual(MIGRATIONS.map(({ name }) => name));
});
