import type { Uuid } from '../../../../shared/ids.ts';
import { type MemoryStore, hasBlocked } from '../../../memory/store.ts';
import type { ConversationWrite } from '../../ports.ts';
import type { Ledger } from './ledger.ts';

/** Seqs that somebody may not read: after `after`, up to `to`. */
interface Closed {
  after: number;
  to: number;
}

/** Who may read and write what, by the commits alone (V4, G1, G2). */
export interface Rights {
  /** A conversation that these people do not belong to. */
  without(conversationId: Uuid, users: readonly Uuid[]): void;
  /** What has been committed by this step: messages are looked at, changes of members taken in. */
  commit(write: ConversationWrite): void;
  /** The step is over: what is blocked now holds for the next one's commits. */
  ended(): void;
  mayRead(conversationId: Uuid, userId: Uuid, seq: number): boolean;
  /** What came up to this seq is closed to them since they came back; what they had of it they may still have. */
  from(conversationId: Uuid, userId: Uuid): number;
  isOut(conversationId: Uuid, userId: Uuid): boolean;
  /** Was taken out, or left, at least once. */
  hasBeenOut(userId: Uuid): boolean;
}

export function makeRights(store: MemoryStore, ledger: Ledger): Rights {
  const closed = new Map<string, Closed[]>();
  const froms = new Map<string, number>();
  const out = new Set<Uuid>();
  let blocked: ReadonlySet<Uuid> = new Set();

  const keyOf = (conversationId: Uuid, userId: Uuid): string => `${conversationId} ${userId}`;
  const closedOf = (conversationId: Uuid, userId: Uuid): Closed[] => closed.get(keyOf(conversationId, userId)) ?? [];
  const isOut = (conversationId: Uuid, userId: Uuid): boolean => closedOf(conversationId, userId).some(({ to }) => to === Infinity);

  function leave(conversationId: Uuid, userId: Uuid, seq: number): void {
    if (!isOut(conversationId, userId))
      closed.set(keyOf(conversationId, userId), [...closedOf(conversationId, userId), { after: seq, to: Infinity }]);
  }
  /** Who may read what came before reads all of it. */
  function join(conversationId: Uuid, userId: Uuid, from: number): void {
    const before = closedOf(conversationId, userId).map(({ after, to }) => ({ after, to: Math.min(to, from) }));
    closed.set(keyOf(conversationId, userId), from > 0 ? before : []);
    froms.set(keyOf(conversationId, userId), from);
  }

  /** Direct conversations of which either has blocked the other. */
  function blockedNow(): Set<Uuid> {
    if (store.blocks.size === 0) return new Set();
    const direct = [...store.conversations.values()].filter(({ state }) => state.kind === 'direct');
    const isBlocked = (people: readonly Uuid[]): boolean => people.some((one) => people.some((other) => hasBlocked(store, one, other)));
    return new Set(direct.filter(({ members }) => isBlocked([...members.keys()])).map(({ state }) => state.id));
  }

  return {
    isOut,
    from: (conversationId, userId) => froms.get(keyOf(conversationId, userId)) ?? 0,
    hasBeenOut: (userId) => out.has(userId),
    mayRead: (conversationId, userId, seq) => !closedOf(conversationId, userId).some(({ after, to }) => seq > after && seq <= to),
    without(conversationId, users) {
      for (const userId of users) leave(conversationId, userId, 0);
    },
    commit({ conversationId, snapshot, seq, members = [] }) {
      for (const change of snapshot) {
        if (change.kind !== 'message') continue;
        const { id, senderId } = change;
        if (isOut(conversationId, senderId)) ledger.wrong(`[V4] ${id} was committed for ${senderId}, who is no member`);
        if (blocked.has(conversationId) && blockedNow().has(conversationId)) ledger.wrong(`[V4] ${id} was committed in spite of a block`);
      }
      for (const change of members) {
        if (change.kind === 'join') join(conversationId, change.userId, change.from);
        if (change.kind !== 'leave') continue;
        leave(conversationId, change.userId, seq);
        out.add(change.userId);
      }
    },
    ended() {
      if (store.blocks.size > 0) blocked = blockedNow();
    },
  };
}
