import type { Membership, Positions } from '../core/ports.ts';
import { type MemoryStore, hasBlocked, nextChange } from './store.ts';
import type { Uuid } from '../../shared/ids.ts';

/** Membership and read positions in memory. */
export function makeMemoryMembership(store: MemoryStore, pause: () => Promise<void> = async () => {}): Membership {
  const later = async <T>(value: T): Promise<T> => {
    await pause();
    return value;
  };
  return {
    access(conversationId, userId) {
      const row = store.conversations.get(conversationId);
      if (row?.members.has(userId)) return later('member' as const);
      return later(row?.former.has(userId) ? ('former' as const) : ('never' as const));
    },
    positions(conversationId) {
      const members = store.conversations.get(conversationId)?.members.values() ?? [];
      return later(new Map([...members].map(({ userId, read, delivered }): [Uuid, Positions] => [userId, { read, delivered }])));
    },
    setRead(conversationId, userId, seq) {
      const row = store.conversations.get(conversationId);
      const member = row?.members.get(userId);
      if (!row || !member) return later(null);
      const read = Math.max(member.read, Math.min(seq, row.state.seq));
      if (read > member.read) member.changed = nextChange(store);
      member.read = read;
      return later(member.read);
    },
    privacy(conversationId) {
      const members = [...(store.conversations.get(conversationId)?.members.values() ?? [])];
      const isApart = (one: Uuid, other: Uuid): boolean => hasBlocked(store, one, other) || hasBlocked(store, other, one);
      return later({
        silent: members.filter(({ asked }) => asked).map(({ userId }) => userId),
        apart: members.flatMap(({ userId: one }, i) =>
          members.slice(i + 1).flatMap(({ userId: other }): [Uuid, Uuid][] => (isApart(one, other) ? [[one, other]] : [])),
        ),
      });
    },
    setListed(conversationId, userId, listed) {
      const row = store.conversations.get(conversationId);
      const member = row?.members.get(userId);
      if (!row || !member || row.state.kind === 'private') return later(false);
      const hiddenAt = listed ? null : row.state.seq;
      if (hiddenAt !== member.hiddenAt) member.changed = nextChange(store);
      member.hiddenAt = hiddenAt;
      return later(true);
    },
    setDelivered(userId, seqs) {
      const moved = [...seqs].flatMap(([conversationId, seq]) => {
        const row = store.conversations.get(conversationId);
        const member = row?.members.get(userId);
        const delivered = Math.min(seq, row?.state.seq ?? 0);
        if (!member || delivered <= member.delivered) return [];
        member.delivered = delivered;
        return [conversationId];
      });
      return later(moved);
    },
  };
}
