import { type Accessor, batch, createComputed, createEffect, createMemo, createSignal, on, onCleanup } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import type { Clock } from '../../shared/clock.ts';
import { CLOSE } from '../../shared/close-codes.ts';
import type { MessageId, Uuid } from '../../shared/ids.ts';
import type { ConversationReplica } from '../sync/conversation-replica.ts';
import { type Announcement, createAnnouncements } from './create-announcements.ts';
import { type ThreadMessage, projectThread } from './thread.ts';

/** How far an own message has come. `sending`: in this tab's memory; `kept`: on this device, come what may. */
export type Mark = 'sending' | 'kept' | 'sent' | 'delivered' | 'read' | 'failed';

export interface ConversationView {
  messages: readonly ThreadMessage[];
  /** Of all messages, in their order: another array only when one of them came, went or moved. */
  ids: Accessor<readonly MessageId[]>;
  indexOf: (id: MessageId) => number | undefined;
  /** How many messages there are before the first of `ids`, as far as their numbers tell. */
  countBefore: Accessor<number>;
  /** Own ones that wait to be sent. */
  waiting: Accessor<number>;
  /** The first screen is complete. */
  isLoaded: Accessor<boolean>;
  isLive: Accessor<boolean>;
  /** Why this conversation takes part no more, in words. */
  ended: Accessor<string | null>;
  typing: Accessor<readonly Uuid[]>;
  hasOlder: Accessor<boolean>;
  /** The seqs of others' messages after the read position. */
  unread: Accessor<readonly number[]>;
  firstUnread: Accessor<MessageId | null>;
  /** There may be more of them among messages that are not loaded. */
  hasOlderUnread: Accessor<boolean>;
  /** What a screen reader is to hear next. */
  announcement: Accessor<Announcement | null>;
  mark: (message: ThreadMessage) => Mark;
  send: (text: string) => void;
  /** Changes an own message, sent or not. */
  edit: (id: MessageId, text: string) => void;
  /** Deletes an own message, sent or not. */
  remove: (id: MessageId) => void;
  retry: (id: MessageId) => void;
  discard: (id: MessageId) => void;
  loadOlder: () => void;
  typed: () => void;
  /** All up to `seq` was on the screen, in front of somebody. */
  markRead: (seq: number) => void;
}

interface Options {
  replica: ConversationReplica;
  me: Uuid;
  clock: Clock;
  /** Where reading ended at the server when the conversation was opened. */
  readTo: number;
  others: Accessor<readonly { id: Uuid; displayName: string }[]>;
  /** Visible, and with the focus. */
  isAttended: Accessor<boolean>;
  onRead: (seq: number) => void;
}

const same = <T>(a: readonly T[], b: readonly T[]): boolean => a.length === b.length && a.every((item, i) => item === b[i]);

const wordsFor = (code: number): string =>
  Object.values(CLOSE).find((close) => close.code === code)?.means ?? 'This conversation was closed by the server.';

/** One conversation: its replica as a fine-grained store, keyed by message id. */
export function createConversation(options: Options): ConversationView {
  const { replica, me, clock, others, isAttended, onRead } = options;
  const [messages, setMessages] = createStore<ThreadMessage[]>([]);
  const [ids, setIds] = createSignal<readonly MessageId[]>([], { equals: same });
  const [waiting, setWaiting] = createSignal(0);
  const [changes, setChanges] = createSignal(0);
  const [readTo, setReadTo] = createSignal(options.readTo);
  const [unreadAfter, setUnreadAfter] = createSignal<number | null>(options.readTo);
  const observed = <T>(read: () => T): Accessor<T> => createMemo(() => (changes(), read()));
  const observedList = <T>(read: () => readonly T[]): Accessor<readonly T[]> => createMemo(() => (changes(), read()), [], { equals: same });

  onCleanup(replica.subscribe(() => setChanges((n) => n + 1)));
  onCleanup(replica.presence.stopTyping);

  const logged = observedList(replica.messages);
  const pending = observedList(replica.pending);
  const lastSeq = createMemo(() => logged().at(-1)?.seq ?? 0);
  const isLoaded = observed(replica.isLoaded);
  const ended = observed(() => {
    const status = replica.status();
    return status.kind === 'ended' ? wordsFor(status.code) : null;
  });
  const positions = (of: (userId: Uuid) => number): Accessor<number> =>
    createMemo(() => (changes(), Math.max(0, ...others().map(({ id }) => of(id)))));
  const othersRead = positions(replica.presence.read);
  const othersDelivered = positions(replica.presence.delivered);

  // A divider belongs to those who come back: not to arrivals before the reader's eyes (C4.2).
  createEffect(
    on(lastSeq, (now, before) => {
      if (before !== undefined && before > 0 && now > before) {
        if (!isAttended() && readTo() >= before) setUnreadAfter(before);
      }
      return now;
    }),
  );
  // Computed, not an effect: whoever looks at `messages` in an effect finds them in step with everything else here.
  createComputed(() => {
    changes();
    const { changeOf, isKept } = replica;
    const rows = projectThread({
      messages: logged(),
      pending: pending(),
      changeOf,
      isKept,
      me,
      now: clock.now(),
      unreadAfter: unreadAfter(),
    });
    setMessages(reconcile(rows, { key: 'id' }));
    setIds(rows.map(({ id }) => id));
    setWaiting(rows.filter(({ seq, failure }) => seq === null && !failure).length);
  });
  const indexes = createMemo(() => new Map(ids().map((id, i) => [id, i])));
  const hasOlder = observed(replica.hasOlder);
  const unread = createMemo(() => logged().filter(({ seq, authorId, body }) => seq > readTo() && authorId !== me && body !== null));
  const firstSeq = createMemo(() => logged()[0]?.seq ?? 1);

  function markRead(seq: number): void {
    if (seq <= readTo()) return;
    setReadTo(seq);
    replica.markRead(seq);
    onRead(seq);
  }

  return {
    messages,
    ids,
    waiting,
    hasOlder,
    indexOf: (id) => indexes().get(id),
    countBefore: () => firstSeq() - 1,
    isLoaded,
    ended,
    markRead,
    isLive: observed(() => replica.status().kind === 'live'),
    typing: observedList(replica.presence.typing),
    unread: createMemo(() => unread().map(({ seq }) => seq)),
    firstUnread: () => unread()[0]?.id ?? null,
    hasOlderUnread: createMemo(() => hasOlder() && firstSeq() > readTo() + 1),
    announcement: createAnnouncements({ messages: logged, isLoaded, me, clock, others }),
    mark(message) {
      if (message.failure) return 'failed';
      if (message.seq === null) return message.isKept ? 'kept' : 'sending';
      if (message.seq <= othersRead()) return 'read';
      return message.seq <= othersDelivered() ? 'delivered' : 'sent';
    },
    send: (text) =>
      batch(() => {
        setUnreadAfter(null);
        markRead(lastSeq());
        replica.send(text);
      }),
    edit: replica.edit,
    remove: replica.remove,
    retry: replica.retry,
    discard: replica.discard,
    loadOlder: replica.loadOlder,
    typed: replica.presence.typed,
  };
}
