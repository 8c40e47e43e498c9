import type { Uuid } from '../../shared/ids.ts';
import type { Membership } from '../core/ports.ts';
import type { Sql } from './connect.ts';

/** Membership and read positions in the table `members`, which is their truth. */
export function makePostgresMembership(sql: Sql): Membership {
  return {
    async access(conversationId, userId) {
      const [row] = await sql<{ left: boolean }[]>`
        select left_at is not null as left from members where conversation_id = ${conversationId} and user_id = ${userId}`;
      if (!row) return 'never';
      return row.left ? 'former' : 'member';
    },
    async positions(conversationId) {
      const rows = await sql<{ user_id: string; read_seq: number; delivered_seq: number }[]>`
        select user_id, read_seq, delivered_seq from members where conversation_id = ${conversationId} and left_at is null`;
      return new Map(rows.map((row) => [row.user_id, { read: row.read_seq, delivered: row.delivered_seq }]));
    },
    async setRead(conversationId, userId, seq) {
      const [row] = await sql<{ read_seq: number }[]>`
        update members m
        set read_seq = greatest(m.read_seq, least(${seq}::int8, c.seq)),
          read_at = case when least(${seq}::int8, c.seq) > m.read_seq then now() else m.read_at end
        from conversations c
        where c.id = m.conversation_id and m.conversation_id = ${conversationId} and m.user_id = ${userId} and m.left_at is null
        returning m.read_seq`;
      return row?.read_seq ?? null;
    },
    async privacy(conversationId) {
      const [row] = await sql<{ silent: Uuid[]; apart: [Uuid, Uuid][] }[]>`
        with present as (select user_id, asked from members where conversation_id = ${conversationId} and left_at is null)
        select (select coalesce(json_agg(user_id), '[]') from present where asked) as silent,
          (select coalesce(json_agg(json_build_array(b.blocker_id, b.blocked_id)), '[]') from blocks b
            where b.blocker_id in (select user_id from present) and b.blocked_id in (select user_id from present)) as apart`;
      return row!;
    },
    async setListed(conversationId, userId, listed) {
      const { count } = await sql`
        update members m set hidden_seq = ${listed ? null : sql`c.seq`} from conversations c
        where c.id = m.conversation_id and c.kind <> 'private' and c.id = ${conversationId} and m.user_id = ${userId} and m.left_at is null`;
      return count > 0;
    },
    async setDelivered(userId, seqs) {
      const rows = await sql<{ conversationId: Uuid }[]>`
        update members m set delivered_seq = least(x.seq, c.seq)
        from unnest(${[...seqs.keys()]}::uuid[], ${[...seqs.values()]}::int8[]) as x(id, seq) join conversations c using (id)
        where m.conversation_id = x.id and m.user_id = ${userId} and m.left_at is null and least(x.seq, c.seq) > m.delivered_seq
        returning m.conversation_id as "conversationId"`;
      return rows.map(({ conversationId }) => conversationId);
    },
  };
}
