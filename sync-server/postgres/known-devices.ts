import type { KnownDevices } from '../core/identity.ts';
import type { Sql } from './connect.ts';

const KEPT = 20;

/** Devices that people have signed in from, in Postgres (S7). */
export function makeKnownDevices(sql: Sql): KnownDevices {
  return {
    async knows(handle, hash) {
      const rows = await sql`
        select 1 from known_devices d join users u on u.id = d.user_id where u.handle = ${handle} and d.hash = ${hash}`;
      return rows.length > 0;
    },
    async remember(userId, hash, now) {
      await sql`
        insert into known_devices (user_id, hash, seen_at) values (${userId}, ${hash}, ${new Date(now)})
        on conflict (user_id, hash) do update set seen_at = excluded.seen_at`;
      await sql`
        delete from known_devices where user_id = ${userId} and hash not in
          (select hash from known_devices where user_id = ${userId} order by seen_at desc limit ${KEPT})`;
    },
  };
}
