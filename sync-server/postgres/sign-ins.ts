import type { SignIn, SignIns } from '../core/accounts.ts';
import type { Sql } from './connect.ts';
import { transaction } from './transaction.ts';

type SignInRow = Omit<SignIn, 'createdAt' | 'rotatedAt' | 'expiresAt'> & { createdAt: Date; rotatedAt: Date; expiresAt: Date };

const asSignIn = ({ createdAt, rotatedAt, expiresAt, ...row }: SignInRow): SignIn => ({
  ...row,
  createdAt: createdAt.getTime(),
  rotatedAt: rotatedAt.getTime(),
  expiresAt: expiresAt.getTime(),
});

/** As many as a person may have; the next one ends the one that was used longest ago. */
const MOST = 100;

/** Sign-ins in Postgres. */
export function makeSignIns(sql: Sql): SignIns {
  const columns = sql`sid, user_id as "userId", device, token_hash as "tokenHash", previous_hash as "previousHash",
    successor_key as "successorKey", created_at as "createdAt", rotated_at as "rotatedAt", expires_at as "expiresAt",
    rotation, is_received as "isReceived", is_repeated as "isRepeated", repeats`;

  return {
    open: ({ sid, userId, device, tokenHash, previousHash, successorKey, createdAt, rotatedAt, expiresAt }, passwordHash) =>
      transaction(sql, async (tx) => {
        // The lock waits for a change of the password that is on its way, and then sees it.
        const [person] = await tx<{ hash: string | null }[]>`
          select password_hash as hash from users where id = ${userId} and deleted_at is null for share`;
        if (!person || (passwordHash !== null && person.hash !== passwordHash)) return null;
        await tx`delete from sign_ins where user_id = ${userId} and expires_at <= ${new Date(rotatedAt)}`;
        const gone = await tx<{ sid: string }[]>`
          delete from sign_ins where sid in (
            select sid from sign_ins where user_id = ${userId} order by rotated_at desc, sid offset ${MOST - 1}
          ) returning sid`;
        await tx`
          insert into sign_ins (sid, user_id, device, token_hash, previous_hash, successor_key, created_at, rotated_at, expires_at)
          values (${sid}, ${userId}, ${device}, ${tokenHash}, ${previousHash}, ${successorKey},
            ${new Date(createdAt)}, ${new Date(rotatedAt)}, ${new Date(expiresAt)})`;
        return gone.map((row) => row.sid);
      }),
    change: (sid, decide) =>
      transaction(sql, async (tx) => {
        const [row] = await tx<SignInRow[]>`select ${columns} from sign_ins where sid = ${sid} for update`;
        if (!row) return null;
        const decision = decide(asSignIn(row));
        const { signIn } = decision;
        if (!signIn) await tx`delete from sign_ins where sid = ${sid}`;
        else
          await tx`
            update sign_ins set token_hash = ${signIn.tokenHash}, previous_hash = ${signIn.previousHash},
              rotated_at = ${new Date(signIn.rotatedAt)}, expires_at = ${new Date(signIn.expiresAt)}, rotation = ${signIn.rotation},
              is_received = ${signIn.isReceived}, is_repeated = ${signIn.isRepeated}, repeats = ${signIn.repeats}
            where sid = ${sid}`;
        return decision;
      }),
    async end(sid, userId) {
      const [row] = await sql<{ userId: string }[]>`
        delete from sign_ins where sid = ${sid} and user_id = coalesce(${userId ?? null}, user_id) returning user_id as "userId"`;
      return row?.userId ?? null;
    },
    async endOthers(userId, sid) {
      const rows = await sql<{ sid: string }[]>`delete from sign_ins where user_id = ${userId} and sid <> ${sid} returning sid`;
      return rows.map((row) => row.sid);
    },
    async list(userId, now) {
      const rows = await sql<SignInRow[]>`
        select ${columns} from sign_ins where user_id = ${userId} and expires_at > ${new Date(now)} order by rotated_at desc, sid`;
      return rows.map(asSignIn);
    },
    async isLive({ sid, userId, rotation }, now) {
      const [row] = await sql<{ arrives: boolean }[]>`
        select rotation = ${rotation} and not is_received as arrives
        from sign_ins where sid = ${sid} and user_id = ${userId} and expires_at > ${new Date(now)}`;
      if (row?.arrives) await sql`update sign_ins set is_received = true where sid = ${sid} and rotation = ${rotation}`;
      return row !== undefined;
    },
  };
}
