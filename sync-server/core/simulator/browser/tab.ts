import type { Me } from '../../../../shared/api.ts';
import type { Clock, RandomBytes } from '../../../../shared/clock.ts';
import type { MessageId, Uuid } from '../../../../shared/ids.ts';
import type { ConversationMarks } from '../../../../shared/user-document.ts';
import type { Api } from '../../../../client/sync/api.ts';
import type { ConversationReplica } from '../../../../client/sync/conversation-replica.ts';
import { type Sync, openSync } from '../../../../client/sync/open-sync.ts';
import { answerKey, blockKey } from '../../../../client/sync/outbox/entry.ts';
import type { DeviceStorage } from '../../../../client/sync/storage/device-storage.ts';
import type { MemoryStore } from '../../../memory/store.ts';
import type { Chance } from '../chance.ts';
import type { Ledger } from '../oracle/ledger.ts';
import type { Rights } from '../oracle/rights.ts';
import { type Screen, makeScreen } from '../oracle/screen.ts';
import type { Scheduler } from '../scheduler.ts';
import { type Place, makePlace } from './place.ts';
import type { Shared } from './shared.ts';

/** The only conversation, at first: the one that is looked at. */
interface View {
  conversationId: Uuid;
  replica: ConversationReplica;
  screen: Screen;
  stop(): void;
}

/** One tab of the production client. */
export interface Tab {
  readonly place: Place;
  readonly sync: Sync;
  conversationId(): Uuid | null;
  replica(): ConversationReplica | null;
  /** Looks at another conversation. */
  show(conversationId: Uuid): void;
  /** Begins to talk to somebody. */
  contact(other: Uuid): void;
  write(text: string): void;
  edit(text: string): void;
  remove(): void;
  /** Turns a reaction to some message on or off. */
  react(emoji: string, isOn: boolean): void;
  /** Begins a text; "" takes it away. */
  draft(text: string): void;
  mark(marks: ConversationMarks): void;
  readOn(): void;
  type(): void;
  retry(): void;
  /** Takes the request that is looked at, or does not. */
  answer(isTaken: boolean): void;
  /** Blocks somebody, or takes it back. */
  block(conversationId: Uuid, other: Uuid): void;
  /** Checks what must always hold, if anything has changed since. */
  look(): void;
  close(): void;
  kill(): void;
}

export interface TabDeps {
  me: Me;
  browser: object;
  scheduler: Scheduler;
  chance: Chance;
  ledger: Ledger;
  rights: Rights;
  store: MemoryStore;
  shared: Shared;
  /** How far this browser's clock is off now. */
  skew: () => number;
  isOnline: () => boolean;
  /** It is this browser's only one. */
  isAlone: () => boolean;
  /** The session is over. */
  onEnded: (code: number) => void;
  openStorage: (place: Place, clock: Clock, random: RandomBytes) => DeviceStorage;
  isOnDisk: (entryId: string) => boolean | null;
  apiOf: (place: Place) => Api;
  socketOf: (place: Place) => typeof WebSocket;
}

export function openTab(deps: TabDeps): Tab {
  const { me, browser, scheduler, chance, ledger, rights, store, shared } = deps;
  const place = makePlace(scheduler);
  const clock: Clock = { now: () => scheduler.now() + deps.skew(), elapsed: scheduler.clock.elapsed, after: place.after };
  let view: View | null = null;
  let hasChanged = false;

  const sync = place.here(() =>
    openSync({
      me,
      api: deps.apiOf(place),
      storage: deps.openStorage(place, clock, chance.bytes),
      url: 'ws://simulated/api/sync',
      WebSocket: deps.socketOf(place),
      locks: shared.locksOf(place),
      makeChannel: (name) => shared.channelOf(place, name),
      clock,
      random: chance.bytes,
      isOnline: deps.isOnline,
      onEnded: deps.onEnded,
    }),
  );

  function leaveView(): void {
    view?.stop();
    view = null;
  }
  function show(conversationId: Uuid): void {
    if (view?.conversationId === conversationId && view.replica.status().kind !== 'ended') return;
    leaveView();
    const replica = place.here(() => sync.conversations.open(conversationId));
    const isOnDisk = deps.isOnDisk;
    const screen = makeScreen({ me: me.id, browser, place, conversationId, replica, ledger, rights, store, isOnDisk });
    view = { conversationId, replica, screen, stop: replica.subscribe(() => (hasChanged = true)) };
    hasChanged = true;
  }
  function inside(run: (view: View) => void): void {
    if (view && !place.isFrozen()) place.here(() => run(view!));
    hasChanged = true;
  }

  const ownLiving = ({ replica }: View): MessageId | undefined =>
    chance.oneOf([
      ...replica
        .messages()
        .filter(({ authorId, body }) => authorId === me.id && body !== null)
        .map(({ id }) => id),
      ...replica.pending().map(({ messageId }) => messageId),
    ]);

  const isRequest = ({ conversationId }: View): boolean =>
    sync.inbox.conversations().get(conversationId)?.request === true && sync.outbox.get(answerKey(conversationId)) === undefined;

  function end(): void {
    leaveView();
    place.end();
    shared.ended(place);
  }

  return {
    place,
    sync,
    show,
    conversationId: () => view?.conversationId ?? null,
    replica: () => view?.replica ?? null,
    contact(other) {
      if (place.isFrozen()) return;
      let id: Uuid | null = null;
      place.here(() => void sync.openDirect({ ...me, id: other }).then((opened) => (id = opened)));
      if (id !== null) show(id);
    },
    write: (text) =>
      inside((view) => {
        const { replica, conversationId } = view;
        if (isRequest(view)) sync.outbox.answer(conversationId, 'accept');
        const before = new Set(replica.pending().map(({ messageId }) => messageId));
        replica.send(text);
        const id = replica.pending().find(({ messageId }) => !before.has(messageId))?.messageId;
        if (id === undefined) ledger.wrong('[V5] what was written is not on the screen');
        else ledger.wrote(id, { conversationId, author: me.id, browser, place }, text);
      }),
    edit: (text) =>
      inside((view) => {
        const id = ownLiving(view);
        if (id === undefined) return;
        ledger.edited(id, browser, place, text);
        view.replica.edit(id, text);
      }),
    remove: () =>
      inside((view) => {
        const id = ownLiving(view);
        if (id === undefined) return;
        ledger.removed(id);
        view.replica.remove(id);
      }),
    react: (emoji, isOn) =>
      inside((view) => {
        const { replica } = view;
        const living = replica.messages().filter(({ body }) => body !== null);
        const id = chance.oneOf([...living.map((message) => message.id), ...replica.pending().map(({ messageId }) => messageId)]);
        if (id === undefined || isRequest(view)) return;
        const hasFailed = replica.reactionsOf(id)?.state.kind === 'failed';
        if (replica.react(id, emoji, isOn)) ledger.reacted(id, me.id, hasFailed ? null : place, emoji, isOn);
      }),
    draft: (text) =>
      inside(({ conversationId }) => {
        sync.drafts.set(conversationId, text);
        ledger.drafted(conversationId, me.id, deps.isAlone() ? place : null, text);
      }),
    mark: (marks) => inside(({ conversationId }) => void sync.personal.mark(conversationId, marks)),
    readOn: () =>
      inside((view) => {
        const { replica, conversationId } = view;
        if (isRequest(view)) return;
        const seq = replica.messages().at(-1)?.seq ?? 0;
        replica.markRead(seq);
        ledger.read(conversationId, me.id, place, seq);
      }),
    type: () => inside((view) => !isRequest(view) && view.replica.presence.typed()),
    retry: () =>
      inside(({ replica }) => {
        for (const { messageId, state } of replica.pending()) if (state.kind === 'failed') replica.retry(messageId);
      }),
    answer: (isTaken) =>
      inside((view) => {
        const row = sync.inbox.conversations().get(view.conversationId);
        if (!row || !isRequest(view)) return;
        sync.outbox.answer(row.id, isTaken ? 'accept' : row.kind === 'group' ? 'leave' : 'hide');
      }),
    block: (conversationId, other) =>
      inside(() => {
        const entry = sync.outbox.get(blockKey(other));
        const isBlocked = entry?.kind === 'block' ? entry.isBlocked : sync.blocks.people().has(other);
        sync.outbox.block(conversationId, other, !isBlocked);
      }),
    look() {
      if (!hasChanged || !view) return;
      hasChanged = false;
      view.screen.look();
    },
    close() {
      place.here(sync.close);
      end();
    },
    kill() {
      end();
      // What still lives of it in memory lets go of its documents; it can reach nothing any more.
      place.here(sync.close);
    },
  };
}
