import type { Conversation, User } from '../../shared/api.ts';
import { systemRandom } from '../../shared/clock.ts';
import { type Uuid, makeUuid } from '../../shared/ids.ts';
import type { SegmentMessage } from '../../shared/segment.ts';
import type { ConversationReplica } from '../sync/conversation-replica.ts';
import { openInbox } from '../sync/inbox.ts';
import type { Sync } from '../sync/open-sync.ts';
import { makeMemoryOutboxStore } from '../sync/outbox/outbox-store.ts';
import { NO_SIBLINGS, openOutbox } from '../sync/outbox/outbox.ts';
import { makeTestClock } from '../sync/test-server.ts';

export const makePerson = (handle: string): User => ({
  id: makeUuid(1, systemRandom),
  handle,
  displayName: handle[0]!.toUpperCase() + handle.slice(1),
  bio: '',
  avatarUrl: null,
});

/** A direct conversation whose last message has this seq; 0: it has none. */
export const makeConversation = (members: readonly User[], last: number, rest: Partial<Conversation> = {}): Conversation => ({
  id: makeUuid(1, systemRandom),
  kind: 'direct',
  title: null,
  members: members.map((member) => ({ ...member, role: 'member' })),
  lastMessage:
    last > 0
      ? {
          id: 'AAAAAAAAAAAAAAAAAAAAAA',
          seq: last,
          senderId: members[1]!.id,
          preview: `message ${last}`,
          sentAt: new Date(last * 1_000).toISOString(),
        }
      : null,
  unreadCount: last,
  lastReadSeq: 0,
  openSegment: 1,
  ...rest,
});

/** A person's device with a real inbox and a real outbox in memory; what its documents hold, and the rest, is the test's to say. */
export function makeTestSync() {
  const listeners = new Set<() => void>();
  const documentListeners = new Set<() => void>();
  const messages = new Map<Uuid, readonly SegmentMessage[]>();
  const clock = makeTestClock();
  const inbox = openInbox({ read: async () => null, write: async () => {} }, clock);
  const outbox = openOutbox({ store: makeMemoryOutboxStore(), siblings: NO_SIBLINGS, clock });
  const world = { isReady: true, isMemoryOnly: false, woken: 0, opened: [] as Uuid[], blocked: [] as User[] };
  const notify = (): void => listeners.forEach((listener) => listener());
  inbox.subscribe(notify);
  outbox.subscribe(notify);
  const listen = (set: Set<() => void>) => (listener: () => void) => {
    set.add(listener);
    return () => void set.delete(listener);
  };
  const sync = {
    inbox,
    outbox,
    isReady: () => world.isReady,
    blocks: { people: () => new Map(world.blocked.map((user) => [user.id, user])) },
    isMemoryOnly: () => world.isMemoryOnly,
    wake: () => (world.woken += 1),
    subscribe: listen(listeners),
    async openDirect({ id }: User) {
      world.opened.push(id);
      return id;
    },
    conversations: {
      subscribe: listen(documentListeners),
      replicas: () => new Map([...messages].map(([id, held]) => [id, { messages: () => held } as ConversationReplica])),
    },
  } as unknown as Sync;
  return {
    sync,
    clock,
    inbox,
    outbox,
    world,
    notify,
    take: (...changed: Conversation[]) => inbox.take({ changed, gone: [], cursor: null }),
    /** What this device holds of a conversation. */
    hold(id: Uuid, held: readonly SegmentMessage[]) {
      messages.set(id, held);
      documentListeners.forEach((listener) => listener());
    },
    isWatched: () => listeners.size + documentListeners.size > 0,
  };
}
