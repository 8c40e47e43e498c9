import type { Uuid } from '../../shared/ids.ts';
import { AROUND, type Report, type Reports } from '../core/rights/reports.ts';
import type { Sql } from './connect.ts';

type ReportRow = Omit<Report, 'at' | 'closedAt'> & { at: Date; closedAt: Date | null };

const asReport = ({ at, closedAt, ...row }: ReportRow): Report => ({
  ...row,
  at: at.toISOString(),
  closedAt: closedAt?.toISOString() ?? null,
});

/** Reports in Postgres, each with its own copy of the messages. */
export function makeReports(sql: Sql): Reports {
  const columns = sql`id, reporter_id as "reporterId", reported_id as "reportedId", conversation_id as "conversationId",
    message_id as "messageId", reason, at, closed_at as "closedAt", messages,
    (select handle from users u where u.id = reporter_id) as reporter, (select handle from users u where u.id = reported_id) as reported`;

  return {
    async file({ id, reporterId, conversationId, messageId, reason, now }, most) {
      const [row] = await sql<{ id: Uuid | null; filed: boolean }[]>`
        with visible as (
          select x.* from members m join messages x on x.conversation_id = m.conversation_id and x.seq > m.visible_from
          where m.user_id = ${reporterId} and m.left_at is null and m.conversation_id = ${conversationId}
        ), target as (
          select * from visible where id = ${messageId} and sender_id <> ${reporterId}
        ), filed as (
          insert into reports (id, reporter_id, reported_id, conversation_id, message_id, reason, at, messages)
          select ${id}, ${reporterId}, t.sender_id, t.conversation_id, t.id, ${reason}, ${new Date(now)}, (
            select json_agg(json_build_object('id', v.id, 'seq', v.seq, 'senderId', v.sender_id, 'content', v.body,
              'sentAt', to_char(v.accepted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by v.seq)
            from visible v where v.seq between t.seq - ${AROUND}::int8 and t.seq + ${AROUND}::int8)
          from target t where (select count(*) from reports where reporter_id = ${reporterId} and closed_at is null) < ${most}
          on conflict (reporter_id, conversation_id, message_id) do nothing
          returning id
        )
        select coalesce(f.id, r.id) as id, f.id is not null as filed
        from target t left join filed f on true
        left join reports r on r.reporter_id = ${reporterId} and r.conversation_id = t.conversation_id and r.message_id = t.id`;
      if (!row) return null;
      return row.id === null ? 'too-many' : { id: row.id, filed: row.filed };
    },
    async list(which, limit) {
      const rows = await sql<ReportRow[]>`
        select ${columns} from reports ${which === 'open' ? sql`where closed_at is null` : sql``} order by at desc limit ${limit}`;
      return rows.map(asReport);
    },
    async find(id) {
      const rows = await sql<
        ReportRow[]
      >`select ${columns} from reports where id::text like ${`${id.replaceAll(/[^0-9a-f-]/g, '')}%`} limit 2`;
      return rows.length === 1 ? asReport(rows[0]!) : null;
    },
    async close(id, now) {
      const { count } = await sql`update reports set closed_at = ${new Date(now)} where id = ${id} and closed_at is null`;
      return count > 0;
    },
  };
}
