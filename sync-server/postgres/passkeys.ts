import type { Passkey, Passkeys } from '../core/ways-in.ts';
import type { Sql } from './connect.ts';
import { transaction } from './transaction.ts';

type PasskeyRow = Omit<Passkey, 'createdAt' | 'lastUsedAt'> & { createdAt: Date; lastUsedAt: Date | null };

const asPasskey = ({ createdAt, lastUsedAt, ...row }: PasskeyRow): Passkey => ({
  ...row,
  createdAt: createdAt.getTime(),
  lastUsedAt: lastUsedAt?.getTime() ?? null,
});

/** Passkeys and the challenges of their ceremonies, in Postgres: a ceremony may end on another node. */
export function makePasskeys(sql: Sql): Passkeys {
  const columns = sql`id, user_id as "userId", name, public_key as "publicKey", counter, created_at as "createdAt", last_used_at as "lastUsedAt"`;

  return {
    async openChallenge({ hash, userId, expiresAt }, now) {
      await sql`
        with gone as (delete from passkey_challenges where expires_at <= ${new Date(now)})
        insert into passkey_challenges (hash, user_id, expires_at) values (${hash}, ${userId}, ${new Date(expiresAt)})`;
    },
    async takeChallenge({ hash, userId }, now) {
      const [row] = await sql<{ userId: string | null; expiresAt: Date }[]>`
        delete from passkey_challenges where hash = ${hash} returning user_id as "userId", expires_at as "expiresAt"`;
      return row !== undefined && row.userId === userId && row.expiresAt.getTime() > now;
    },
    async list(userId) {
      const rows = await sql<PasskeyRow[]>`select ${columns} from passkeys where user_id = ${userId} order by created_at, id`;
      return rows.map(asPasskey);
    },
    async find(id) {
      const [row] = await sql<PasskeyRow[]>`select ${columns} from passkeys where id = ${id}`;
      return row ? asPasskey(row) : null;
    },
    add: ({ id, userId, name, publicKey, counter, createdAt }, most) =>
      transaction(sql, async (tx) => {
        // Two at once would both count too few.
        const person = await tx`select 1 from users where id = ${userId} and deleted_at is null for update`;
        if (person.length === 0) return false;
        const rows = await tx`
          insert into passkeys (id, user_id, name, public_key, counter, created_at)
          select ${id}, ${userId}, ${name}, ${publicKey}, ${counter}, ${new Date(createdAt)}
          where (select count(*) from passkeys where user_id = ${userId}) < ${most}
          on conflict (id) do nothing returning id`;
        return rows.length > 0;
      }),
    async rename(userId, id, name) {
      const [row] = await sql<PasskeyRow[]>`
        update passkeys set name = ${name} where id = ${id} and user_id = ${userId} returning ${columns}`;
      return row ? asPasskey(row) : null;
    },
    async remove(userId, id) {
      const rows = await sql`delete from passkeys where id = ${id} and user_id = ${userId} returning id`;
      return rows.length > 0;
    },
    async use(id, counter, now) {
      const rows = await sql`
        update passkeys set counter = ${counter}, last_used_at = ${new Date(now)}
        where id = ${id} and (counter < ${counter} or (counter = 0 and ${counter} = 0)) returning id`;
      return rows.length > 0;
    },
  };
}
