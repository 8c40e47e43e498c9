import type { Uuid } from '../../shared/ids.ts';
import type { Departures, Relations } from '../core/rights/relations.ts';
import { type MemoryStore, type StoredConversation, type StoredMember, lockRows, nextChange, notify } from './store.ts';

const conversationsOf = (store: MemoryStore, userId: Uuid): StoredConversation[] =>
  [...store.conversations.values()].filter(({ state, members }) => state.kind !== 'private' && members.has(userId));

/** What people are to one another, in memory. */
export function makeMemoryRelations(store: MemoryStore): Relations {
  return {
    async knowing(userId, others) {
      const own = conversationsOf(store, userId);
      return new Set(others.filter((other) => own.some(({ members }) => members.has(other) && !members.get(other)!.asked)));
    },
    async asked(userId, since) {
      const rows = [...store.conversations.values()];
      const requests = (members: Iterable<StoredMember>, left: boolean) =>
        [...members]
          .filter(({ asked, askedBy, askedAt }) => asked && askedBy === userId && askedAt > since)
          .map((member) => ({ userId: member.userId, left }));
      return rows.flatMap(({ members, declined }) => [...requests(members.values(), false), ...requests(declined, true)]);
    },
    setBlocked(userId, otherId, _directId, blocked) {
      // Also where the other is no more: their messages are there still, and count or do not.
      const shared = conversationsOf(store, userId).filter(({ members, former }) => members.has(otherId) || former.has(otherId));
      return lockRows(
        store,
        shared.map(({ state }) => state.id),
        async (rows) => {
          const list = store.blocks.get(userId) ?? new Set();
          if (list.has(otherId) === blocked) return false;
          if (blocked) store.blocks.set(userId, list.add(otherId));
          else list.delete(otherId);
          for (const row of rows.values()) {
            row.state = { ...row.state, membersVersion: row.state.membersVersion + 1 };
            const member = row.members.get(userId);
            if (member) member.changed = nextChange(store);
            notify(store, { kind: 'members', conversationId: row.state.id });
          }
          return true;
        },
      );
    },
  };
}

/** People who go, in memory. */
export function makeMemoryDepartures(store: MemoryStore): Departures {
  return {
    async due() {
      return [...store.departures].map(([userId, { removes }]) => ({ userId, removes }));
    },
    async memberships(userId) {
      return conversationsOf(store, userId).map(({ state }) => ({
        conversationId: state.id,
        kind: state.kind === 'group' ? ('group' as const) : ('direct' as const),
      }));
    },
    async traces(userId, limit) {
      const found = new Map<string, { conversationId: Uuid; n: number }>();
      for (const { state, messages } of store.conversations.values())
        for (const { n, senderId, body, reactions } of messages.values())
          if ((senderId === userId && body !== null) || reactions.has(userId))
            found.set(`${state.id}/${n}`, { conversationId: state.id, n });
      return [...found.values()].slice(0, limit);
    },
    async finish(userId) {
      store.conversations.delete(userId);
      store.blocks.delete(userId);
      for (const list of store.blocks.values()) list.delete(userId);
      store.departures.delete(userId);
    },
  };
}
