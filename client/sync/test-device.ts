import { expect } from 'vitest';
import type { Me } from '../../shared/api.ts';
import { systemClock, systemRandom } from '../../shared/clock.ts';
import type { Uuid } from '../../shared/ids.ts';
import type { ConversationReplica } from './conversation-replica.ts';
import { type Conversations, makeConversations } from './conversations.ts';
import { type OutboxStore, makeMemoryOutboxStore } from './outbox/outbox-store.ts';
import { NO_SIBLINGS, type Outbox, type Siblings, openOutbox } from './outbox/outbox.ts';
import { type PrivateDocument, openPrivateDocument } from './private/private-document.ts';
import { NO_CACHE } from './storage/replica-cache.ts';
import type { startCore } from './test-core.ts';

export type Core = Awaited<ReturnType<typeof startCore>>;

/** A device of somebody: what is in its outbox's store stays when it ends, no copy of a document does. */
export interface TestDevice {
  outbox: Outbox;
  conversations: Conversations;
  personal: PrivateDocument;
  /** The conversation of the core's two people. */
  replica: ConversationReplica;
  close: () => void;
}

export const soon = { timeout: 20_000, interval: 10 };

/** Begins with what `store` holds. `n`: the number of the private document that it knows of; `tab`: what it shares with other tabs. */
export function openDevice(
  core: Core,
  me: Uuid,
  store: OutboxStore = makeMemoryOutboxStore(),
  n = 1,
  tab: { siblings: Siblings; moves: () => boolean } = { siblings: NO_SIBLINGS, moves: () => true },
): TestDevice {
  const outbox = openOutbox({ store, siblings: tab.siblings, clock: systemClock });
  const openProvider = core.openProviderOf(me);
  const common = { outbox, openProvider, cache: NO_CACHE, moves: tab.moves };
  const conversations = makeConversations({
    me,
    clock: systemClock,
    random: systemRandom,
    recent: () => [],
    row: () => undefined,
    ...common,
  });
  const account = { id: me, handle: 'somebody', displayName: 'Somebody', bio: '', avatarUrl: null };
  const asMe = (open: number): Me => ({ ...account, document: `user:${me}/${open}` });
  const personal = openPrivateDocument({
    me: asMe(n),
    api: { me: async () => asMe(core.world.store.conversations.get(me)?.state.open ?? 1) },
    ...common,
  });
  const stop = outbox.subscribe(conversations.settle);
  return {
    outbox,
    conversations,
    personal,
    replica: conversations.open(core.world.conversationId),
    close() {
      stop();
      personal.close();
      conversations.close();
      outbox.close();
    },
  };
}

/** Nothing waits any more; what failed stays. */
export const isQuiet = ({ outbox }: TestDevice): boolean =>
  outbox.status() !== 'loading' && !outbox.entries().some(({ state }) => state.kind === 'waiting');

export const untilQuiet = (...devices: TestDevice[]): Promise<void> => expect.poll(() => devices.every(isQuiet), soon).toBe(true);

/** Everything that was asked for is in the store. */
export async function untilKept({ outbox }: TestDevice): Promise<void> {
  await new Promise<void>((written) => outbox.claim([], written));
}
