import type { Conversation } from '../../shared/api.ts';
import type { Uuid } from '../../shared/ids.ts';
import type { InboxSource } from '../core/ports.ts';
import { type MemoryStore, type StoredConversation, hasBlocked } from './store.ts';

/** What changes people's lists, in memory. People have no names here. Each read is of one moment, and handed over at another. */
export function makeMemoryInbox(store: MemoryStore, pause: () => Promise<void> = async () => {}): InboxSource {
  async function later<T>(value: T): Promise<T> {
    const snapshot = structuredClone(value);
    await pause();
    return snapshot;
  }
  return {
    changes(userId, cursor) {
      const from = /^[0-9]+$/.test(cursor ?? '') && Number(cursor) <= store.changes ? Number(cursor) : 0;
      const own = [...store.conversations.values()].filter(({ state }) => state.kind !== 'private');
      const changed = own.filter(({ members, changed }) => Math.max(changed, members.get(userId)?.changed ?? Infinity) > from);
      const isListed = ({ state, members }: StoredConversation): boolean => state.seq > (members.get(userId)?.hiddenAt ?? -1);
      const isGone = (row: StoredConversation): boolean =>
        row.former.has(userId) || ((row.members.get(userId)?.changed ?? 0) > from && !isListed(row));
      const gone = cursor === null ? [] : own.filter(isGone);
      return later({
        changed: changed
          .filter((row) => row.members.has(userId) && isListed(row))
          .sort((a, b) => b.lastAt - a.lastAt)
          .map((row) => asConversation(store, row, userId)),
        gone: gone.map(({ state }) => state.id),
        cursor: String(store.changes),
      });
    },
    concerned(conversationIds, userIds) {
      const rows = conversationIds.flatMap((id) => store.conversations.get(id) ?? []);
      return later(userIds.filter((id) => rows.some(({ members, former }) => members.has(id) || former.has(id))));
    },
  };
}

/** A conversation as its member sees it, on their list or off it; null: it is not theirs. */
export function conversationOf(store: MemoryStore, userId: Uuid, id: Uuid): Conversation | null {
  const row = store.conversations.get(id);
  return row?.members.has(userId) ? asConversation(store, row, userId) : null;
}

function asConversation(store: MemoryStore, row: StoredConversation, userId: Uuid): Conversation {
  const { state, title, history, members, messages } = row;
  const { read, since, from = 0, asked } = members.get(userId)!;
  const sorted = [...messages.values()].filter(({ seq }) => seq > from).sort((a, b) => a.seq - b.seq);
  const last = sorted.at(-1);
  const counts = (senderId: Uuid): boolean => senderId !== userId && !hasBlocked(store, userId, senderId);
  return {
    id: state.id,
    kind: state.kind === 'group' ? 'group' : 'direct',
    title,
    members: [...members.values()].map(({ userId: id, role }) => ({ id, handle: id, displayName: id, bio: '', avatarUrl: null, role })),
    lastMessage: last
      ? { id: last.id, seq: last.seq, senderId: last.senderId, preview: last.body, sentAt: new Date(last.acceptedAt).toISOString() }
      : null,
    unreadCount: sorted.filter((one) => one.seq > Math.max(read, since) && counts(one.senderId) && one.body !== null).length,
    lastReadSeq: read,
    openSegment: state.open,
    ...(history === 'joined' ? { history } : {}),
    ...(asked ? { request: true as const } : {}),
  };
}
