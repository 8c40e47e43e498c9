import type { Message } from '../../shared/api.ts';
import type { MessageId, Uuid } from '../../shared/ids.ts';
import type { ConversationCursor, History, Page } from '../core/accounts.ts';
import type { Sql } from './connect.ts';
import { asConversation, conversationRows, isListed, membershipOf, unreadOf } from './conversation-rows.ts';

interface MessageRow {
  id: MessageId;
  seq: number;
  senderId: Uuid;
  content: string | null;
  replyTo: string | null;
  sentAt: Date;
  editedAt: Date | null;
  deletedAt: Date | null;
  reactions: Message['reactions'];
}

const asMessage = (row: MessageRow): Message => ({
  ...row,
  sentAt: row.sentAt.toISOString(),
  editedAt: row.editedAt?.toISOString() ?? null,
  deletedAt: row.deletedAt?.toISOString() ?? null,
});

/** A page of one row more than asked for: that one says that there is more. `rows` from the newest on. */
function pageOf<Row, Cursor>(rows: readonly Row[], limit: number, cursor: (row: Row) => Cursor): Page<Row, Cursor> {
  const items = rows.slice(0, limit);
  return { items, nextBefore: rows.length > limit ? cursor(items.at(-1)!) : null };
}

const INT4_MAX = 2 ** 31 - 1;

/** The snapshot tables as a member may read them (H3, H4). Rights first; then each page is one statement, so it is of one moment. */
export function makeHistory(sql: Sql): History {
  const messageRows = (which: ReturnType<typeof sql>) => sql<MessageRow[]>`
    select x.id, x.seq, x.sender_id as "senderId", x.body as content, x.reply_to as "replyTo", x.accepted_at as "sentAt",
      x.edited_at as "editedAt", x.deleted_at as "deletedAt",
      (select coalesce(json_agg(json_build_object('emoji', e.emoji, 'userIds', e.users) order by cardinality(e.users) desc, e.emoji), '[]')
        from (select one.emoji, array_agg(r.user_id order by r.user_id) as users
          from reactions r, unnest(r.emoji) as one(emoji)
          where r.conversation_id = x.conversation_id and r.message_id = x.id group by one.emoji) e) as reactions
    from messages x where ${which}`;

  /** The seq after which a member may read; null for who is none. */
  async function visibleFrom(userId: Uuid, conversationId: Uuid): Promise<number | null> {
    const [row] = await sql<
      { from: number }[]
    >`select m.visible_from as from from ${membershipOf(sql, userId)} and c.id = ${conversationId}`;
    return row?.from ?? null;
  }

  return {
    async conversations(userId, before, limit) {
      const from = before ? sql`and (c.last_at, c.id) < (${new Date(before.at)}, ${before.id})` : sql``;
      const rows = await conversationRows(
        sql,
        userId,
        sql`and ${isListed(sql)} ${from} order by c.last_at desc, c.id desc limit ${limit + 1}`,
      );
      const page = pageOf(rows, limit, ({ at, id }): ConversationCursor => ({ at: at.getTime(), id }));
      return { ...page, items: page.items.map(asConversation) };
    },
    async conversation(userId, conversationId) {
      const [row] = await conversationRows(sql, userId, sql`and c.id = ${conversationId}`);
      return row ? asConversation(row) : null;
    },
    async messages(userId, conversationId, before, limit) {
      const visible = await visibleFrom(userId, conversationId);
      if (visible === null) return null;
      const from = before === null ? sql`` : sql`and x.seq < ${before}`;
      const rows = await messageRows(
        sql`x.conversation_id = ${conversationId} and x.seq > ${visible} ${from} order by x.seq desc limit ${limit + 1}`,
      );
      const page = pageOf(rows, limit, ({ seq }) => seq);
      return { ...page, items: page.items.map(asMessage).toReversed() };
    },
    async message(userId, conversationId, id) {
      const visible = await visibleFrom(userId, conversationId);
      if (visible === null) return null;
      const [row] = await messageRows(sql`x.conversation_id = ${conversationId} and x.seq > ${visible} and x.id = ${id}`);
      return row ? asMessage(row) : null;
    },
    async segments(userId, conversationId, before, limit) {
      const visible = await visibleFrom(userId, conversationId);
      if (visible === null) return null;
      const rows = await sql<{ n: number; firstSeq: number }[]>`
        select n, first_seq as "firstSeq" from documents
        where conversation_id = ${conversationId} and n >= 1 and first_seq > ${visible} ${before === null ? sql`` : sql`and n < ${Math.min(before, INT4_MAX)}`}
        order by n desc limit ${limit + 1}`;
      const page = pageOf(rows, limit, ({ n }) => n);
      return { ...page, items: page.items.toReversed() };
    },
    async readState(userId, conversationId) {
      const [row] = await sql<{ lastReadSeq: number; unreadCount: number }[]>`
        select m.read_seq as "lastReadSeq", ${unreadOf(sql, userId)} as "unreadCount" from ${membershipOf(sql, userId)} and c.id = ${conversationId}`;
      return row ?? null;
    },
  };
}
