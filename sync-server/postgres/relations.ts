import type { ConversationKind } from '../../shared/conversation.ts';
import type { Uuid } from '../../shared/ids.ts';
import type { Departures, Relations } from '../core/rights/relations.ts';
import type { Sql } from './connect.ts';
import { notify } from './document-writes.ts';
import { transaction } from './transaction.ts';
import { lockId } from './update-log.ts';

/** What people are to one another, in Postgres. */
export function makePostgresRelations(sql: Sql): Relations {
  return {
    async knowing(userId, others) {
      const rows = await sql<{ id: Uuid }[]>`
        select distinct o.user_id as id from members o
        join members m on m.conversation_id = o.conversation_id and m.user_id = ${userId} and m.left_at is null
        where o.user_id = any(${[...others]}::uuid[]) and o.left_at is null and not o.asked`;
      return new Set(rows.map(({ id }) => id));
    },
    async asked(userId, since) {
      return [
        ...(await sql<{ userId: Uuid; left: boolean }[]>`
          select user_id as "userId", left_at is not null as left
          from members where asked and asked_by = ${userId} and asked_at > ${new Date(since)}`),
      ];
    },
    setBlocked: (userId, otherId, directId, blocked) =>
      transaction(sql, async (tx) => {
        await lockId(tx, directId);
        const { count } = blocked
          ? await tx`insert into blocks (blocker_id, blocked_id) values (${userId}, ${otherId}) on conflict do nothing`
          : await tx`delete from blocks where blocker_id = ${userId} and blocked_id = ${otherId}`;
        if (count === 0) return false;
        // Also where the other is no more: their messages are there still, and count or do not.
        const rows = await tx<{ conversationId: Uuid }[]>`
          select c.id as "conversationId" from conversations c
          join members a on a.conversation_id = c.id and a.user_id = ${userId} and a.left_at is null
          join members b on b.conversation_id = c.id and b.user_id = ${otherId}
          order by c.id for update of c`;
        const ids = rows.map(({ conversationId }) => conversationId);
        await tx`update conversations set members_version = members_version + 1 where id = any(${ids}::uuid[])`;
        await tx`
          update members set changed = pg_current_xact_id() where user_id = ${userId} and conversation_id = any(${ids}::uuid[])`;
        await notify(
          tx,
          rows.map(({ conversationId }) => ({ kind: 'members', conversationId })),
        );
        return true;
      }),
  };
}

/** People who go, in Postgres. */
export function makePostgresDepartures(sql: Sql): Departures {
  return {
    async due() {
      return [...(await sql<{ userId: Uuid; removes: boolean }[]>`select user_id as "userId", removes from departures order by at`)];
    },
    async memberships(userId) {
      return [
        ...(await sql<{ conversationId: Uuid; kind: ConversationKind }[]>`
          select c.id as "conversationId", c.kind from members m join conversations c on c.id = m.conversation_id and c.kind <> 'private'
          where m.user_id = ${userId} and m.left_at is null`),
      ];
    },
    async traces(userId, limit) {
      return [
        ...(await sql<{ conversationId: Uuid; n: number }[]>`
          select distinct x.conversation_id as "conversationId", x.n
          from members m join messages x on x.conversation_id = m.conversation_id
          where m.user_id = ${userId} and ((x.sender_id = ${userId} and x.deleted_at is null) or exists (
            select 1 from reactions r
            where r.conversation_id = x.conversation_id and r.message_id = x.id and r.user_id = ${userId}))
          limit ${limit}`),
      ];
    },
    finish: (userId) =>
      transaction(sql, async (tx) => {
        // The private documents: a conversation of its own, with its owner's id.
        await tx`select 1 from conversations where id = ${userId} and kind = 'private' for update`;
        await tx`delete from updates where conversation_id = ${userId}`;
        await tx`delete from claims where conversation_id = ${userId}`;
        await tx`delete from documents where conversation_id = ${userId}`;
        await tx`delete from members where conversation_id = ${userId}`;
        await tx`delete from conversations where id = ${userId} and kind = 'private'`;
        await tx`delete from blocks where blocker_id = ${userId} or blocked_id = ${userId}`;
        await tx`delete from departures where user_id = ${userId}`;
      }),
  };
}
