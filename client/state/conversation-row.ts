import type { Conversation } from '../../shared/api.ts';
import type { Uuid } from '../../shared/ids.ts';
import type { SegmentMessage } from '../../shared/segment.ts';
import type { Entry, MessageEntry } from '../sync/outbox/entry.ts';
import { othersAfter } from './messages-after.ts';

/** One row of the list. */
export interface ConversationRow {
  id: Uuid;
  /** The other person's name, or the group's. */
  name: string;
  /** Whose gradient the avatar has. */
  avatarId: Uuid;
  avatarUrl: string | null;
  /** The other person of a direct conversation; their account may be deleted, and then they have no handle. */
  otherId: Uuid | null;
  handle: string | null;
  isGone: boolean;
  /** Somebody whom this person does not know asks to write to them. */
  isRequest: boolean;
  preview: string | null;
  /** Null: there is no message yet. */
  lastAt: number | null;
  unread: number;
  /** The newest message is an own one that waits. */
  isWaiting: boolean;
  /** Something written here failed for good. */
  hasFailed: boolean;
}

/** What a row is made of. */
export interface RowInput {
  conversation: Conversation;
  me: Uuid;
  /** How far this person has read, as far as anybody here knows. */
  readTo: number;
  /** Own entries of this conversation that wait or failed. */
  entries: readonly Entry[];
  /** What this device holds of its newest messages, in order of seq; empty when it is not open. */
  messages: readonly SegmentMessage[];
  now: number;
}

const nameOf = (
  conversation: Conversation,
  me: Uuid,
): Pick<ConversationRow, 'name' | 'avatarId' | 'avatarUrl' | 'otherId' | 'handle' | 'isGone'> => {
  const other = conversation.members.find((member) => member.id !== me);
  if (conversation.kind === 'group' || !other)
    return {
      name: conversation.title ?? 'Conversation',
      avatarId: conversation.id,
      avatarUrl: null,
      otherId: null,
      handle: null,
      isGone: false,
    };
  const { id, displayName, avatarUrl, handle, deleted } = other;
  return { name: displayName, avatarId: id, avatarUrl, otherId: id, handle: handle || null, isGone: deleted ?? false };
};

/** Until it is accepted: here, or by writing back, though the server may not have said so yet (G3). */
const isRequest = ({ conversation, entries, messages, me }: RowInput): boolean =>
  conversation.request === true &&
  !entries.some((entry) => entry.kind === 'message' || (entry.kind === 'answer' && entry.answer === 'accept')) &&
  !messages.some(({ authorId }) => authorId === me);

/** Taken off the list here; the server may not know yet. */
export const isDeclined = (entries: readonly Entry[]): boolean =>
  entries.some((entry) => entry.kind === 'answer' && entry.answer !== 'accept');

/** Unread messages. The device's own messages are asked where they reach far enough; in doubt the server's count stands (C4.8). */
export function countUnread({ conversation, me, readTo, messages }: Pick<RowInput, 'conversation' | 'me' | 'readTo' | 'messages'>): number {
  const { lastMessage, lastReadSeq, unreadCount } = conversation;
  const last = Math.max(lastMessage?.seq ?? 0, messages.at(-1)?.seq ?? 0);
  if (readTo >= last) return 0;
  const [first] = messages;
  const isCovered = first !== undefined && first.seq <= readTo + 1 && (messages.at(-1)?.seq ?? 0) >= (lastMessage?.seq ?? 0);
  if (isCovered) return othersAfter(messages, readTo, me).length;
  return readTo > lastReadSeq ? Math.min(unreadCount, last - readTo) : unreadCount;
}

/** What a row shows: the newest accepted message, or the own one that waits behind it. */
export function asRow(input: RowInput): ConversationRow {
  const { conversation, me, entries, now } = input;
  const { id, lastMessage } = conversation;
  const waiting = entries.findLast((entry): entry is MessageEntry => entry.kind === 'message');
  const preview = waiting ? waiting.value[0] : lastMessage && (lastMessage.preview ?? 'Message deleted');
  return {
    id,
    ...nameOf(conversation, me),
    isRequest: isRequest(input),
    preview: waiting || lastMessage?.senderId === me ? `You: ${preview}` : preview,
    lastAt: waiting ? Math.min(waiting.at, now) : lastMessage && Date.parse(lastMessage.sentAt),
    unread: countUnread(input),
    isWaiting: waiting?.state.kind === 'waiting',
    hasFailed: entries.some(({ state }) => state.kind === 'failed'),
  };
}

/** Newest first; a conversation just opened stands first until it has a message. */
export const byNewest = (a: ConversationRow, b: ConversationRow): number => (b.lastAt ?? Infinity) - (a.lastAt ?? Infinity) || 0;
