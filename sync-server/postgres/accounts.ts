import type { Me, User } from '../../shared/api.ts';
import { formatDocumentId } from '../../shared/ids.ts';
import type { Accounts, NewAccount } from '../core/accounts.ts';
import { avatarUrlColumn } from './avatar-url.ts';
import type { Queries, Sql } from './connect.ts';
import { foreignKey } from './foreign-key.ts';
import { withInvite } from './invites.ts';
import { transaction } from './transaction.ts';

type MeRow = User & { n: number };

const asMe = ({ n, ...row }: MeRow): Me => ({ ...row, document: formatDocumentId({ kind: 'user', conversationId: row.id, n }) });

const asCreated = (me: Me | null) => (me ? ({ kind: 'created', me } as const) : ({ kind: 'handle-taken' } as const));

/** What a name is searched by: the same letters in whatever case and form. */
export const searchKey = (text: string): string => text.normalize('NFKC').toLowerCase();
/** Sorts after every text that starts with what stands before it. */
const END = '\u{10ffff}';

/** What a deleted account is called. */
const DELETED_NAME = 'Deleted account';

/** People and their profiles, in Postgres. */
export function makeAccounts(sql: Sql): Accounts {
  const columns = sql`u.id, u.handle, u.display_name as "displayName", u.bio, ${avatarUrlColumn(sql)} as "avatarUrl"`;
  /** Whether a person `u` is somebody to the viewer: a look at both directions costs the same, whatever it finds. */
  const isFound = (viewer: string) => sql`
    not exists (select 1 from blocks b where b.blocker_id = u.id and b.blocked_id = ${viewer})
    and not exists (select 1 from blocks b where b.blocker_id = ${viewer} and b.blocked_id = u.id)`;
  const privateDocument = sql`coalesce((select open from conversations c where c.id = u.id and c.kind = 'private'), 1) as n`;

  async function insert(queries: Queries, { id, handle, displayName, passwordHash, createdAt }: NewAccount): Promise<Me | null> {
    const [row] = await queries<MeRow[]>`
      insert into users as u (id, handle, display_name, name_key, password_hash, created_at)
      values (${id}, ${handle}, ${displayName}, ${searchKey(displayName)}, ${passwordHash}, ${new Date(createdAt)})
      on conflict (handle) do nothing
      returning ${columns}, 1 as n`;
    return row ? asMe(row) : null;
  }

  return {
    create: (account, invite) =>
      transaction(sql, async (tx) => {
        if (!invite) return asCreated(await insert(tx, account));
        const created = await withInvite(tx, invite, async () => {
          const me = await insert(tx, account);
          return { needed: me !== null, result: asCreated(me) };
        });
        return created ?? { kind: 'link-ended' };
      }),
    async credentials(handle) {
      const [row] = await sql<{ userId: string; passwordHash: string | null }[]>`
        select id as "userId", password_hash as "passwordHash" from users where handle = ${handle} and deleted_at is null`;
      return row ?? null;
    },
    async me(userId) {
      const [row] = await sql<MeRow[]>`select ${columns}, ${privateDocument} from users u where id = ${userId} and deleted_at is null`;
      return row ? asMe(row) : null;
    },
    async change(userId, { displayName, bio }) {
      const [row] = await sql<MeRow[]>`
        update users u set
          display_name = coalesce(${displayName ?? null}, u.display_name),
          name_key = coalesce(${displayName === undefined ? null : searchKey(displayName)}, name_key),
          bio = coalesce(${bio ?? null}, bio)
        where id = ${userId} and deleted_at is null
        returning ${columns}, ${privateDocument}`;
      return row ? asMe(row) : null;
    },
    async byHandle(handle, viewer) {
      const may = viewer === undefined ? sql`` : sql`and ${isFound(viewer)}`;
      const [row] = await sql<User[]>`select ${columns} from users u where handle = ${handle} and deleted_at is null ${may}`;
      return row ?? null;
    },
    async search(userId, prefix, limit) {
      const from = searchKey(prefix);
      const to = from + END;
      const rows = await sql<User[]>`
        select ${columns} from users u
        where ((handle >= ${from} and handle < ${to}) or (name_key >= ${from} and name_key < ${to})) and id <> ${userId}
          and deleted_at is null and ${isFound(userId)}
        order by handle limit ${limit}`;
      return [...rows];
    },
    async setAvatar(userId, avatar) {
      // The person first: who is being deleted at the same time is waited for, and keeps no picture (G5).
      const kept = avatar
        ? sql`insert into avatars (user_id, hash, bytes) select id, ${avatar.hash}, ${avatar.bytes} from person
            on conflict (user_id) do update set hash = excluded.hash, bytes = excluded.bytes`
        : sql`delete from avatars where user_id = ${userId}`;
      const [row] = await sql<MeRow[]>`
        with person as (
          update users u set avatar_hash = ${avatar?.hash ?? null} where id = ${userId} and deleted_at is null
          returning ${columns}, ${privateDocument}
        ), kept as (${kept})
        select * from person`;
      return row ? asMe(row) : null;
    },
    async avatar(userId, hash) {
      const [row] = await sql<{ bytes: Uint8Array }[]>`select bytes from avatars where user_id = ${userId} and hash = ${hash}`;
      return row?.bytes ?? null;
    },
    async existing(ids) {
      const rows = await sql<{ id: string }[]>`select id from users where id = any(${[...ids]}::uuid[]) and deleted_at is null`;
      return new Set(rows.map(({ id }) => id));
    },
    async reachable(userId, ids) {
      const rows = await sql<{ id: string }[]>`
        select id from users u where id = any(${[...ids]}::uuid[]) and deleted_at is null and ${isFound(userId)}`;
      return new Set(rows.map(({ id }) => id));
    },
    async blocked(userId) {
      return [
        ...(await sql<User[]>`
          select ${columns} from blocks b join users u on u.id = b.blocked_id
          where b.blocker_id = ${userId} and u.deleted_at is null order by u.handle`),
      ];
    },
    remove: (userId, removes, now) =>
      transaction(sql, async (tx) => {
        const { count } = await tx`
          update users set deleted_at = ${new Date(now)}, display_name = ${DELETED_NAME}, name_key = '', bio = '', password_hash = null, avatar_hash = null
          where id = ${userId} and deleted_at is null`;
        if (count === 0) return false;
        await tx`delete from sign_ins where user_id = ${userId}`;
        await tx`delete from avatars where user_id = ${userId}`;
        await tx`delete from password_resets where user_id = ${userId}`;
        await tx`delete from passkeys where user_id = ${userId}`;
        await tx`delete from passkey_challenges where user_id = ${userId}`;
        await tx`delete from invites where created_by = ${userId}`;
        await tx`
          with gone as (delete from foreign_accounts where user_id = ${userId} returning issuer, subject)
          insert into foreign_departures (person, at) select ${foreignKey(tx)}, ${new Date(now)}::timestamptz from gone
          on conflict (person) do update set at = excluded.at`;
        await tx`delete from known_devices where user_id = ${userId}`;
        await tx`insert into departures (user_id, removes) values (${userId}, ${removes}) on conflict do nothing`;
        return true;
      }),
  };
}
