import { systemClock, systemRandom } from '../../shared/clock.ts';
import type { Uuid } from '../../shared/ids.ts';
import { ApiError } from './api.ts';
import { type Conversations, makeConversations } from './conversations.ts';
import type { OutboxStore } from './outbox/outbox-store.ts';
import { NO_SIBLINGS, type Outbox, openOutbox } from './outbox/outbox.ts';
import { type PrivateDocument, openPrivateDocument } from './private/private-document.ts';
import { type Rescues, openRescues } from './rescue/rescues.ts';
import { openDeviceDatabase } from './storage/device-database.ts';
import { openReplicaCache } from './storage/replica-cache.ts';
import type { startCore } from './test-core.ts';

export type Core = Awaited<ReturnType<typeof startCore>>;

export interface Tab {
  outbox: Outbox;
  conversations: Conversations;
  personal: PrivateDocument;
  rescues: Rescues;
  close: () => void;
}

/** A tab of one person: what is on the disk stays when it is closed and opened again. */
export function openTab(closers: (() => void)[], core: Core, me: Uuid, wrap: (store: OutboxStore) => OutboxStore = (store) => store): Tab {
  const database = openDeviceDatabase(me, systemRandom);
  const outbox = openOutbox({ store: wrap(database.outbox), siblings: NO_SIBLINGS, clock: systemClock });
  const cache = openReplicaCache({ account: me, database, news: { tell: () => {}, listen: () => () => {} }, clock: systemClock });
  const rescues = openRescues(database);
  const openProvider = core.openProviderOf(me);
  const conversations = makeConversations({
    me,
    outbox,
    cache,
    rescues,
    clock: systemClock,
    random: systemRandom,
    moves: () => true,
    recent: () => [],
    row: () => undefined,
    openProvider,
  });
  const personal = openPrivateDocument({
    me: { id: me, document: `user:${me}/1` },
    api: { me: () => Promise.reject(new ApiError(0, 'unreachable', '')) },
    moves: () => true,
    ...{ outbox, cache, openProvider },
  });
  const stop = outbox.subscribe(conversations.settle);
  void rescues.ready.then(conversations.settle);
  const close = (): void => {
    stop();
    personal.close();
    conversations.close();
    outbox.close();
    cache.close();
    database.close();
  };
  closers.push(close);
  return { outbox, conversations, personal, rescues, close };
}

/** Something is still to leave. */
export const isWaiting = ({ outbox }: Tab): boolean =>
  outbox.status() === 'loading' || outbox.entries().some(({ state }) => state.kind === 'waiting');
