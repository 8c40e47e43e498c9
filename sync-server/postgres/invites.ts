import type { Invite, Invites } from '../core/ways-in.ts';
import type { InviteUse } from '../core/accounts.ts';
import type { Queries, Sql, Transaction } from './connect.ts';
import { transaction } from './transaction.ts';

type InviteRow = Omit<Invite, 'createdAt' | 'expiresAt'> & { createdAt: Date; expiresAt: Date };

/** Which invites can be used. */
const usable = (sql: Queries, { tokenHash, fromPeople, now }: InviteUse) => sql`
  token_hash = ${tokenHash} and uses_left > 0 and expires_at > ${new Date(now)} and (${fromPeople} or created_by is null)`;

/** Locks an invite and takes one of its uses, unless `task` says that it was not needed. Null: it cannot be used. */
export async function withInvite<T>(
  tx: Transaction,
  use: InviteUse,
  task: () => Promise<{ needed: boolean; result: T }>,
): Promise<T | null> {
  const [invite] = await tx<{ id: string }[]>`select id from invites where ${usable(tx, use)} for update`;
  if (!invite) return null;
  const { needed, result } = await task();
  if (needed) await tx`update invites set uses_left = uses_left - 1 where id = ${invite.id}`;
  return result;
}

/** Invites in Postgres. */
export function makeInvites(sql: Sql): Invites {
  return {
    open: ({ id, tokenHash, createdBy, createdAt, expiresAt, uses, usesLeft }, most) =>
      transaction(sql, async (tx) => {
        const now = new Date(createdAt);
        // Two at once would both count too few.
        const person = await tx`select 1 from users where id = ${createdBy} and deleted_at is null for update`;
        if (createdBy !== null && person.length === 0) return false;
        await tx`delete from invites where created_by is not distinct from ${createdBy} and (expires_at <= ${now} or uses_left = 0)`;
        const rows = await tx`
          insert into invites (id, token_hash, created_by, created_at, expires_at, uses, uses_left)
          select ${id}, ${tokenHash}, ${createdBy}, ${now}, ${new Date(expiresAt)}, ${uses}, ${usesLeft}
          where (select count(*) from invites where created_by is not distinct from ${createdBy}) < ${most} returning id`;
        return rows.length > 0;
      }),
    async list(userId, now) {
      const rows = await sql<InviteRow[]>`
        select id, token_hash as "tokenHash", created_by as "createdBy", created_at as "createdAt", expires_at as "expiresAt",
          uses, uses_left as "usesLeft"
        from invites where created_by = ${userId} and expires_at > ${new Date(now)} and uses_left > 0 order by created_at desc, id`;
      return rows.map(({ createdAt, expiresAt, ...row }) => ({ ...row, createdAt: createdAt.getTime(), expiresAt: expiresAt.getTime() }));
    },
    async look(use) {
      const [row] = await sql<{ displayName: string | null }[]>`
        select u.display_name as "displayName" from (select created_by from invites where ${usable(sql, use)}) i
        left join users u on u.id = i.created_by`;
      return row ?? null;
    },
    async remove(userId, id) {
      const rows = await sql`delete from invites where id = ${id} and created_by = ${userId} returning id`;
      return rows.length > 0;
    },
  };
}
