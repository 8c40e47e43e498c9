import type { Clock, RandomBytes } from '../../shared/clock.ts';
import { type Root, readRoot } from '../../shared/conversation.ts';
import { type MessageId, type Uuid, makeMessageId } from '../../shared/ids.ts';
import type { SegmentMessage } from '../../shared/segment.ts';
import { moveWaiting } from './move-waiting.ts';
import type { Pending, PendingMessage } from './pending.ts';
import { type Presence, openPresence } from './presence.ts';
import type { OpenProvider } from './provider.ts';
import { type ReplicaStatus, openReplica } from './replica.ts';
import { type SegmentReplica, openSegmentReplica } from './segment-replica.ts';

/** A conversation as plain values: its root, its newest segments and what of the own writing is pending. */
export interface ConversationReplica {
  /** `live`: root and open segment are. An end of either is an end. */
  status: () => ReplicaStatus;
  /** All that the first screen needs is here, or was. */
  isLoaded: () => boolean;
  root: () => Root | null;
  /** Of all open segments, in order of `seq`. */
  messages: () => readonly SegmentMessage[];
  /** Own ones that are not in the log, in order of writing. */
  pending: () => readonly PendingMessage[];
  hasOlder: () => boolean;
  /** Opens the segment before the oldest open one, unless that is still loading. */
  loadOlder: () => void;
  send: (body: string) => void;
  retry: (id: MessageId) => void;
  discard: (id: MessageId) => void;
  presence: Presence;
  subscribe: (listener: () => void) => () => void;
  close: () => void;
}

/** With fewer messages than this in the newest segment, the one before it is opened too. */
const FEW = 50;

export interface ConversationDeps {
  me: Uuid;
  openProvider: OpenProvider;
  pending: Pending;
  clock: Clock;
  random: RandomBytes;
}

/** Opens a conversation. Own messages move from `pending` into the open segment when root and segment are live, and leave `pending` when in the log. */
export function openConversationReplica(id: Uuid, { me, openProvider, pending, clock, random }: ConversationDeps): ConversationReplica {
  const listeners = new Set<() => void>();
  const segments = new Map<number, SegmentReplica>();
  /** Segments that told `closed` to a message. */
  const closedTo = new Map<MessageId, number>();
  let loaded = false;
  let closed = false;
  let settling = false;

  const root = openReplica({ documentId: id, openProvider, read: readRoot, onChange: settle });
  const presence = openPresence({ awareness: root.awareness, me, clock, onChange: notify });
  const endWatch = pending.subscribe(settle);

  const openNumber = (): number => root.content()?.open ?? 0;
  const oldest = (): number => Math.min(...segments.keys());
  const isLoadedOrEnded = (segment: SegmentReplica): boolean => segment.status().kind !== 'connecting' || segment.messages().length > 0;

  function notify(): void {
    for (const listener of listeners) listener();
  }

  function openSegment(n: number): void {
    if (n < 1 || segments.has(n)) return;
    const onNeutralised = (messageId: MessageId, code: Parameters<Pending['fail']>[1]): void => {
      if (code === 'closed') closedTo.set(messageId, n);
      else if (code === 'duplicate') pending.remove(messageId);
      else pending.fail(messageId, code);
      settle();
    };
    segments.set(n, openSegmentReplica({ conversationId: id, n, me, openProvider, onChange: settle, onNeutralised }));
  }

  function openWanted(): void {
    const n = openNumber();
    openSegment(n);
    const newest = segments.get(n);
    if (newest?.status().kind === 'live' && newest.messages().length < FEW) openSegment(n - 1);
    loaded ||= newest?.status().kind === 'live' && [...segments.values()].every(isLoadedOrEnded);
  }

  /** Brings everything that follows from the documents up to date. Its own changes run it again; the outer run takes those in. */
  function settle(): void {
    if (closed || settling) return;
    settling = true;
    openWanted();
    moveWaiting({ id, pending, segments, open: status().kind === 'live' ? (segments.get(openNumber()) ?? null) : null, closedTo });
    settling = false;
    notify();
  }

  function status(): ReplicaStatus {
    if (root.status().kind !== 'live') return root.status();
    return segments.get(openNumber())?.status() ?? { kind: 'connecting' };
  }

  return {
    status,
    presence,
    isLoaded: () => loaded,
    root: root.content,
    messages: () => [...segments.values()].sort((a, b) => a.n - b.n).flatMap((segment) => segment.messages()),
    pending: () => pending.of(id),
    hasOlder: () => segments.size > 0 && oldest() > 1,
    loadOlder() {
      const first = segments.get(oldest());
      if (first && isLoadedOrEnded(first)) openSegment(first.n - 1);
    },
    send(body) {
      presence.stopTyping();
      pending.add(id, makeMessageId(clock.now(), random), [body, null, null]);
    },
    retry: pending.retry,
    discard: pending.remove,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      closed = true;
      endWatch();
      presence.close();
      root.close();
      for (const segment of segments.values()) segment.close();
    },
  };
}
