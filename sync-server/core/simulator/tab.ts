import type { Conversation, Me } from '../../../shared/api.ts';
import type { Clock } from '../../../shared/clock.ts';
import type { MessageId, Uuid } from '../../../shared/ids.ts';
import { type Api, ApiError } from '../../../client/sync/api.ts';
import type { ConversationReplica } from '../../../client/sync/conversation-replica.ts';
import { openSync } from '../../../client/sync/open-sync.ts';
import type { Shared } from './browser.ts';
import type { Chance } from './chance.ts';
import type { Disk } from './disk.ts';
import type { Ledger } from './ledger.ts';
import type { Node } from '../node.ts';
import { type Place, runIn } from './place.ts';
import type { Scheduler } from './scheduler.ts';
import type { Session } from '../session/session.ts';
import type { Socket } from '../ports.ts';
import type { Link } from './link.ts';
import { makeWebSocket } from './web-socket.ts';

/** What a tab asks of the world. */
export interface Network {
  isOnline(): boolean;
  dial(socket: Socket): Session | null;
  onLink(link: Link): void;
  /** A request over HTTP, as the node that took it answers it; throws `ApiError` 0 when nobody did. */
  ask<T>(run: (node: Node) => Promise<T>): Promise<T>;
  conversation(id: Uuid): Conversation | null;
  conversations(): Promise<Conversation[]>;
}

/** One tab of the production client, in front of one conversation. */
export interface Tab {
  readonly place: Place;
  readonly conversationId: Uuid;
  write(text: string): MessageId | null;
  edit(text: string): void;
  remove(): void;
  readOn(): void;
  retry(): void;
  setOnline(isOnline: boolean): void;
  /** Own entries that are not done, failed ones left out. */
  waiting(): string[];
  failed(): MessageId[];
  replica(): ConversationReplica;
  close(): void;
  kill(): void;
}

/** Resolves without a step of the world: all that it waits for is the hash of two ids. */
export async function openTab(deps: {
  me: Me;
  other: Uuid | null;
  conversationId: Uuid;
  disk: Disk;
  shared: Shared;
  network: Network;
  ledger: Ledger;
  scheduler: Scheduler;
  chance: Chance;
}): Promise<Tab> {
  const { me, conversationId, disk, shared, network, ledger, scheduler, chance } = deps;
  let isAlive = true;
  const place: Place = { disk, isAlive: () => isAlive };
  const clock: Clock = {
    now: scheduler.clock.now,
    after: (delayMs, task) => scheduler.clock.after(delayMs, () => isAlive && runIn(place, task)),
  };
  const nobody = (): never => {
    throw new ApiError(0, 'unreachable', 'nobody answers');
  };
  const api = {
    renew: async () => 'renewed',
    me: async () => me,
    conversations: network.conversations,
    async openDirect(userId: Uuid) {
      const { conversationId: id } = await network.ask(({ messaging }) => messaging.openDirect(me.id, userId));
      return network.conversation(id) ?? nobody();
    },
    async markRead(id: Uuid, seq: number) {
      await network.ask(({ messaging }) => messaging.markRead(me.id, id, seq));
    },
    exchange: async () => ({ kind: 'unreachable' }),
  } as unknown as Api;

  const sync = runIn(place, () =>
    openSync({
      me,
      api,
      url: 'ws://simulated/api/sync',
      WebSocket: makeWebSocket({ place, scheduler, dial: network.dial, onLink: network.onLink }),
      locks: shared.locksOf(place),
      makeChannel: (name) => shared.channelOf(place, name),
      clock,
      random: chance.bytes,
      isOnline: network.isOnline,
      onEnded: (code) => ledger.wrong(`a tab was ended with ${code}`),
    }),
  );
  const inside = <T>(run: () => T): T => runIn(place, run);
  if (deps.other !== null) await inside(() => sync.openDirect({ ...me, id: deps.other! }));
  const replica = (): ConversationReplica => inside(() => sync.conversations.open(conversationId));
  const look = (): void => {
    if (isAlive) ledger.look(place, me.id, replica());
  };
  inside(() => replica().subscribe(look));

  const ownLiving = (): MessageId | undefined =>
    chance.oneOf([
      ...replica()
        .messages()
        .filter(({ authorId, body }) => authorId === me.id && body !== null)
        .map(({ id }) => id),
      ...replica()
        .pending()
        .map(({ messageId }) => messageId),
    ]);

  return {
    place,
    conversationId,
    replica,
    write(text) {
      inside(() => replica().send(text));
      const id = replica().pending().at(-1)?.messageId ?? null;
      if (id !== null) ledger.wrote(me.id, id, text);
      look();
      return id;
    },
    edit(text) {
      const id = ownLiving();
      if (id === undefined) return;
      inside(() => replica().edit(id, text));
      ledger.edited(id, text);
    },
    remove() {
      const id = ownLiving();
      if (id === undefined) return;
      inside(() => replica().remove(id));
      ledger.removed(id);
    },
    readOn() {
      const last = replica().messages().at(-1);
      if (last) inside(() => replica().markRead(last.seq));
    },
    retry() {
      for (const { messageId, state } of replica().pending()) if (state.kind === 'failed') inside(() => replica().retry(messageId));
    },
    setOnline: (isOnline) => inside(() => sync.setOnline(isOnline)),
    waiting: () =>
      sync.outbox
        .entries()
        .filter(({ state }) => state.kind === 'waiting')
        .map((entry) => JSON.stringify([entry, sync.outbox.status(), sync.outbox.isKept(entry.id), sync.outbox.isOnlyHere(entry.id), sync.outbox.entries().map((e)=>e.id), sync.connection(), replica().status()])),
    failed: () => sync.outbox.entries().flatMap((entry) => (entry.kind === 'message' && entry.state.kind === 'failed' ? [entry.messageId] : [])),
    close() {
      inside(sync.close);
      isAlive = false;
      shared.killed(place);
    },
    kill() {
      isAlive = false;
      disk.killed(place);
      shared.killed(place);
      // What still lives of it in memory lets go of its documents; it can reach nothing any more.
      inside(sync.close);
    },
  };
}
