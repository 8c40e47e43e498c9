import type { Conversation } from '../../shared/api.ts';
import type { GroupHistory } from '../../shared/conversation.ts';
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
  history: GroupHistory;
  asked: boolean;
}

type Condition = ReturnType<Sql>;

/** What a person `u` whose account was deleted is shown with, to be joined to their JSON: their handle stays theirs, unseen. */
const deletedColumn = (sql: Sql): Condition =>
  sql`case when u.deleted_at is null then '{}' else '{"deleted": true, "handle": ""}' end::jsonb`;

/** The memberships `m` of a person now, with their conversations `c`. */
export const membershipOf = (sql: Sql, userId: Uuid): Condition => sql`
  members m join conversations c on c.id = m.conversation_id and c.kind <> 'private'
  where m.user_id = ${userId} and m.left_at is null`;

/** Whether a membership `m` stands on its owner's list: it comes back with the first message after it was taken off. */
export const isListed = (sql: Sql): Condition => sql`(m.hidden_seq is null or m.hidden_seq < c.seq)`;

/** How many messages of a membership `m` its owner has not read, of people whom they have not blocked (H3). */
export const unreadOf = (sql: Sql, userId: Uuid): Condition => sql`
  (select count(*) from messages x where x.conversation_id = m.conversation_id and x.seq > greatest(m.read_seq, m.since)
    and x.sender_id <> ${userId} and x.deleted_at is null
    and not exists (select 1 from blocks b where b.blocker_id = ${userId} and b.blocked_id = x.sender_id))`;

/**
 * A person's conversations of which `which` (over `m` and `c`) says which; each with its last message, unread count and members, newest
 * first. One statement, so of one moment.
 */
export const conversationRows = (sql: Sql, userId: Uuid, which: Condition) => sql<ConversationRow[]>`
  with page as materialized (
    select c.id, c.kind, c.title, c.history, c.last_at, c.open, m.conversation_id, m.read_seq, m.since, m.visible_from, m.asked from ${membershipOf(sql, userId)} ${which})
  select m.id, m.kind, m.title, m.history, m.asked, m.last_at as at, m.open, m.read_seq as "lastReadSeq", ${unreadOf(sql, userId)} as "unreadCount",
    last.id as "messageId", last.seq, last.sender_id as "senderId", left(last.body, ${PREVIEW_CHARACTERS}) as preview,
    last.accepted_at as "sentAt",
    (select coalesce(json_agg(jsonb_build_object('id', u.id, 'handle', u.handle, 'displayName', u.display_name, 'bio', u.bio,
        'avatarUrl', ${avatarUrlColumn(sql)}, 'role', o.role) || ${deletedColumn(sql)} order by u.handle), '[]')
      from members o join users u on u.id = o.user_id where o.conversation_id = m.id and o.left_at is null) as members
  from page m
  left join lateral (select * from messages x where x.conversation_id = m.id and x.seq > m.visible_from order by x.seq desc limit 1) last on true
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
  ...(row.history === 'joined' ? { history: row.history } : {}),
  ...(row.asked ? { request: true as const } : {}),
});
