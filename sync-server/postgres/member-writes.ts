import type { Role } from '../../shared/conversation.ts';
import type { Uuid } from '../../shared/ids.ts';
import type { ConversationWrite, MemberChange } from '../core/ports.ts';
import type { Transaction } from './connect.ts';
import { jsonRows } from './json-rows.ts';

/** A member who comes. `hidden`: off their list until the conversation is beyond that seq. */
export interface NewMember {
  conversationId: Uuid;
  userId: Uuid;
  role: Role;
  since: number;
  from: number;
  askedBy: Uuid | null;
  hidden: number | null;
}

/** Writes members who come; a former one comes back as a new one, who has read what they had read. */
export const insertMembers = (tx: Transaction, rows: readonly NewMember[]) => tx`
  insert into members
    (conversation_id, user_id, role, since, visible_from, read_seq, delivered_seq, asked, asked_by, asked_at, hidden_seq)
  select "conversationId", "userId", role, since, "from", since, since, "askedBy" is not null, "askedBy",
    case when "askedBy" is not null then now() end, hidden
  from json_to_recordset(${jsonRows(rows.map((row) => ({ ...row })))}::text::json) as x(
    "conversationId" uuid, "userId" uuid, role text, since int8, "from" int8, "askedBy" uuid, hidden int8)
  on conflict (conversation_id, user_id) do update set role = excluded.role, since = excluded.since, visible_from = excluded.visible_from,
    read_seq = greatest(members.read_seq, excluded.read_seq), delivered_seq = greatest(members.delivered_seq, excluded.delivered_seq),
    asked = excluded.asked, asked_by = excluded.asked_by, asked_at = excluded.asked_at, hidden_seq = null, left_seq = null, left_at = null`;

const changesOf = <Kind extends MemberChange['kind']>(writes: readonly ConversationWrite[], kind: Kind) =>
  writes.flatMap(({ conversationId, seq, members = [] }) =>
    members.flatMap((change) =>
      change.kind === kind ? [{ ...(change as Extract<MemberChange, { kind: Kind }>), conversationId, seq }] : [],
    ),
  );

/** The statements that bring the table of members up to date; none where nothing of it changes. Leaving comes before coming. */
export function memberStatements(tx: Transaction, writes: readonly ConversationWrite[]): PromiseLike<unknown>[] {
  const [left, joined, roles, accepted] = [
    changesOf(writes, 'leave'),
    changesOf(writes, 'join'),
    changesOf(writes, 'role'),
    changesOf(writes, 'accept'),
  ];
  return [
    ...(left.length > 0
      ? [
          tx`update members m set left_at = now(), left_seq = x.seq
            from json_to_recordset(${jsonRows(left)}::text::json) as x("conversationId" uuid, "userId" uuid, seq int8)
            where m.conversation_id = x."conversationId" and m.user_id = x."userId" and m.left_at is null`,
        ]
      : []),
    ...(joined.length > 0
      ? [
          insertMembers(
            tx,
            joined.map((change) => ({ ...change, hidden: null })),
          ),
        ]
      : []),
    ...(roles.length > 0
      ? [
          tx`update members m set role = x.role
            from json_to_recordset(${jsonRows(roles)}::text::json) as x("conversationId" uuid, "userId" uuid, role text)
            where m.conversation_id = x."conversationId" and m.user_id = x."userId" and m.left_at is null`,
        ]
      : []),
    ...(accepted.length > 0
      ? [
          tx`update members m set asked = false, asked_by = null, hidden_seq = null
            from json_to_recordset(${jsonRows(accepted)}::text::json) as x("conversationId" uuid, "userId" uuid)
            where m.conversation_id = x."conversationId" and m.user_id = x."userId"`,
        ]
      : []),
  ];
}
