import type { Uuid } from '../../shared/ids.ts';
import type { Restored } from '../../shared/inbox.ts';
import type { Sql, Transaction } from './connect.ts';
import { transaction } from './transaction.ts';

/** A restore that is not over: each conversation after `reached` is still to be begun anew. */
export interface Restoring {
  id: Uuid;
  reached: Uuid | null;
}

/** The database's own account of having gone back to a backup (L14). */
export interface Restores {
  /**
   * The restore that is to be seen to, if there is one: begun before and not over, or asked for, or because this database is a copy of the
   * one that a server last ran on, or its history forked. With it all sign-ins end, and links and challenges that may have been used since
   * the backup; not by a fork alone, as after each failover: what that lost is of seconds.
   */
  begin(asked: boolean, id: Uuid): Promise<Restoring | null>;
  /** The next conversations, in order of id. */
  conversations(after: Uuid | null, limit: number): Promise<Uuid[]>;
  reached(id: Uuid, conversationId: Uuid): Promise<void>;
  /** All are begun anew: every list counts as changed, and this is the place from now on. */
  finish(id: Uuid): Promise<void>;
  last(): Promise<Restored | null>;
}

/** The longest that a timer can wait: these touch every conversation. */
const PATIENCE = { lastMs: 2 ** 31 - 1 };

export function makeRestores(sql: Sql): Restores {
  return {
    begin: (asked, id) =>
      transaction(sql, async (tx) => {
        const [home] = await tx<{ isHere: boolean; isCopy: boolean }[]>`
          select place = here as "isHere", split_part(place, '/', 1) <> split_part(here, '/', 1) as "isCopy"
          from home, (select ${placeOf(tx)} as here) as found for update of home`;
        if (!home) await tx`insert into home (place) values (${placeOf(tx)})`;
        const [open] = await tx<Restoring[]>`select id, reached from restores where done_at is null order by at desc limit 1`;
        if (open || (!asked && (!home || home.isHere))) return open ?? null;
        await tx`insert into restores (id, back_to) select ${id}, max(last_at) from conversations where kind <> 'private'`;
        if (asked || home?.isCopy) {
          await tx`delete from sign_ins`;
          await tx`delete from password_resets`;
          await tx`delete from passkey_challenges`;
        }
        return { id, reached: null };
      }),
    async conversations(after, limit) {
      const rows = await sql<{ id: Uuid }[]>`
        select id from conversations where kind <> 'private' ${after === null ? sql`` : sql`and id > ${after}`} order by id limit ${limit}`;
      return rows.map(({ id }) => id);
    },
    async reached(id, conversationId) {
      await sql`update restores set reached = ${conversationId} where id = ${id}`;
    },
    finish: (id) =>
      transaction(
        sql,
        async (tx) => {
          await tx`set local statement_timeout = 0`;
          await tx`set local lock_timeout = 0`;
          // Of another cluster's count they may lie ahead of ours, and would be told again for ever.
          await tx`update conversations set changed = pg_current_xact_id()`;
          await tx`update members set changed = pg_current_xact_id()`;
          await tx`update home set place = ${placeOf(tx)}`;
          await tx`update restores set done_at = now() where id = ${id}`;
        },
        PATIENCE,
      ),
    async last() {
      const [row] = await sql<{ id: Uuid; at: Date; backTo: Date | null }[]>`
        select id, at, back_to as "backTo" from restores where done_at is not null order by at desc limit 1`;
      return row ? { id: row.id, at: row.at.getTime(), backTo: row.backTo?.getTime() ?? null } : null;
    },
  };
}

/**
 * Where this database is: a dump that is read in again makes a table of another number, another database, or another cluster. Behind the
 * stroke its history: that forks with point-in-time recovery, and where a standby takes over.
 */
const placeOf = (tx: Transaction) => tx`
  (select system_identifier from pg_control_system())::text || '.' || (select oid from pg_database where datname = current_database())::text
  || '.' || 'conversations'::regclass::oid::text || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)`;
