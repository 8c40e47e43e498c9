import type { Clock, RandomBytes } from '../../shared/clock.ts';
import type { Neutralised } from '../../shared/close-codes.ts';
import { type Root, readRoot } from '../../shared/conversation.ts';
import { type MessageId, type Uuid, makeMessageId } from '../../shared/ids.ts';
import { type SegmentMessage, isEmojiList } from '../../shared/segment.ts';
import { makeDeparted } from './departed.ts';
import { makeJoined } from './joined.ts';
import { makeMover } from './move-waiting.ts';
import { takeNeutralised } from './neutralised.ts';
import {
  type ChangeEntry,
  type Entry,
  type MessageEntry,
  type ReactEntry,
  changeKey,
  messageKey,
  openKey,
  reactKey,
} from './outbox/entry.ts';
import type { Outbox } from './outbox/outbox.ts';
import { type Presence, openPresence } from './presence.ts';
import type { OpenProvider } from './provider.ts';
import { type Replica, type ReplicaStatus, openReplica } from './replica.ts';
import { type SegmentReplica, openSegmentReplica } from './segment-replica.ts';
import { turned } from './settle-following.ts';
import type { ReplicaCache } from './storage/replica-cache.ts';

/** A conversation as plain values: its root, its newest segments and what of the own writing is pending. */
export interface ConversationReplica {
  /** `live`: root and open segment are. An end of either is an end. */
  status: () => ReplicaStatus;
  /** All that the first screen needs is here, or was; without a network, what the device holds. */
  isLoaded: () => boolean;
  root: () => Root | null;
  /** Of all open segments, in order of `seq`; the same array until one of them changes. */
  messages: () => readonly SegmentMessage[];
  /** Own ones that are not in the log, in order of writing. */
  pending: () => readonly MessageEntry[];
  /** What is to become of a message, and waits. */
  changeOf: (id: MessageId) => ChangeEntry | undefined;
  isKept: (entry: Entry) => boolean;
  /** The last seq that this device has stored. */
  storedSeq: () => number;
  /** There are older messages than these, or there may be: their segment is on its way. */
  hasOlder: () => boolean;
  /** Opens the segment before the oldest open one, unless that is still loading. */
  loadOlder: () => void;
  send: (body: string) => void;
  edit: (id: MessageId, body: string) => void;
  remove: (id: MessageId) => void;
  retry: (id: MessageId) => void;
  /** Turns this person's reaction on or off; false where it may not be (one has so many, or it is none). */
  react: (id: MessageId, emoji: string, isOn: boolean) => boolean;
  /** What is to become of this person's reactions to a message, or failed. */
  reactionsOf: (id: MessageId) => ReactEntry | undefined;
  /** Forgets a change of reactions that failed, or waits. */
  discardReactions: (id: MessageId) => void;
  /** Takes back a failed message or a waiting change. */
  discard: (id: MessageId) => void;
  markRead: (seq: number) => void;
  presence: Presence;
  subscribe: (listener: () => void) => () => void;
  close: () => void;
}

/** With fewer messages than this in the newest segment, the one before it is opened too. */
const FEW = 50;

export interface ConversationDeps {
  me: Uuid;
  openProvider: OpenProvider;
  cache: ReplicaCache;
  outbox: Outbox;
  /** Whether it is this tab that moves an entry. */
  moves: (entry: Entry) => boolean;
  clock: Clock;
  random: RandomBytes;
}

/** Opens a conversation. While it waits to be opened at the server (first contact), it has no documents. */
export function openConversationReplica(id: Uuid, deps: ConversationDeps): ConversationReplica {
  const { me, openProvider, cache, outbox, moves, clock, random } = deps;
  const listeners = new Set<() => void>();
  const segments = new Map<number, SegmentReplica>();
  const join = makeJoined<SegmentMessage>();
  let root: Replica<Root | null> | null = null;
  let loaded = false;
  let closed = false;
  let settling = false;

  const presence = openPresence({ me, clock, onChange: notify });
  const mover = makeMover(outbox, () => ({ id, moves, segments, want: openSegment, open: live() }));
  const departed = makeDeparted({
    clock,
    moves,
    isLogged: (messageId) => [...segments.values()].some((segment) => segment.isLogged(messageId)),
    isLive: () => live() !== null,
    onChange: notify,
  });
  const endWatch = outbox.subscribe(settle);

  const isUnopened = (): boolean => outbox.get(openKey(id)) !== undefined;
  const openNumber = (): number => root?.content()?.open ?? 0;
  const oldest = (): number => Math.min(...segments.keys());
  const live = (): SegmentReplica | null => (status().kind === 'live' ? (segments.get(openNumber()) ?? null) : null);
  const hasCome = (segment: SegmentReplica): boolean => segment.status().kind !== 'connecting' || segment.messages().length > 0;

  function notify(): void {
    for (const listener of listeners) listener();
  }

  function openSegment(n: number): void {
    if (n < 1 || segments.has(n)) return;
    const onNeutralised = (key: string, code: Neutralised): void => {
      takeNeutralised({ outbox, mover }, { n, key, code });
      settle();
    };
    const onRefused = (): void => mover.refused(n);
    segments.set(n, openSegmentReplica({ conversationId: id, n, me, openProvider, cache, onChange: settle, onNeutralised, onRefused }));
  }

  function openWanted(): void {
    if (isUnopened()) {
      loaded ||= outbox.status() !== 'loading';
      return;
    }
    // Awaited in the outbox: with a first contact in it there is nothing to open yet.
    if (outbox.status() === 'loading') return;
    root ??= openReplica({ documentId: id, openProvider, cache, read: readRoot, onChange: settle, onAwareness: presence.attach });
    const n = openNumber();
    openSegment(n);
    const newest = segments.get(n);
    if (newest && hasCome(newest) && newest.messages().length < FEW) openSegment(n - 1);
    loaded ||= newest !== undefined && hasCome(newest) && [...segments.values()].every(hasCome);
  }

  /** Brings everything that follows from the documents up to date. Its own changes run it again; the outer run takes those in. */
  function settle(): void {
    if (closed || settling) return;
    settling = true;
    openWanted();
    mover.move();
    departed.look(outbox.of(id));
    settling = false;
    notify();
  }

  function status(): ReplicaStatus {
    if (!root) return { kind: 'connecting' };
    if (root.status().kind !== 'live') return root.status();
    return segments.get(openNumber())?.status() ?? { kind: 'connecting' };
  }

  const homeOf = (messageId: MessageId): number | null =>
    [...segments.values()].find((segment) => segment.isLogged(messageId) || segment.own(messageId))?.n ?? null;

  /** Null: that message is not here. */
  function ownReactions(messageId: MessageId): readonly string[] | null {
    const home = [...segments.values()].find((segment) => segment.isLogged(messageId));
    if (home) return home.ownReactions(messageId)?.value ?? [];
    return outbox.get(messageKey(messageId)) ? [] : null;
  }
  function reactionsOf(messageId: MessageId): ReactEntry | undefined {
    const entry = outbox.get(reactKey(messageId));
    return entry?.kind === 'react' ? entry : undefined;
  }

  settle();

  return {
    status,
    presence,
    isLoaded: () => loaded,
    root: () => root?.content() ?? null,
    messages: () => join([...segments.values()].sort((a, b) => a.n - b.n).map((segment) => segment.messages())),
    pending() {
      const opening = outbox.get(openKey(id));
      const state = opening?.state.kind === 'failed' ? opening.state : null;
      const messages = outbox.of(id).filter((entry): entry is MessageEntry => entry.kind === 'message');
      return [...departed.messages(), ...(state ? messages.map((entry) => ({ ...entry, state })) : messages)];
    },
    changeOf(messageId) {
      const entry = outbox.get(changeKey(messageId));
      return entry?.kind === 'edit' || entry?.kind === 'delete' ? entry : undefined;
    },
    isKept: (entry) => outbox.isKept(entry.id) || (entry.kind === 'message' && departed.has(entry.messageId)),
    storedSeq: () => [...segments.values()].reduce((seq, one) => Math.max(seq, one.isStored() ? (one.messages().at(-1)?.seq ?? 0) : 0), 0),
    hasOlder() {
      const first = segments.get(oldest());
      return first !== undefined && (first.n > 1 || !hasCome(first));
    },
    loadOlder() {
      const first = segments.get(oldest());
      if (first && hasCome(first)) openSegment(first.n - 1);
    },
    send(body) {
      presence.stopTyping();
      outbox.send(id, makeMessageId(clock.now(), random), [body, null, null]);
    },
    edit: (messageId, body) => outbox.edit(id, messageId, homeOf(messageId), body),
    remove: (messageId) => outbox.remove(id, messageId, homeOf(messageId)),
    retry: (messageId) => outbox.retry([messageKey(messageId), changeKey(messageId), reactKey(messageId), openKey(id)]),
    react(messageId, emoji, isOn) {
      if (outbox.get(changeKey(messageId))?.kind === 'delete') return false;
      const stored = ownReactions(messageId);
      const entry = reactionsOf(messageId);
      const now = turned(stored ?? [], entry?.state.kind === 'waiting' ? entry.toggles : []);
      if (isOn && !isEmojiList(turned(now, [{ emoji, isOn }]))) return false;
      // Where it is not known what there is, either may be a change.
      if (!stored || now.includes(emoji) !== isOn) outbox.react(id, messageId, homeOf(messageId), { emoji, isOn }, stored !== null);
      return true;
    },
    reactionsOf,
    discardReactions(messageId) {
      const entry = reactionsOf(messageId);
      if (entry) outbox.done([entry]);
    },
    discard(messageId) {
      const change = outbox.get(changeKey(messageId));
      if (change) outbox.done([change]);
      else outbox.remove(id, messageId, homeOf(messageId));
    },
    markRead(seq) {
      presence.markRead(seq);
      outbox.read(id, seq);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      closed = true;
      endWatch();
      departed.close();
      presence.close();
      root?.close();
      for (const segment of segments.values()) segment.close();
    },
  };
}
