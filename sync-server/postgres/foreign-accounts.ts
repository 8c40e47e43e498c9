import type { ForeignAccounts, ForeignCreated } from '../core/identity.ts';
import { searchKey } from './accounts.ts';
import type { Sql } from './connect.ts';
import { foreignKey } from './foreign-key.ts';

/** A token of the platform is over by then (S6). */
const FORGOTTEN_MS = 25 * 3_600_000;

/** Two first visits at the same moment: the second one's statement is refused whole. */
const isDuplicate = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '23505';

/** Accounts of another platform's people, in Postgres (S6). */
export function makeForeignAccounts(sql: Sql): ForeignAccounts {
  return {
    async find({ issuer, subject }) {
      const [row] = await sql<{ userId: string; name: string }[]>`
        select user_id as "userId", name from foreign_accounts where issuer = ${issuer} and subject = ${subject}`;
      return row ?? null;
    },
    async create({ issuer, subject }, { id, handle, displayName, createdAt }, provenAt) {
      try {
        const [row] = await sql<{ result: ForeignCreated }[]>`
          with old as (delete from foreign_departures where at < ${new Date(createdAt - FORGOTTEN_MS)}),
          gone as (
            select 1 from foreign_departures, (select ${issuer}::text as issuer, ${subject}::text as subject) as p
            where person = ${foreignKey(sql)} and at >= ${new Date(provenAt)}
          ),
          free as (
            select 1 where not exists (select 1 from gone)
            and not exists (select 1 from foreign_accounts where issuer = ${issuer} and subject = ${subject})
          ),
          account as (
            insert into users (id, handle, display_name, name_key, created_at)
            select ${id}::uuid, ${handle}, ${displayName}, ${searchKey(displayName)}, ${new Date(createdAt)}::timestamptz from free
            on conflict (handle) do nothing returning id
          ), person as (
            insert into foreign_accounts (issuer, subject, user_id, name)
            select ${issuer}, ${subject}, id, ${displayName} from account returning 1
          )
          select case
            when exists (select 1 from person) then 'created'
            when exists (select 1 from free) then 'taken'
            when exists (select 1 from gone) then 'gone'
            else 'exists' end as result`;
        return row!.result;
      } catch (error) {
        if (isDuplicate(error)) return 'exists';
        throw error;
      }
    },
    async rename({ issuer, subject }, name) {
      await sql`
        with person as (
          update foreign_accounts set name = ${name} where issuer = ${issuer} and subject = ${subject} returning user_id
        )
        update users set display_name = ${name}, name_key = ${searchKey(name)} where id in (select user_id from person)`;
    },
  };
}
