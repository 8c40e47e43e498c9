import type { Uuid } from '../../shared/ids.ts';
import type { ConversationWrite, SnapshotChange } from '../core/ports.ts';
import type { Transaction } from './connect.ts';
import { jsonRows, storableTime } from './json-rows.ts';

type Change<Kind extends SnapshotChange['kind']> = Extract<SnapshotChange, { kind: Kind }> & { conversationId: Uuid };

/** Changes that one statement a kind can write, in the order of the fields, without changing what they come to. */
interface Wave {
  message: Change<'message'>[];
  edit: Change<'edit'>[];
  reactions: Map<string, Change<'reactions'>>;
  deletion: Change<'deletion'>[];
}

const RANK = { message: 0, edit: 1, reactions: 2, deletion: 3 } as const;

/**
 * Sorts a batch into waves, nearly always one. Two changes of one message share a wave when the statements' order is theirs, and the
 * newest reactions of one person replace those before; a second edit needs a wave of its own, because its history is the first one's text.
 */
function sortIntoWaves(writes: readonly ConversationWrite[]): Wave[] {
  const waves: Wave[] = [];
  const last = new Map<string, { at: number; rank: number }>();
  for (const { conversationId, snapshot } of writes) {
    for (const change of snapshot) {
      const rank = RANK[change.kind];
      const before = last.get(conversationId + change.id);
      const follows = !before || rank > before.rank || (rank === before.rank && change.kind === 'reactions');
      const at = before ? before.at + (follows ? 0 : 1) : 0;
      last.set(conversationId + change.id, { at, rank });
      const wave = (waves[at] ??= { message: [], edit: [], reactions: new Map(), deletion: [] });
      if (change.kind === 'message') wave.message.push({ ...change, conversationId });
      else if (change.kind === 'edit') wave.edit.push({ ...change, conversationId });
      else if (change.kind === 'deletion') wave.deletion.push({ ...change, conversationId });
      else wave.reactions.set(conversationId + change.id + change.userId, { ...change, conversationId });
    }
  }
  return waves;
}

/** The statements that bring the snapshot tables up to date, in order; none for an empty snapshot. */
export const snapshotStatements = (tx: Transaction, writes: readonly ConversationWrite[]): PromiseLike<unknown>[] =>
  sortIntoWaves(writes).flatMap(({ message, edit, reactions, deletion }) => [
    ...(message.length > 0 ? [insertMessages(tx, message)] : []),
    ...(edit.length > 0 ? [editMessages(tx, edit)] : []),
    ...(reactions.size > 0 ? [replaceReactions(tx, [...reactions.values()])] : []),
    ...(deletion.length > 0 ? [deleteMessages(tx, deletion)] : []),
  ]);

const insertMessages = (tx: Transaction, changes: readonly Change<'message'>[]) => tx`
  insert into messages (conversation_id, id, seq, n, sender_id, body, reply_to, extras, accepted_at, edited_at)
  select "conversationId", id, seq, n, "senderId", body, "replyTo", extras, to_timestamp("acceptedAt" / 1000.0), to_timestamp("editedAt" / 1000.0)
  from json_to_recordset(${jsonRows(changes.map(storable))}::text::json) as x(
    "conversationId" uuid, id text, seq int8, n int, "senderId" uuid, body text, "replyTo" text, extras jsonb, "acceptedAt" int8, "editedAt" int8)`;

/** The text before goes into the history. Both parts see the row as it was. */
const editMessages = (tx: Transaction, changes: readonly Change<'edit'>[]) => tx`
  with x as (
    select * from json_to_recordset(${jsonRows(changes.map(storable))}::text::json) as x(
      "conversationId" uuid, id text, body text, "replyTo" text, extras jsonb, "editedAt" int8)
  ), history as (
    insert into message_edits (conversation_id, message_id, body, at)
    select m.conversation_id, m.id, m.body, coalesce(m.edited_at, m.accepted_at)
    from x join messages m on m.conversation_id = x."conversationId" and m.id = x.id
    where m.body is not null
  )
  update messages m set body = x.body, reply_to = x."replyTo", extras = x.extras, edited_at = to_timestamp(x."editedAt" / 1000.0)
  from x where m.conversation_id = x."conversationId" and m.id = x.id`;

const replaceReactions = (tx: Transaction, changes: readonly Change<'reactions'>[]) => tx`
  with x as (
    select "conversationId", id, "userId", array(select json_array_elements_text(emoji)) as emoji
    from json_to_recordset(${jsonRows(changes)}::text::json) as x("conversationId" uuid, id text, "userId" uuid, emoji json)
  ), gone as (
    delete from reactions r using x
    where x.emoji = '{}' and r.conversation_id = x."conversationId" and r.message_id = x.id and r.user_id = x."userId"
  )
  insert into reactions (conversation_id, message_id, user_id, emoji)
  select "conversationId", id, "userId", emoji from x where emoji <> '{}'
  on conflict (conversation_id, message_id, user_id) do update set emoji = excluded.emoji`;

/** Text, extras, edit history and reactions go (promise of deletion, 3.2). */
const deleteMessages = (tx: Transaction, changes: readonly Change<'deletion'>[]) => tx`
  with x as (
    select * from json_to_recordset(${jsonRows(changes)}::text::json) as x("conversationId" uuid, id text, "deletedAt" int8, by uuid)
  ), history as (
    delete from message_edits e using x where e.conversation_id = x."conversationId" and e.message_id = x.id
  ), reacted as (
    delete from reactions r using x where r.conversation_id = x."conversationId" and r.message_id = x.id
  )
  update messages m set body = null, extras = null, deleted_at = to_timestamp(x."deletedAt" / 1000.0), deleted_by = x.by
  from x where m.conversation_id = x."conversationId" and m.id = x.id`;

const storable = <C extends { editedAt: number | null }>(change: C): C => ({
  ...change,
  editedAt: change.editedAt === null ? null : storableTime(change.editedAt),
});
