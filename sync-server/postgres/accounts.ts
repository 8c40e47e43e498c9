import type { Me, User } from '../../shared/api.ts';
import { formatDocumentId } from '../../shared/ids.ts';
import type { Accounts, SignIn, SignIns, SigningKeys, StoredKey } from '../core/accounts.ts';
import { avatarUrlColumn } from './avatar-url.ts';
import type { Sql } from './connect.ts';
import { transaction } from './transaction.ts';

type MeRow = User & { n: number };

const asMe = ({ n, ...row }: MeRow): Me => ({ ...row, document: formatDocumentId({ kind: 'user', conversationId: row.id, n }) });

/** What a name is searched by: the same letters in whatever case and form. */
const searchKey = (text: string): string => text.normalize('NFKC').toLowerCase();
/** Sorts after every text that starts with what stands before it. */
const END = '\u{10ffff}';

/** People and their profiles, in Postgres. */
export function makeAccounts(sql: Sql): Accounts {
  const columns = sql`u.id, u.handle, u.display_name as "displayName", u.bio, ${avatarUrlColumn(sql)} as "avatarUrl"`;
  const privateDocument = sql`coalesce((select open from conversations c where c.id = u.id and c.kind = 'private'), 1) as n`;

  return {
    async create({ id, handle, displayName, passwordHash, createdAt }) {
      const [row] = await sql<MeRow[]>`
        insert into users as u (id, handle, display_name, name_key, password_hash, created_at)
        values (${id}, ${handle}, ${displayName}, ${searchKey(displayName)}, ${passwordHash}, ${new Date(createdAt)})
        on conflict (handle) do nothing
        returning ${columns}, 1 as n`;
      return row ? asMe(row) : null;
    },
    async credentials(handle) {
      const [row] = await sql<{ userId: string; passwordHash: string }[]>`
        select id as "userId", password_hash as "passwordHash" from users where handle = ${handle}`;
      return row ?? null;
    },
    async me(userId) {
      const [row] = await sql<MeRow[]>`select ${columns}, ${privateDocument} from users u where id = ${userId}`;
      return row ? asMe(row) : null;
    },
    async change(userId, { displayName, bio }) {
      const [row] = await sql<MeRow[]>`
        update users u set
          display_name = coalesce(${displayName ?? null}, u.display_name),
          name_key = coalesce(${displayName === undefined ? null : searchKey(displayName)}, name_key),
          bio = coalesce(${bio ?? null}, bio)
        where id = ${userId}
        returning ${columns}, ${privateDocument}`;
      return row ? asMe(row) : null;
    },
    async byHandle(handle) {
      const [row] = await sql<User[]>`select ${columns} from users u where handle = ${handle}`;
      return row ?? null;
    },
    async search(userId, prefix, limit) {
      const from = searchKey(prefix);
      const to = from + END;
      const rows = await sql<User[]>`
        select ${columns} from users u
        where ((handle >= ${from} and handle < ${to}) or (name_key >= ${from} and name_key < ${to})) and id <> ${userId}
        order by handle limit ${limit}`;
      return [...rows];
    },
    async setAvatar(userId, avatar) {
      const kept = avatar
        ? sql`insert into avatars (user_id, hash, bytes) select id, ${avatar.hash}, ${avatar.bytes} from users where id = ${userId}
            on conflict (user_id) do update set hash = excluded.hash, bytes = excluded.bytes`
        : sql`delete from avatars where user_id = ${userId}`;
      const [row] = await sql<MeRow[]>`
        with kept as (${kept})
        update users u set avatar_hash = ${avatar?.hash ?? null} where id = ${userId}
        returning ${columns}, ${privateDocument}`;
      return row ? asMe(row) : null;
    },
    async avatar(userId, hash) {
      const [row] = await sql<{ bytes: Uint8Array }[]>`select bytes from avatars where user_id = ${userId} and hash = ${hash}`;
      return row?.bytes ?? null;
    },
    async existing(ids) {
      const rows = await sql<{ id: string }[]>`select id from users where id = any(${[...ids]}::uuid[])`;
      return new Set(rows.map(({ id }) => id));
    },
  };
}

type SignInRow = Omit<SignIn, 'rotatedAt' | 'expiresAt'> & { rotatedAt: Date; expiresAt: Date };

/** Sign-ins in Postgres. */
export function makeSignIns(sql: Sql): SignIns {
  return {
    async open({ sid, userId, tokenHash, previousHash, successorKey, rotatedAt, expiresAt }) {
      await sql`
        with gone as (delete from sign_ins where user_id = ${userId} and expires_at <= ${new Date(rotatedAt)})
        insert into sign_ins (sid, user_id, token_hash, previous_hash, successor_key, rotated_at, expires_at)
        values (${sid}, ${userId}, ${tokenHash}, ${previousHash}, ${successorKey}, ${new Date(rotatedAt)}, ${new Date(expiresAt)})`;
    },
    change: (sid, decide) =>
      transaction(sql, async (tx) => {
        const [row] = await tx<SignInRow[]>`
          select sid, user_id as "userId", token_hash as "tokenHash", previous_hash as "previousHash",
            successor_key as "successorKey", rotated_at as "rotatedAt", expires_at as "expiresAt"
          from sign_ins where sid = ${sid} for update`;
        if (!row) return null;
        const decision = decide({ ...row, rotatedAt: row.rotatedAt.getTime(), expiresAt: row.expiresAt.getTime() });
        const { signIn } = decision;
        if (!signIn) await tx`delete from sign_ins where sid = ${sid}`;
        else
          await tx`
            update sign_ins set token_hash = ${signIn.tokenHash}, previous_hash = ${signIn.previousHash},
              rotated_at = ${new Date(signIn.rotatedAt)}, expires_at = ${new Date(signIn.expiresAt)}
            where sid = ${sid}`;
        return decision;
      }),
    async end(sid) {
      const [row] = await sql<{ userId: string }[]>`delete from sign_ins where sid = ${sid} returning user_id as "userId"`;
      return row?.userId ?? null;
    },
    async isLive(sid, userId, now) {
      const rows = await sql`select 1 from sign_ins where sid = ${sid} and user_id = ${userId} and expires_at > ${new Date(now)}`;
      return rows.length > 0;
    },
  };
}

/** The keys of access tokens, made once by whichever node comes first. */
export function makeSigningKeys(sql: Sql): SigningKeys {
  return {
    load: (make) =>
      transaction(sql, async (tx) => {
        await tx`lock table signing_keys in exclusive mode`;
        const stored = await tx<StoredKey[]>`select kid, jwk from signing_keys order by created_at desc, kid`;
        if (stored.length > 0) return [...stored];
        const made = await make();
        await tx`insert into signing_keys (kid, jwk) values (${made.kid}, ${made.jwk})`;
        return [made];
      }),
  };
}
