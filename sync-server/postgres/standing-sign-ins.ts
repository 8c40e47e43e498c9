import type { Uuid } from '../../shared/ids.ts';
import type { StandingSignIns } from '../core/ports.ts';
import type { Sql } from './connect.ts';

/** Which sign-ins stand, by their rows. */
export function makeStandingSignIns(sql: Sql): StandingSignIns {
  return {
    async ended(sids, now) {
      const rows = await sql<{ sid: Uuid }[]>`
        select sid from unnest(${[...sids]}::uuid[]) as asked(sid)
        where not exists (select from sign_ins s where s.sid = asked.sid and s.expires_at > ${new Date(now)})`;
      return rows.map(({ sid }) => sid);
    },
    async gone(userIds) {
      const rows = await sql<{ id: Uuid }[]>`select id from users where id = any(${[...userIds]}::uuid[]) and deleted_at is not null`;
      return rows.map(({ id }) => id);
    },
  };
}
