import type { Conversation } from '../../shared/api.ts';
import type { MessageId, Uuid } from '../../shared/ids.ts';
import { avatarUrlColumn } from './avatar-url.ts';
import type { Sql } from './connect.ts';

const PREVIEW_CHARACTERS = 120;

export interface ConversationRow {
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

type Condition = ReturnType<Sql>;

/** The memberships `m` of a person now, with their conversations `c`. */
export const membershipOf = (sql: Sql, userId: Uuid): Condition => sql`
  members m join conversations c on c.id = m.conversation_id and c.kind <> 'private'
  where m.user_id = ${userId} and m.left_at is null`;

/** How many messages of a membership `m` its owner has not read (H3). */
export const unreadOf = (sql: Sql, userId: Uuid): Condition => sql`
  (select count(*) from messages x where x.conversation_id = m.conversation_id and x.seq > greatest(m.read_seq, m.since)
    and x.sender_id <> ${userId} and x.deleted_at is null)`;

/**
 * A person's conversations of which `which` (over `m` and `c`) says which; each with its last message, unread count and members, newest
 * first. One statement, so of one moment.
 */
export const conversationRows = (sql: Sql, userId: Uuid, which: Condition) => sql<ConversationRow[]>`
  with page as materialized (
    select c.id, c.kind, c.title, c.last_at, c.open, m.conversation_id, m.read_seq, m.since from ${membershipOf(sql, userId)} ${which})
  select m.id, m.kind, m.title, m.last_at as at, m.open, m.read_seq as "lastReadSeq", ${unreadOf(sql, userId)} as "unreadCount",
    last.id as "messageId", last.seq, last.sender_id as "senderId", left(last.body, ${PREVIEW_CHARACTERS}) as preview,
    last.accepted_at as "sentAt",
    (select coalesce(json_agg(json_build_object('id', u.id, 'handle', u.handle, 'displayName', u.display_name, 'bio', u.bio,
        'avatarUrl', ${avatarUrlColumn(sql)}, 'role', o.role) order by u.handle), '[]')
      from members o join users u on u.id = o.user_id where o.conversation_id = m.id and o.left_at is null) as members
  from page m
  left join lateral (select * from messages x where x.conversation_id = m.id order by x.seq desc limit 1) last on true
  order by m.last_at desc, m.id desc`;

export const asConversation = (row: ConversationRow): Conversation => ({
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
