import type { PasswordStore } from '../core/ways-in.ts';
import type { Sql, Transaction } from './connect.ts';
import { transaction } from './transaction.ts';

/** Ends a person's sign-ins but one, and their reset links. */
async function endAll(tx: Transaction, userId: string, keep: string | null): Promise<string[]> {
  await tx`delete from password_resets where user_id = ${userId}`;
  const rows = await tx<{ sid: string }[]>`
    delete from sign_ins where user_id = ${userId} and sid is distinct from ${keep} returning sid`;
  return rows.map(({ sid }) => sid);
}

/** Passwords and reset links in Postgres. */
export function makePasswordStore(sql: Sql): PasswordStore {
  return {
    async hashOf(userId) {
      const [row] = await sql<{ hash: string | null }[]>`select password_hash as hash from users where id = ${userId}`;
      return row?.hash ?? null;
    },
    change: (userId, { from, to, keep }) =>
      transaction(sql, async (tx) => {
        const changed = await tx`update users set password_hash = ${to} where id = ${userId} and password_hash = ${from} returning id`;
        return changed.length === 0 ? null : endAll(tx, userId, keep);
      }),
    openReset: (handle, { tokenHash, expiresAt }) =>
      transaction(sql, async (tx) => {
        const [person] = await tx<{ id: string }[]>`select id from users where handle = ${handle} and deleted_at is null for update`;
        if (!person) return false;
        await tx`delete from password_resets where user_id = ${person.id}`;
        await tx`
          insert into password_resets (token_hash, user_id, expires_at) values (${tokenHash}, ${person.id}, ${new Date(expiresAt)})`;
        return true;
      }),
    reset: (tokenHash, to, now) =>
      transaction(sql, async (tx) => {
        const [link] = await tx<{ userId: string }[]>`select user_id as "userId" from password_resets where token_hash = ${tokenHash}`;
        if (!link) return null;
        const { userId } = link;
        // The person first, as everywhere here.
        await tx`select 1 from users where id = ${userId} for update`;
        const taken = await tx`
          delete from password_resets where token_hash = ${tokenHash} and expires_at > ${new Date(now)} returning token_hash`;
        if (taken.length === 0) return null;
        await tx`delete from passkeys where user_id = ${userId}`;
        const [person] = await tx<{ handle: string }[]>`update users set password_hash = ${to} where id = ${userId} returning handle`;
        return person ? { userId, handle: person.handle, ended: await endAll(tx, userId, null) } : null;
      }),
  };
}
