import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../../shared/clock.ts';
import { makeUuid } from '../../shared/ids.ts';
import { makeAccounts } from './accounts.ts';
import { type MigratedDatabase, openMigratedDatabase } from './migrated-database.ts';

let database: MigratedDatabase;
beforeAll(async () => void (database = await openMigratedDatabase()));
afterAll(() => database.close());

test('[G5] a picture that comes while its person is being deleted is not kept', async () => {
  const { sql } = database;
  const accounts = makeAccounts(sql);
  const id = makeUuid(systemClock.now(), systemRandom);
  await accounts.create({ id, handle: 'ada', displayName: 'Ada', passwordHash: null, createdAt: systemClock.now() }, null);
  const deleting = await sql.reserve();
  await deleting`begin`;
  await deleting`update users set deleted_at = now() where id = ${id}`;
  await deleting`delete from avatars where user_id = ${id}`;
  const put = accounts.setAvatar(id, { hash: 'a'.repeat(32), bytes: Uint8Array.of(1) });
  const waiting = () => sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  await expect.poll(async () => (await waiting()).length).toBe(1);
  await deleting`commit`;
  deleting.release();
  expect(await put).toBeNull();
  expect([...(await sql`select 1 from avatars`)]).toEqual([]);
});
