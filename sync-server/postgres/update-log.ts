import type { Uuid } from '../../shared/ids.ts';
import type { ConversationState, Locked, Member, UpdateLog, UpdateRow, Want } from '../core/ports.ts';
import type { Sql, Transaction } from './connect.ts';
import {
  type ConversationRow,
  type DocumentRow,
  conversationColumns,
  documentColumns,
  memberJson,
  toConversation,
  toDocument,
} from './document-rows.ts';
import { writeConversations, writeNew } from './document-writes.ts';
import { toBase64 } from './json-rows.ts';
import { transaction } from './transaction.ts';

/** The update log in Postgres (L2, L3, L6, L13): the rows of a conversation change only under the lock of its row. */
export function makePostgresLog(sql: Sql): UpdateLog {
  return {
    async read(conversationId, n, position) {
      const [row] = await sql<(ConversationRow & DocumentRow & { members: Member[] })[]>`
        select ${conversationColumns(sql)}, ${documentColumns(sql)},
          (select coalesce(json_agg(${memberJson(sql)}), '[]') from members m
            where m.conversation_id = c.id and m.left_at is null) as members
        from (select ${conversationId}::uuid as conversation_id, ${n}::int as n, ${position}::int8 as position) w
        join documents d using (conversation_id, n)
        join conversations c on c.id = d.conversation_id`;
      if (!row) return null;
      const { state, rows, claims } = toDocument(row);
      return { conversation: toConversation(row), document: state, rows, claims, members: row.members };
    },
    async transact(wants, build) {
      await transaction(sql, async (tx) => {
        const locked = await readLocked(
          tx,
          await lock(
            tx,
            wants.map(({ conversationId }) => conversationId),
          ),
          wants,
        );
        const writes = build(locked);
        if (!writes.every(({ conversationId }) => locked.has(conversationId)))
          throw new Error('a write to a conversation that was not locked');
        if (writes.length > 0) await writeConversations(tx, writes);
      });
    },
    create: (conversation) =>
      transaction(sql, async (tx) => {
        const { id, kind, title, history = 'all', createdAt } = conversation;
        if (kind === 'direct') await lockId(tx, id);
        const { count } = await tx`
          insert into conversations (id, kind, title, history, created_at, last_at)
          select ${id}, ${kind}, ${title}, ${history}, at, at from to_timestamp(${createdAt} / 1000.0) as at
          where not exists (select 1 from users where id = ${id} and deleted_at is not null)
          on conflict (id) do nothing`;
        if (count === 0) return false;
        await writeNew(tx, conversation);
        return true;
      }),
    async ahead(documents) {
      if (documents.length === 0) return [];
      return [
        ...(await sql<{ conversationId: Uuid; n: number }[]>`
          select w.conversation_id as "conversationId", w.n
          from unnest(${documents.map(({ conversationId }) => conversationId)}::uuid[], ${documents.map(({ n }) => n)}::int[],
            ${documents.map(({ position }) => position)}::int8[], ${documents.map(({ membersVersion }) => membersVersion)}::int8[])
            as w(conversation_id, n, held, version)
          join documents d using (conversation_id, n) join conversations c on c.id = d.conversation_id
          where d.position > w.held or c.members_version > w.version`),
      ];
    },
    async due(forMs, limit) {
      return [
        ...(await sql<{ conversationId: Uuid; n: number }[]>`
          select conversation_id as "conversationId", n from documents
          where compact_asked_at <= now() - make_interval(secs => ${forMs} / 1000.0)
          order by compact_asked_at limit ${limit}`),
      ];
    },
    async compact(conversationId, n, merge) {
      await transaction(sql, async (tx) => {
        const conversations = await lock(tx, [conversationId]);
        const want = { conversationId, documents: [{ n, position: 0 }], messageIds: [], membersVersion: -1 };
        const rows = (await readLocked(tx, conversations, [want])).get(conversationId)?.documents.get(n)?.rows ?? [];
        if (rows.length > 0) await replaceRows(tx, { conversationId, n }, rows, merge(rows));
      });
    },
    async putOff(conversationId, n, forMs) {
      await sql`
        update documents set compact_asked_at = now() + make_interval(secs => ${forMs} / 1000.0)
        where conversation_id = ${conversationId} and n = ${n} and compact_asked_at is not null`;
    },
  };
}

/** Locks the id of a conversation that may not exist yet, against blocks that are made at the same time. */
export const lockId = (tx: Transaction, id: Uuid) => tx`select pg_advisory_xact_lock(hashtextextended(${id}, 0))`;

/** Locks the rows in order of id, so that no two transactions wait for each other (L2). */
async function lock(tx: Transaction, ids: readonly Uuid[]): Promise<ConversationState[]> {
  const rows = await tx<ConversationRow[]>`
    select ${conversationColumns(tx)} from conversations c where c.id = any(${ids as Uuid[]}::uuid[]) order by c.id for update`;
  return rows.map(toConversation);
}

/**
 * What was committed before the lock was ours (L3). These are statements of their own: what the locking statement itself joined would be
 * of the moment at which it began to wait.
 */
async function readLocked(
  tx: Transaction,
  conversations: readonly ConversationState[],
  wants: readonly Want[],
): Promise<Map<Uuid, Locked>> {
  const wanted = new Map(wants.map((want) => [want.conversationId, want]));
  const changed = conversations.filter(({ id, membersVersion }) => wanted.get(id)?.membersVersion !== membersVersion).map(({ id }) => id);
  const locked = new Map(
    conversations.map((conversation): [Uuid, Locked] => [
      conversation.id,
      { conversation, documents: new Map(), members: changed.includes(conversation.id) ? [] : null, usedIds: new Set() },
    ]),
  );
  const [documents, members, used] = await Promise.all([readDocuments(tx, wants), readMembers(tx, changed), readUsedIds(tx, wants)]);
  for (const row of documents) locked.get(row.conversation_id)?.documents.set(row.n, toDocument(row));
  for (const { conversation_id, member } of members) locked.get(conversation_id)?.members?.push(member);
  for (const { conversation_id, id } of used) locked.get(conversation_id)?.usedIds.add(id);
  return locked;
}

async function readDocuments(tx: Transaction, wants: readonly Want[]) {
  const documents = wants.flatMap(({ conversationId, documents }) => documents.map((document) => ({ ...document, conversationId })));
  if (documents.length === 0) return [];
  return tx<(DocumentRow & { conversation_id: Uuid })[]>`
    select d.conversation_id, ${documentColumns(tx)}
    from unnest(${documents.map(({ conversationId }) => conversationId)}::uuid[], ${documents.map(({ n }) => n)}::int[],
      ${documents.map(({ position }) => position)}::int8[]) as w(conversation_id, n, position)
    join documents d using (conversation_id, n)`;
}

async function readMembers(tx: Transaction, ids: readonly Uuid[]) {
  if (ids.length === 0) return [];
  return tx<{ conversation_id: Uuid; member: Member }[]>`
    select m.conversation_id, ${memberJson(tx)} as member from members m join conversations c on c.id = m.conversation_id
    where m.conversation_id = any(${ids as Uuid[]}::uuid[]) and m.left_at is null`;
}

async function readUsedIds(tx: Transaction, wants: readonly Want[]) {
  const ids = wants.flatMap(({ conversationId, messageIds }) => messageIds.map((id) => ({ conversationId, id })));
  if (ids.length === 0) return [];
  return tx<{ conversation_id: Uuid; id: string }[]>`
    select conversation_id, id
    from unnest(${ids.map(({ conversationId }) => conversationId)}::uuid[], ${ids.map(({ id }) => id)}::text[]) as w(conversation_id, id)
    join messages using (conversation_id, id)`;
}

/** L13: exactly these rows become one, at the place of the last. */
async function replaceRows(
  tx: Transaction,
  { conversationId, n }: { conversationId: Uuid; n: number },
  rows: readonly UpdateRow[],
  merged: Uint8Array,
): Promise<void> {
  const positions = rows.map(({ position }) => position);
  const last = Math.max(...positions);
  await Promise.all([
    tx`delete from updates where conversation_id = ${conversationId} and n = ${n} and position = any(${positions}::int8[])`,
    tx`insert into updates (conversation_id, n, position, bytes)
       values (${conversationId}, ${n}, ${last}, decode(${toBase64(merged)}, 'base64'))`,
    tx`update documents set bytes = ${merged.byteLength}, compact_asked_at = null where conversation_id = ${conversationId} and n = ${n}`,
  ]);
}
