import type { Conversation, Me, User } from '../../shared/api.ts';
import type { Clock, RandomBytes } from '../../shared/clock.ts';
import { CLOSE } from '../../shared/close-codes.ts';
import { type Uuid, directConversationId } from '../../shared/ids.ts';
import { type Api, ApiError } from './api.ts';
import { type Blocks, makeBlocksWatch, openBlocks } from './blocks.ts';
import { type Conversations, makeConversations } from './conversations.ts';
import { makeDeliveredReporter } from './delivered.ts';
import { type Drafts, openDrafts } from './drafts.ts';
import { type Inbox, openInbox } from './inbox.ts';
import { watchKeeping } from './keeping.ts';
import { openRequestMover } from './move-requests.ts';
import { openKey } from './outbox/entry.ts';
import { type Outbox, openOutbox } from './outbox/outbox.ts';
import { type PrivateDocument, openPrivateDocument } from './private/private-document.ts';
import { makeOpenProvider } from './provider.ts';
import { openRescues } from './rescue/rescues.ts';
import { type RestoredWatch, openRestoredWatch } from './restored.ts';
import type { DeviceStorage } from './storage/device-storage.ts';
import { joinTabs, makeMoves } from './tabs.ts';
import { type ConnectionState, openConnection } from './wire/connection.ts';

/** Everything of one person on this device: what is kept here, and the way to the server. */
export interface Sync {
  /** What is kept here has been read. */
  isReady: () => boolean;
  inbox: Inbox;
  blocks: Blocks;
  drafts: Drafts;
  /** What this person has for themselves, on all their devices. */
  personal: PrivateDocument;
  restored: Pick<RestoredWatch, 'notice' | 'dismiss'>;
  outbox: Outbox;
  conversations: Conversations;
  connection: () => ConnectionState;
  /** Something cannot be kept here: it lives in this tab's memory. */
  isMemoryOnly: () => boolean;
  /** The direct conversation with somebody, at once: opened at the server when it can be reached. */
  openDirect: (user: User) => Promise<Uuid>;
  setOnline: (isOnline: boolean) => void;
  /** Somebody looks, or asks to try now. */
  wake: () => void;
  subscribe: (listener: () => void) => () => void;
  close: () => void;
}

export interface SyncDeps {
  me: Me;
  api: Api;
  storage: DeviceStorage;
  /** `ws://host/api/sync` */
  url: string;
  WebSocket: typeof WebSocket;
  locks: LockManager | undefined;
  makeChannel: (name: string) => BroadcastChannel;
  clock: Clock;
  random: RandomBytes;
  isOnline: () => boolean;
  /** The session is over, or this app too old. */
  onEnded: (code: number) => void;
}

/** A database that does not answer keeps nobody waiting longer. */
const STUCK_MS = 4_000;

const asMember = ({ id, handle, displayName, bio, avatarUrl }: User): Conversation['members'][number] => ({
  ...{ id, handle, displayName, bio, avatarUrl },
  role: 'member',
});

/** Newest message first; what has none yet came last. */
export const lastAt = ({ lastMessage }: Conversation): number => (lastMessage ? Date.parse(lastMessage.sentAt) : Infinity);

/** Opens a person's device: first what is kept here, which needs no network, then the connection. */
export function openSync(deps: SyncDeps): Sync {
  const { me, api, clock, random } = deps;
  const listeners = new Set<() => void>();
  let hasResigned = false;
  const notify = (): void => listeners.forEach((listener) => listener());
  const { database } = deps.storage;
  const inbox = openInbox(database, clock, (id) => outbox.get(openKey(id)) !== undefined);
  const restored = openRestoredWatch({ database, inbox, onChange: notify });
  const rescues = openRescues(database);
  const blocks = openBlocks({ database, api, onChange: notify });
  let isReady = false;
  let isOnline = deps.isOnline();
  let closed = false;

  const tabs = joinTabs({ ...deps, account: me.id, onMover: () => queueMicrotask(takeOver) });
  const outbox = openOutbox({ store: database.outbox, siblings: tabs.siblings, clock });
  const cache = deps.storage.openCache(tabs.drops);

  async function pollInbox(): Promise<boolean> {
    try {
      const before = new Map(inbox.conversations());
      const all = await api.conversations();
      // Once a socket tells what changes, an answer is older than that.
      if (connection.state() !== 'open' || !inbox.isLoaded()) inbox.takeAll(before, all);
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return error.status !== 0;
    }
  }

  const connection = openConnection({
    ...deps,
    exchange: api.exchange,
    renew: api.renew,
    // Not before the device has told how far its list goes.
    isOnline: false,
    cursor: inbox.resume,
    pollInbox,
    onInbox(answer) {
      // A first list may be empty, and then the inbox has nothing to say for a while.
      if ('hello' in answer) restored.hear(answer.hello.restored);
      if ('changed' in answer) inbox.take(answer);
      else if (!inbox.isLoaded()) void pollInbox();
    },
  });
  const moves = makeMoves(tabs, outbox);
  const isReachable = (): boolean => connection.state() === 'open' || connection.state() === 'http';

  const openProvider = makeOpenProvider({ socketFor: connection.socketFor, renew: api.renew, clock });
  const personal = openPrivateDocument({ me, api, openProvider, cache, outbox, moves });
  const drafts = openDrafts({ database, personal, outbox, clock });
  const keeping = watchKeeping({ clock, database, outbox, cache, drafts, inbox, onChange: notify });
  const conversations = makeConversations({
    me: me.id,
    clock,
    random,
    outbox,
    cache,
    rescues,
    moves,
    openProvider,
    row: (id) => inbox.conversations().get(id),
    recent: () =>
      tabs.isMover() && isReachable()
        ? [
            ...inbox.vanished(),
            ...[...inbox.conversations().values()]
              .filter(({ lastMessage }) => lastMessage)
              .sort((a, b) => lastAt(b) - lastAt(a))
              .map(({ id }) => id),
          ]
        : [],
  });
  const delivered = makeDeliveredReporter({ clock, connection, replicas: conversations.replicas });
  const requests = openRequestMover({
    ...deps,
    outbox,
    moves,
    isReachable,
    row: (id) => inbox.conversations().get(id),
    onAnswered: inbox.answered,
    onBlocked: blocks.refresh,
  });
  const lookAtBlocks = makeBlocksWatch({ blocks, outbox, isReachable });

  function takeOver(): void {
    conversations.takeOver();
    settle();
  }

  function settle(): void {
    conversations.settle();
    personal.settle();
    requests.move();
    notify();
  }

  /** What was begun here and never came to the server is begun again, whatever became of the entry that was to open it. */
  function openAgain(): void {
    for (const [id, replica] of conversations.replicas()) {
      const status = replica.status();
      if (status.kind !== 'ended' || status.code !== CLOSE.notFound.code || outbox.of(id).length === 0 || outbox.get(openKey(id))) continue;
      const row = inbox.conversations().get(id);
      const other = row?.kind === 'direct' ? row.members.find((member) => member.id !== me.id) : undefined;
      if (other) outbox.open(id, other.id);
    }
  }

  async function start(): Promise<void> {
    await Promise.race([
      Promise.all([drafts.ready, personal.ready, blocks.ready, restored.ready, rescues.ready]),
      new Promise<void>((resolve) => void clock.after(STUCK_MS, resolve)),
    ]);
    await inbox.ready;
    if (closed) return;
    isReady = true;
    connection.setOnline(isOnline);
    settle();
  }
  void start();

  const stops = [
    inbox.subscribe(settle),
    outbox.subscribe(() => {
      // It does not see what others write: one of them takes over, if there is one that can.
      if (outbox.status() === 'memory' && !hasResigned) tabs.resign();
      hasResigned = outbox.status() === 'memory';
      lookAtBlocks();
      settle();
    }),
    conversations.subscribe(() => {
      delivered.look();
      openAgain();
      for (const id of inbox.vanished())
        if ((conversations.replicas().get(id)?.status().kind ?? 'connecting') !== 'connecting') inbox.looked(id);
    }),
    personal.subscribe(notify),
    keeping.close,
    connection.subscribe(() => {
      if (connection.state() === 'open') delivered.again();
      if (isReachable()) personal.again();
      lookAtBlocks();
      settle();
    }),
  ];

  return {
    isReady: () => isReady,
    inbox,
    blocks,
    drafts,
    personal,
    outbox,
    restored,
    conversations,
    connection: connection.state,
    isMemoryOnly: keeping.isFailing,
    async openDirect(user) {
      const id = await directConversationId(me.id, user.id);
      if (inbox.conversations().has(id)) return id;
      outbox.open(id, user.id);
      inbox.add({
        id,
        kind: 'direct',
        title: null,
        members: [asMember(me), asMember(user)],
        lastMessage: null,
        unreadCount: 0,
        lastReadSeq: 0,
        openSegment: 1,
      });
      return id;
    },
    setOnline(next) {
      isOnline = next;
      if (isReady) connection.setOnline(next);
    },
    wake() {
      connection.wake();
      lookAtBlocks(true);
      personal.again();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      closed = true;
      for (const stop of stops) stop();
      listeners.clear();
      drafts.close();
      personal.close();
      conversations.close();
      requests.close();
      delivered.close();
      connection.close();
      outbox.close();
      cache.close();
      tabs.close();
      database.close();
    },
  };
}
