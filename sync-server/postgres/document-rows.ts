import type { Claim, ConversationState, DocumentState, UpdateRow } from '../core/ports.ts';
import type { Queries } from './connect.ts';
import { fromBase64 } from './json-rows.ts';

/** Columns of a conversation `c` that make its state. */
export const conversationColumns = (sql: Queries) => sql`c.id, c.kind, c.seq, c.open, c.members_version`;

export interface ConversationRow {
  id: string;
  kind: ConversationState['kind'];
  seq: number;
  open: number;
  members_version: number;
}

export const toConversation = ({ id, kind, seq, open, members_version }: ConversationRow): ConversationState => ({
  id,
  kind,
  seq,
  open,
  membersVersion: members_version,
});

/**
 * Columns of a document `d` with its update rows and claims after `w.position`: one statement, so all of one moment, and as JSON, so that
 * the driver reads a document as one row. Whoever holds the last position, as a busy room does, costs no look into them.
 */
export const documentColumns = (sql: Queries) => sql`
  d.n, d.position, d.first_seq, d.log_client, d.log_clock, d.messages, d.bytes, d.clients, d.closed_at is not null as closed,
  case when d.position > w.position then (
    select coalesce(json_agg(json_build_array(u.position, encode(u.bytes, 'base64')) order by u.position), '[]') from updates u
    where u.conversation_id = d.conversation_id and u.n = d.n and u.position > w.position) else '[]' end as rows,
  case when d.position > w.position then (
    select coalesce(json_agg(json_build_array(k.client, k.user_id) order by k.position), '[]') from claims k
    where k.conversation_id = d.conversation_id and k.n = d.n and k.position > w.position) else '[]' end as claims`;

export interface DocumentRow {
  n: number;
  position: number;
  first_seq: number;
  log_client: number;
  log_clock: number;
  messages: number;
  bytes: number;
  clients: number;
  closed: boolean;
  rows: [position: number, base64: string][];
  claims: [client: number, userId: string][];
}

export function toDocument(row: DocumentRow): { state: DocumentState; rows: UpdateRow[]; claims: Claim[] } {
  return {
    state: {
      n: row.n,
      position: row.position,
      firstSeq: row.first_seq,
      logClient: row.log_client,
      logClock: row.log_clock,
      messages: row.messages,
      bytes: row.bytes,
      clients: row.clients,
      closed: row.closed,
    },
    rows: row.rows.map(([position, base64]) => ({ position, update: fromBase64(base64) })),
    claims: row.claims.map(([client, userId]) => ({ client, userId })),
  };
}

/** A present member `m` of a conversation `c`, as JSON without what is not so. */
export const memberJson = (sql: Queries) => sql`
  json_strip_nulls(json_build_object('userId', m.user_id, 'role', m.role, 'since', m.since, 'from', nullif(m.visible_from, 0),
    'asked', nullif(m.asked, false),
    'blocks', case when c.kind = 'direct' then (
      select true from blocks b join members o on o.user_id = b.blocked_id
      where b.blocker_id = m.user_id and o.conversation_id = m.conversation_id limit 1) end,
    'gone', case when c.kind = 'direct' then (select true from users u where u.id = m.user_id and u.deleted_at is not null) end))`;
