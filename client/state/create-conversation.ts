import { type Accessor, batch, createComputed, createEffect, createMemo, createSignal, on, onCleanup } from 'solid-js';
import type { Clock } from '../../shared/clock.ts';
import { CLOSE } from '../../shared/close-codes.ts';
import type { MessageId, Uuid } from '../../shared/ids.ts';
import type { ConversationReplica } from '../sync/conversation-replica.ts';
import { type Announcement, createAnnouncements } from './create-announcements.ts';
import { makeStores } from './make-stores.ts';
import { othersAfter } from './messages-after.ts';
import { type Places, isSameList, makePlaces } from './places.ts';
import { makeReactions } from './reactions.ts';
import { type ThreadMessage, projectThread } from './thread.ts';

/** How far an own message has come. `sending`: in this tab's memory; `kept`: on this device, come what may. */
export type Mark = 'sending' | 'kept' | 'sent' | 'delivered' | 'read' | 'failed';

export interface ConversationView {
  /** The messages at these indexes, each a store, in step with `ids`; none but these are worked on when something changes (C5.9). */
  window: (indexes: Accessor<readonly number[]>) => Accessor<readonly ThreadMessage[]>;
  /** One message as it is now. */
  at: (index: number) => ThreadMessage | undefined;
  /** The newest message of which this holds. */
  last: (test: (message: ThreadMessage) => boolean) => ThreadMessage | undefined;
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
  /** Turns this person's reaction on or off; false where they have as many as one may. */
  react: (id: MessageId, emoji: string, isOn: boolean) => boolean;
  /** Forgets a change of reactions that failed. */
  discardReactions: (id: MessageId) => void;
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
  /** How many messages of others were unread then, loaded or not. */
  unreadCount: number;
  others: Accessor<readonly { id: Uuid; displayName: string }[]>;
  /** Visible, and with the focus. */
  isAttended: Accessor<boolean>;
  onRead: (seq: number) => void;
}

const wordsFor = (code: number): string =>
  Object.values(CLOSE).find((close) => close.code === code)?.means ?? 'This conversation was closed by the server.';

/** One conversation: its replica as a fine-grained store, keyed by message id. */
export function createConversation(options: Options): ConversationView {
  const { replica, me, clock, others, isAttended, onRead } = options;
  const [changes, setChanges] = createSignal(0);
  const [readTo, setReadTo] = createSignal(options.readTo);
  const [unreadAfter, setUnreadAfter] = createSignal<number | null>(options.readTo);
  const observed = <T>(read: () => T): Accessor<T> => createMemo(() => (changes(), read()));
  const observedList = <T>(read: () => readonly T[]): Accessor<readonly T[]> =>
    createMemo(() => (changes(), read()), [], { equals: isSameList });

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
  const reactionsTo = makeReactions(me, replica.reactionsOf);
  const loggedIds = createMemo(() => logged().map(({ id }) => id), [], { equals: isSameList });
  const loggedPlaces = createMemo<Places>((places) => places.follow(loggedIds()), makePlaces(), { equals: false });
  const thread = createMemo(() => {
    changes();
    return projectThread({
      messages: logged(),
      pending: pending(),
      isLogged: (id) => loggedPlaces().of(id) !== undefined,
      changeOf: replica.changeOf,
      isKept: replica.isKept,
      reactionsTo,
      me,
      now: clock.now(),
      unreadAfter: unreadAfter(),
    });
  });
  const ids = createMemo<readonly MessageId[]>(() => [...loggedIds(), ...thread().pending], [], { equals: isSameList });
  const places = createMemo<Places>((before) => before.follow(ids()), makePlaces(), { equals: false });
  const hasOlder = observed(replica.hasOlder);
  const unread = createMemo(() => othersAfter(logged(), readTo(), me));
  const firstSeq = createMemo(() => logged()[0]?.seq ?? 1);
  const hasOlderUnread = createMemo(() => hasOlder() && firstSeq() > readTo() + 1 && unread().length < options.unreadCount);
  // Who had nothing to catch up with gets no divider before the first arrival.
  createEffect(on(isLoaded, (loaded) => loaded && unread().length === 0 && !hasOlderUnread() && setUnreadAfter(null)));

  function window(indexes: Accessor<readonly number[]>): Accessor<readonly ThreadMessage[]> {
    const storesOf = makeStores<ThreadMessage>();
    const [rows, setRows] = createSignal<readonly ThreadMessage[]>([], { equals: isSameList });
    // Computed, not an effect: whoever looks at the rows in an effect finds them in step with everything else here.
    createComputed(() => setRows(storesOf(indexes().flatMap((index) => thread().at(index) ?? []))));
    return rows;
  }
  function last(test: (message: ThreadMessage) => boolean): ThreadMessage | undefined {
    for (let index = ids().length - 1; index >= 0; index--) {
      const message = thread().at(index);
      if (message && test(message)) return message;
    }
    return undefined;
  }
  function markRead(seq: number): void {
    if (seq <= readTo()) return;
    setReadTo(seq);
    replica.markRead(seq);
    onRead(seq);
  }

  return {
    window,
    last,
    ids,
    hasOlder,
    at: (index) => thread().at(index),
    waiting: createMemo(() => thread().waiting),
    indexOf: (id) => places().of(id),
    countBefore: () => firstSeq() - 1,
    isLoaded,
    ended,
    markRead,
    isLive: observed(() => replica.status().kind === 'live'),
    typing: observedList(replica.presence.typing),
    unread: createMemo(() => unread().map(({ seq }) => seq)),
    firstUnread: () => unread()[0]?.id ?? null,
    hasOlderUnread,
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
    react: replica.react,
    discardReactions: replica.discardReactions,
    loadOlder: replica.loadOlder,
    typed: replica.presence.typed,
  };
}
