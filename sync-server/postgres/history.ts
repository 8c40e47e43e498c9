import type { Conversation, Message } from '../../shared/api.ts';
import type { MessageId, Uuid } from '../../shared/ids.ts';
import type { ConversationCursor, History, Page } from '../core/accounts.ts';
import type { Sql } from './connect.ts';

const PREVIEW_CHARACTERS = 120;

interface ConversationRow {
  id: Uuid;
  kind: 'direct' | 'group';
  title: string | null;
  at: Date;
  open: number;
  lastReadSeq: number;
  unreadCount: number;
  members: Conversation['members'];
  messageId: MessageId | null;
  seq: number;
  senderId: Uuid;
  preview: string | null;
  sentAt: Date;
}

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

const asConversation = (row: ConversationRow): Conversation => ({
  id: row.id,
  kind: row.kind,
  title: row.title,
  members: row.members,
  lastMessage:
    row.messageId === null
      ? null
      : { id: row.messageId, seq: row.seq, senderId: row.senderId, preview: row.preview, sentAt: row.sentAt.toISOString() },
  unreadCount: row.unreadCount,
  lastReadSeq: row.lastReadSeq,
  openSegment: row.open,
});

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
  const membership = (userId: Uuid) => sql`
    members m join conversations c on c.id = m.conversation_id and c.kind <> 'private'
    where m.user_id = ${userId} and m.left_at is null`;

  const unread = (userId: Uuid) => sql`
    (select count(*) from messages x where x.conversation_id = m.conversation_id and x.seq > greatest(m.read_seq, m.since)
      and x.sender_id <> ${userId} and x.deleted_at is null)`;

  /** Conversations of which `which` says which; each with its last message, unread count and members. */
  const conversationRows = (userId: Uuid, which: ReturnType<typeof sql>) => sql<ConversationRow[]>`
    with page as materialized (
      select c.id, c.kind, c.title, c.last_at, c.open, m.conversation_id, m.read_seq, m.since from ${membership(userId)} ${which})
    select m.id, m.kind, m.title, m.last_at as at, m.open, m.read_seq as "lastReadSeq", ${unread(userId)} as "unreadCount",
      last.id as "messageId", last.seq, last.sender_id as "senderId", left(last.body, ${PREVIEW_CHARACTERS}) as preview,
      last.accepted_at as "sentAt",
      (select coalesce(json_agg(json_build_object('id', u.id, 'handle', u.handle, 'displayName', u.display_name, 'bio', u.bio,
          'avatarUrl', null, 'role', o.role) order by u.handle), '[]')
        from members o join users u on u.id = o.user_id where o.conversation_id = m.id and o.left_at is null) as members
    from page m
    left join lateral (select * from messages x where x.conversation_id = m.id order by x.seq desc limit 1) last on true
    order by m.last_at desc, m.id desc`;

  const messageRows = (which: ReturnType<typeof sql>) => sql<MessageRow[]>`
    select x.id, x.seq, x.sender_id as "senderId", x.body as content, x.reply_to as "replyTo", x.accepted_at as "sentAt",
      x.edited_at as "editedAt", x.deleted_at as "deletedAt",
      (select coalesce(json_agg(json_build_object('emoji', e.emoji, 'userIds', e.users) order by cardinality(e.users) desc, e.emoji), '[]')
        from (select one.emoji, array_agg(r.user_id order by r.user_id) as users
          from reactions r, unnest(r.emoji) as one(emoji)
          where r.conversation_id = x.conversation_id and r.message_id = x.id group by one.emoji) e) as reactions
    from messages x where ${which}`;

  const isMember = async (userId: Uuid, conversationId: Uuid): Promise<boolean> =>
    (await sql`select 1 from ${membership(userId)} and c.id = ${conversationId}`).length > 0;

  return {
    async conversations(userId, before, limit) {
      const from = before ? sql`and (c.last_at, c.id) < (${new Date(before.at)}, ${before.id})` : sql``;
      const rows = await conversationRows(userId, sql`${from} order by c.last_at desc, c.id desc limit ${limit + 1}`);
      const page = pageOf(rows, limit, ({ at, id }): ConversationCursor => ({ at: at.getTime(), id }));
      return { ...page, items: page.items.map(asConversation) };
    },
    async conversation(userId, conversationId) {
      const [row] = await conversationRows(userId, sql`and c.id = ${conversationId}`);
      return row ? asConversation(row) : null;
    },
    async messages(userId, conversationId, before, limit) {
      if (!(await isMember(userId, conversationId))) return null;
      const from = before === null ? sql`` : sql`and x.seq < ${before}`;
      const rows = await messageRows(sql`x.conversation_id = ${conversationId} ${from} order by x.seq desc limit ${limit + 1}`);
      const page = pageOf(rows, limit, ({ seq }) => seq);
      return { ...page, items: page.items.map(asMessage).toReversed() };
    },
    async message(userId, conversationId, id) {
      if (!(await isMember(userId, conversationId))) return null;
      const [row] = await messageRows(sql`x.conversation_id = ${conversationId} and x.id = ${id}`);
      return row ? asMessage(row) : null;
    },
    async segments(userId, conversationId, before, limit) {
      if (!(await isMember(userId, conversationId))) return null;
      const rows = await sql<{ n: number; firstSeq: number }[]>`
        select n, first_seq as "firstSeq" from documents
        where conversation_id = ${conversationId} and n >= 1 ${before === null ? sql`` : sql`and n < ${Math.min(before, INT4_MAX)}`}
        order by n desc limit ${limit + 1}`;
      const page = pageOf(rows, limit, ({ n }) => n);
      return { ...page, items: page.items.toReversed() };
    },
    async readState(userId, conversationId) {
      const [row] = await sql<{ lastReadSeq: number; unreadCount: number }[]>`
        select m.read_seq as "lastReadSeq", ${unread(userId)} as "unreadCount" from ${membership(userId)} and c.id = ${conversationId}`;
      return row ?? null;
    },
  };
}
