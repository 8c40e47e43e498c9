import type { Uuid } from '../../shared/ids.ts';
import type { KeptMessage } from '../core/contracts/update-log.contract.ts';
import { type Sql, connect } from './connect.ts';
import { createTestDatabase } from './launcher/test-database.ts';
import { migrate } from './migrate.ts';

export interface MigratedDatabase {
  sql: Sql;
  url: string;
  /** A conversation's snapshot in order of seq, as the contract suite reads it. */
  messages(conversationId: Uuid): Promise<KeptMessage[]>;
  close(): Promise<void>;
}

/** A test's own database with the whole schema. */
export async function openMigratedDatabase(): Promise<MigratedDatabase> {
  const database = await createTestDatabase();
  const sql = await connect(database.url, { allowUnsafe: true });
  await migrate(sql);
  return {
    sql,
    url: database.url,
    messages: (conversationId) => readMessages(sql, conversationId),
    async close() {
      await sql.end();
      await database.drop();
    },
  };
}

async function readMessages(sql: Sql, conversationId: Uuid): Promise<KeptMessage[]> {
  const rows = await sql<(Omit<KeptMessage, 'reactions'> & { reactions: [Uuid, string[]][] })[]>`
    select id, seq, n, sender_id as "senderId", body, reply_to as "replyTo", extras, deleted_by as "deletedBy",
      (extract(epoch from accepted_at) * 1000)::int8 as "acceptedAt", (extract(epoch from edited_at) * 1000)::int8 as "editedAt",
      (extract(epoch from deleted_at) * 1000)::int8 as "deletedAt",
      array(select body from message_edits e where e.conversation_id = m.conversation_id and e.message_id = m.id order by version) as history,
      (select coalesce(json_agg(json_build_array(user_id, emoji)), '[]') from reactions r
        where r.conversation_id = m.conversation_id and r.message_id = m.id) as reactions
    from messages m where conversation_id = ${conversationId} order by seq`;
  return rows.map((row) => ({ ...row, reactions: new Map(row.reactions) }));
}
