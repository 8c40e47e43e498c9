import type { Clock, RandomBytes } from '../../shared/clock.ts';
import { CLOSE, type Neutralised } from '../../shared/close-codes.ts';
import { type Root, readRoot } from '../../shared/conversation.ts';
import { type MessageId, type Uuid, formatDocumentId, makeMessageId } from '../../shared/ids.ts';
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
  goesIntoDocument,
  messageKey,
  openKey,
  reactKey,
} from './outbox/entry.ts';
import type { Outbox } from './outbox/outbox.ts';
import { type Presence, openPresence } from './presence.ts';
import type { OpenProvider } from './provider.ts';
import { type Replica, type ReplicaStatus, openReplica } from './replica.ts';
import type { OwnEntry } from './rescue/own-entries.ts';
import { makeRescuer } from './rescue/rescuer.ts';
import { type Rescues, makeMemoryRescues } from './rescue/rescues.ts';
import { type SegmentReplica, openSegmentReplica } from './segment-replica.ts';
import { watchStaleEnds } from './stale-ends.ts';
import { turned } from './settle-following.ts';
import type { ReplicaCache } from './storage/replica-cache.ts';

/** A conversation as plain values: its root, its newest segments and what of the own writing is pending. */
export interface ConversationReplica {
  /** `live`: root and open segment are. An end of either is an end. */
  status: () => ReplicaStatus;
  /** All that the first screen needs is here, or was; without a network, what the device holds. */
  isLoaded: () => boolean;
  root: () => Root | null;
  /** Of the open segments, in order of `seq` and without a gap; the same array until one of them changes. */
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
  /** Moves what waits and is this tab's to move. */
  move: () => void;
  /** What ended may be mended: its documents are opened again. */
  beginAnew: () => void;
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
  rescues?: Rescues;
  /** Whether it is this tab that moves an entry. */
  moves: (entry: Entry) => boolean;
  clock: Clock;
  random: RandomBytes;
}

/** Opens a conversation. While it waits to be opened at the server (first contact), it has no documents. */
export function openConversationReplica(id: Uuid, deps: ConversationDeps): ConversationReplica {
  const { me, openProvider, cache, outbox, rescues = makeMemoryRescues(), moves, clock, random } = deps;
  const listeners = new Set<() => void>();
  const segments = new Map<number, SegmentReplica>();
  const join = makeJoined<SegmentMessage>();
  let root: Replica<Root | null> | null = null;
  let loaded = false;
  let closed = false;
  let settling = false;

  const presence = openPresence({ me, clock, onChange: notify });
  const mover = makeMover(outbox, () => ({ id, moves, segments, want: openSegment, open: live() }));
  const rescuer = makeRescuer(() => ({ id, me, outbox, rescues, root, segments, want: openSegment, forget }));
  const departed = makeDeparted({
    clock,
    isHeld: (entryId) => outbox.get(entryId) !== undefined,
    isToGo: (messageId) => outbox.get(changeKey(messageId))?.kind === 'delete',
    isLogged: (messageId) => [...segments.values()].some((segment) => segment.isLogged(messageId)),
    isLive: () => live() !== null && [...segments.values()].every((segment) => segment.status().kind !== 'connecting'),
    onChange: notify,
  });
  const staleEnds = watchStaleEnds({
    clock,
    segments,
    isIn: () => root?.status().kind === 'live',
    reopen(n) {
      segments.get(n)?.close();
      segments.delete(n);
      openSegment(n);
    },
    onChange: settle,
  });
  const endWatch = outbox.subscribe(settle);

  const isUnopened = (): boolean => outbox.get(openKey(id)) !== undefined;
  const openNumber = (): number => root?.content()?.open ?? 0;
  /** The newest that holds anything and those before it, down to the first that is not here: what is older stands behind a gap. */
  function thread(): SegmentReplica[] {
    const here = new Map([...segments].filter(([, segment]) => hasCome(segment)));
    const holding = [...here.values()].filter((segment) => segment.messages().length > 0);
    const found: SegmentReplica[] = [];
    for (let n = Math.max(...(holding.length > 0 ? holding : [...here.values()]).map(({ n }) => n)); here.has(n); n--)
      found.unshift(here.get(n)!);
    return found;
  }
  const oldest = (): number => thread()[0]?.n ?? 0;
  const isReady = (): boolean => !closed && status().kind === 'live' && !rescuer.isBusy();
  const live = (): SegmentReplica | null => (isReady() ? (segments.get(openNumber()) ?? null) : null);
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
    function onRefused(own: readonly OwnEntry[], isRestored: boolean): void {
      // What may be the reason is in the outbox still, and goes from there.
      const others = isRestored ? own : own.filter(({ messageId }) => !outbox.get(changeKey(messageId)));
      rescues.keep(formatDocumentId({ kind: 'segment', conversationId: id, n }), others);
      if (!isRestored) mover.refused(n);
    }
    segments.set(n, openSegmentReplica({ conversationId: id, n, me, openProvider, cache, onChange: settle, onNeutralised, onRefused }));
  }

  /** The server does not have these segments, or (null) none and no root. */
  function forget(ns: readonly number[] | null): void {
    for (const n of ns ?? [...segments.keys()]) {
      segments.get(n)?.abandon();
      segments.delete(n);
    }
    if (ns) return;
    root?.abandon();
    root = null;
  }

  function openWanted(): void {
    if (isUnopened()) {
      // Its end was that there is no such conversation; there will be one.
      if (root?.status().kind === 'ended') {
        root.close();
        root = null;
      }
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

  /** Whoever was taken out writes nothing any more: what waits says so, and can be sent again when they are back. */
  function giveUp(): void {
    const ended = status();
    if (ended.kind !== 'ended' || ended.code !== CLOSE.notMember.code) return;
    const waiting = outbox.of(id).filter((entry) => goesIntoDocument(entry) && moves(entry));
    if (waiting.length > 0)
      outbox.fail(
        waiting.map((entry) => entry.id),
        'refused',
      );
  }

  /** Brings everything that follows from the documents up to date. Its own changes run it again; the outer run takes those in. */
  function settle(): void {
    if (closed || settling) return;
    settling = true;
    rescuer.look();
    openWanted();
    giveUp();
    mover.move();
    departed.look(outbox.placed(id));
    staleEnds.look();
    settling = false;
    notify();
  }

  function status(): ReplicaStatus {
    if (!root) return { kind: 'connecting' };
    if (root.status().kind !== 'live') return root.status();
    return segments.get(openNumber())?.status() ?? { kind: 'connecting' };
  }

  function homeOf(messageId: MessageId): number | null {
    const all = [...segments.values()];
    const isSetIn = (segment: SegmentReplica): boolean => !segment.isShut() && (segment.own(messageId)?.value ?? null) !== null;
    return (all.find((segment) => segment.isLogged(messageId)) ?? all.find(isSetIn))?.n ?? null;
  }

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
    messages: () => join(thread().map((segment) => segment.messages())),
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
      return segments.size > 0 && oldest() !== 1;
    },
    loadOlder: () => openSegment(oldest() - 1),
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
    move: settle,
    beginAnew() {
      root?.close();
      root = null;
      for (const segment of segments.values()) segment.close();
      segments.clear();
      loaded = false;
      settle();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      closed = true;
      endWatch();
      departed.close();
      staleEnds.close();
      presence.close();
      root?.close();
      for (const segment of segments.values()) segment.close();
    },
  };
}
