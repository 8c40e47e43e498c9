import type { Uuid } from '../../shared/ids.ts';
import type { InboxSource } from '../core/ports.ts';
import type { Sql } from './connect.ts';
import { asConversation, conversationRows, isListed, membershipOf } from './conversation-rows.ts';

/**
 * The inbox's source in Postgres (I2). Rows carry the transaction that changed them last; a cursor is the oldest transaction that was still
 * running when it was made: everything older had ended and could be seen, everything else is at or after the cursor and is read next time,
 * in whatever order transactions commit. A counter or a clock would have gaps here: a transaction that drew a lower number may commit
 * after somebody read beyond it. What lies in the overlap comes again, as whole rows.
 *
 * The horizon is read before the rows (L12): what commits in between is seen and comes again. Transaction numbers mean something only in
 * one history of one cluster, so a cursor names both, and the last restored backup; after a restore it is of no use, and the list is told
 * whole.
 */
export function makePostgresInbox(sql: Sql): InboxSource {
  async function readHorizon(): Promise<{ history: string; oldest: string; next: string }> {
    const [row] = await sql<{ history: string; oldest: string; next: string }[]>`
      select (select system_identifier from pg_control_system())::text || '.' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
          || coalesce((select '.' || id::text from restores order by at desc limit 1), '') as history,
        pg_snapshot_xmin(s)::text as oldest, pg_snapshot_xmax(s)::text as next
      from pg_current_snapshot() as s`;
    return row!;
  }

  return {
    async changes(userId, cursor) {
      const { history, oldest, next } = await readHorizon();
      const from = readCursor(cursor, history, next);
      const since = sql`>= ${from ?? '0'}::xid8`;
      // Those that left the list first: what came back in between is in the rows.
      const gone =
        cursor === null
          ? []
          : await sql<{ id: Uuid }[]>`
              select conversation_id as id from members where user_id = ${userId} and left_at is not null and changed ${since}
              union all
              select c.id from ${membershipOf(sql, userId)} and not ${isListed(sql)} and m.changed ${since} and not (m.asked and m.hidden_seq = 0)`;
      const news = from === null ? sql`` : sql`and (c.changed ${since} or m.changed ${since})`;
      const rows = await conversationRows(sql, userId, sql`and ${isListed(sql)} ${news}`);
      const changed = rows.map(asConversation);
      const present = new Set(changed.map(({ id }) => id));
      return { changed, gone: gone.map(({ id }) => id).filter((id) => !present.has(id)), cursor: `${history}.${oldest}` };
    },
    async concerned(conversationIds, userIds) {
      const rows = await sql<{ userId: Uuid }[]>`
        select distinct m.user_id as "userId" from members m join conversations c on c.id = m.conversation_id and c.kind <> 'private'
        where m.conversation_id = any(${[...conversationIds]}::uuid[]) and m.user_id = any(${[...userIds]}::uuid[])`;
      return rows.map(({ userId }) => userId);
    },
  };
}

/** From which transaction on to read; null, whole, where the cursor is of another history or ahead of this one. */
function readCursor(cursor: string | null, history: string, next: string): string | null {
  const [, of, from] = /^([0-9]{1,20}\.[0-9A-F]{8}(?:\.[0-9a-f-]{36})?)\.([0-9]{1,19})$/.exec(cursor ?? '') ?? [];
  return from !== undefined && of === history && BigInt(from) <= BigInt(next) ? from : null;
}
