import type { Clock } from '../../../shared/clock.ts';
import { type MessageId, type Uuid, messageTime } from '../../../shared/ids.ts';
import type { MessageValue } from '../../../shared/segment.ts';
import * as by from './entry.ts';
import { type Decide, type Entry, answerKey, blockKey, changeKey, messageKey, openKey, privateKey, reactKey, readKey } from './entry.ts';
import { type LoggedMessage, logged, react, setPrivate } from './following.ts';
import { type Job, inOrder } from './in-order.ts';
import { inTime } from './in-time.ts';
import { type OutboxStore, pick } from './outbox-store.ts';

/** `memory`: the device does not keep what is written; it is sent all the same while this tab lives. */
export type OutboxStatus = 'loading' | 'kept' | 'memory';

/** Own changes until the server acknowledges them: the only truth about what is pending. */
export interface Outbox {
  status: () => OutboxStatus;
  /** All of them, in the order of writing. */
  entries: () => readonly Entry[];
  /** One conversation's; the same array until it changes. */
  of: (conversationId: Uuid) => readonly Entry[];
  /** Its messages that may have left. */
  placed: (conversationId: Uuid) => readonly by.MessageEntry[];
  /** Those that have entries. */
  conversations: () => Iterable<Uuid>;
  get: (id: string) => Entry | undefined;
  /** The device holds it as it is here: the transaction is complete. */
  isKept: (id: string) => boolean;
  /** The device has never held it: no other tab can know of it. */
  isOnlyHere: (id: string) => boolean;
  open: (conversationId: Uuid, userId: Uuid) => void;
  send: (conversationId: Uuid, id: MessageId, value: MessageValue) => void;
  edit: (conversationId: Uuid, id: MessageId, n: number | null, body: string) => void;
  remove: (conversationId: Uuid, id: MessageId, n: number | null) => void;
  /** Sends again what was sent, and the server lost: before all that was written later. */
  offer: (conversationId: Uuid, messages: readonly { messageId: MessageId; value: MessageValue }[]) => void;
  read: (conversationId: Uuid, seq: number) => void;
  answer: (conversationId: Uuid, answer: by.Answer) => void;
  block: (conversationId: Uuid, userId: Uuid, isBlocked: boolean) => void;
  retry: (ids: readonly string[]) => void;
  fail: (ids: readonly string[], code: by.Failure) => void;
  /** Done: each leaves if nobody has changed it meanwhile. */
  done: (entries: readonly Entry[]) => void;
  /** Says durably that these may have left. Calls back when that is written, or cannot be. */
  claim: (ids: readonly string[], claimed: () => void) => void;
  /** The same for what others may write over, with the struct by which it is about to be set. */
  leave: (entry: by.LeavingEntry, left: by.StructId & { n: number }, claimed: () => void) => void;
  /** Turns this person's reaction to a message on or off. `isKnown`: what there is is known here, and this changes it. */
  react: (conversationId: Uuid, id: MessageId, n: number | null, toggle: by.Toggle, isKnown?: boolean) => void;
  /** Sets a value of this person's private document. */
  set: (owner: Uuid, key: string, value: by.PrivateValue) => void;
  /** These messages are in the log of segment `n`: they leave, and what follows them knows where to go. */
  logged: (messages: readonly LoggedMessage[], n: number) => void;
  /** The device has lost all that it held: what is here is written again. */
  keepAgain: () => void;
  subscribe: (listener: () => void) => () => void;
  close: () => void;
}

/** The other tabs of this account. */
export interface Siblings {
  tell: (ids: readonly string[]) => void;
  /** Calls `listener` with the ids that another tab has changed. */
  listen: (listener: (ids: readonly string[]) => void) => () => void;
}

export const NO_SIBLINGS: Siblings = { tell: () => {}, listen: () => () => {} };

interface Deps {
  store: OutboxStore;
  siblings: Siblings;
  clock: Clock;
}

interface Group {
  entries: Map<string, Entry>;
  placed: Map<string, by.MessageEntry>;
  sorted: readonly Entry[] | null;
}

const TRY_AGAIN_MS = 1_000;
const NONE: readonly Entry[] = [];
const NO_CHANGE: Decide = () => new Map();

/** Opens the outbox. Every change shows at once; it is written, then told to the other tabs. */
export function openOutbox({ store, siblings, clock }: Deps): Outbox {
  const held = new Map<string, Entry>();
  let sorted: readonly Entry[] | null = null;
  const byConversation = new Map<Uuid, Group>();
  /** How many transactions are under way for an id: only the last one's result is taken. */
  const underway = new Map<string, number>();
  /** What the device does not hold as it is here. */
  const unkept = new Map<string, Entry | null>();
  /** What the device held of that, as far as this tab knew. */
  const bases = new Map<string, Entry>();
  /** What the device has held. */
  const onDevice = new Set<string>();
  /** What another tab has changed and could not be read. */
  const unread = new Set<string>();
  const listeners = new Set<() => void>();
  let isLoaded = false;
  let status: OutboxStatus = 'loading';
  /** Of the newest entry held, and of the newest one written here. */
  let order = 0;
  let written = 0;
  let closed = false;
  let cancelRetry: (() => void) | null = null;
  let waiting: Job[] = [];
  let isWriting = false;

  const notify = (): void => listeners.forEach((listener) => listener());

  function take(id: string, entry: Entry | null): void {
    const before = held.get(id);
    const conversationId = (entry ?? before)?.conversationId;
    if (conversationId === undefined) return;
    const group = byConversation.get(conversationId) ?? {
      entries: new Map<string, Entry>(),
      placed: new Map<string, by.MessageEntry>(),
      sorted: null,
    };
    byConversation.set(conversationId, group);
    const isNewest = entry !== null && !before && entry.order > order;
    group.sorted = isNewest && group.sorted ? [...group.sorted, entry] : null;
    sorted = isNewest && sorted ? [...sorted, entry] : null;
    if (entry?.kind === 'message' && entry.placed) group.placed.set(id, entry);
    else group.placed.delete(id);
    if (entry) {
      held.set(id, entry);
      group.entries.set(id, entry);
      order = Math.max(order, entry.order);
    } else {
      held.delete(id);
      group.entries.delete(id);
      if (group.entries.size === 0) byConversation.delete(conversationId);
    }
  }

  /** Has a change written. Never rejects. What comes while a transaction is under way goes with the next one, all in one. */
  function write(ids: readonly string[], decide: Decide, here: by.Changes, base: ReadonlyMap<string, Entry>): Promise<void> {
    for (const id of ids) underway.set(id, (underway.get(id) ?? 0) + 1);
    return new Promise((written) => {
      waiting.push({ ids, decide, here, base, written });
      if (!isWriting) void writeAll();
    });
  }

  async function writeAll(): Promise<void> {
    isWriting = true;
    while (waiting.length > 0 && !closed) {
      const jobs = waiting;
      waiting = [];
      const ids = [...new Set([...jobs.flatMap((job) => job.ids), ...unkept.keys()])];
      const outcome = await inTime(clock, store.change(ids, inOrder(jobs, { here: new Map(unkept), base: new Map(bases) }))).catch(
        () => null,
      );
      if (closed) return;
      settle(jobs, ids, outcome);
      for (const job of jobs) job.written();
    }
    isWriting = false;
  }

  function settle(jobs: readonly Job[], ids: readonly string[], outcome: by.Changes | null): void {
    for (const id of jobs.flatMap((job) => job.ids)) {
      const left = underway.get(id)! - 1;
      if (left > 0) underway.set(id, left);
      else underway.delete(id);
    }
    if (!outcome)
      for (const { here, base } of jobs)
        for (const [id, entry] of here) {
          const before = base.get(id);
          if (before && !unkept.has(id)) bases.set(id, before);
          unkept.set(id, entry);
        }
    else
      for (const id of ids) {
        unkept.delete(id);
        bases.delete(id);
        note(id, outcome.get(id) ?? null);
        if (!underway.has(id)) take(id, outcome.get(id) ?? null);
      }
    if (outcome) siblings.tell(ids);
    judge(outcome !== null);
  }

  function note(id: string, entry: Entry | null): void {
    if (entry) onDevice.add(id);
    else onDevice.delete(id);
  }

  /** `kept` is what has been read and written, all of it. */
  function judge(hasWorked: boolean): void {
    const isKept = hasWorked && isLoaded && unkept.size === 0 && unread.size === 0;
    if (status !== 'loading') status = isKept ? 'kept' : 'memory';
    if (!isKept && status !== 'loading') cancelRetry ??= clock.after(TRY_AGAIN_MS, tryAgain);
    notify();
  }

  function tryAgain(): void {
    cancelRetry = null;
    if (!isLoaded) void load();
    const ids = [...unread];
    unread.clear();
    if (ids.length > 0) void reread(ids);
    // Also where nothing is to be written: it tells whether the device answers.
    void write([], NO_CHANGE, new Map(), new Map());
  }

  function change(ids: readonly string[], decide: Decide): Promise<void> {
    const base = pick(ids, (key) => held.get(key));
    const here = decide(base);
    for (const [id, entry] of here) take(id, entry);
    const isWritten = write(ids, decide, here, base);
    notify();
    return isWritten;
  }

  async function load(): Promise<void> {
    const found = await inTime(clock, store.load()).catch(() => null);
    if (closed) return;
    for (const entry of found ?? []) {
      onDevice.add(entry.id);
      if (!underway.has(entry.id) && !unkept.has(entry.id)) take(entry.id, entry);
    }
    // A tab may have ended between its last write and telling of it.
    if (found && found.length > 0) siblings.tell(found.map(({ id }) => id));
    isLoaded = found !== null;
    if (status === 'loading') status = 'memory';
    judge(isLoaded);
  }

  const unlisten = siblings.listen((ids) => void reread(ids));
  async function reread(ids: readonly string[]): Promise<void> {
    const outcome = await inTime(clock, store.change(ids, NO_CHANGE)).catch(() => null);
    if (closed) return;
    for (const [id, entry] of outcome ?? []) {
      note(id, entry);
      if (!underway.has(id) && !unkept.has(id)) take(id, entry);
    }
    if (!outcome) for (const id of ids) unread.add(id);
    judge(outcome !== null);
  }

  const common = (id: string, conversationId: Uuid) => {
    written = Math.max(written, order) + 1;
    written = Math.max(written, clock.now() * 1_000);
    return { id, conversationId, order: written, at: clock.now(), state: { kind: 'waiting' } as const };
  };
  const isElsewhere = (id: string): boolean => status === 'memory' && onDevice.has(id);
  function known(messageId: MessageId): by.Known {
    const id = messageKey(messageId);
    const entry = held.get(id);
    return {
      // Another tab may send it at any moment, and this one could not say that it has changed.
      isElsewhere: isElsewhere(id),
      isUnsent: entry?.kind === 'message' && !entry.placed,
      isToGo: held.get(changeKey(messageId))?.kind === 'delete',
    };
  }
  /** With a message what is to become of it. */
  function withChange(id: string): string[] {
    const entry = held.get(id);
    return entry?.kind === 'message' ? [id, changeKey(entry.messageId)] : [id];
  }
  const add = (entry: Entry): void => void change([entry.id], by.put(entry));
  function of(conversationId: Uuid): readonly Entry[] {
    const group = byConversation.get(conversationId);
    return group ? (group.sorted ??= [...group.entries.values()].sort((a, b) => a.order - b.order)) : NONE;
  }

  void load();

  return {
    of,
    placed: (conversationId) => [...(byConversation.get(conversationId)?.placed.values() ?? [])],
    status: () => status,
    conversations: () => byConversation.keys(),
    get: (id) => held.get(id),
    isKept: (id) => held.has(id) && !underway.has(id) && !unkept.has(id),
    isOnlyHere: (id) => held.has(id) && unkept.has(id) && !onDevice.has(id),
    entries: () => (sorted ??= [...held.values()].sort((a, b) => a.order - b.order)),
    open: (id, userId) => add({ ...common(openKey(id), id), kind: 'open', userId }),
    send: (id, messageId, value) => add({ ...common(messageKey(messageId), id), kind: 'message', messageId, value, placed: false }),
    offer(id, messages) {
      const offered = messages.map(({ messageId, value }, i): Entry => {
        const at = messageTime(messageId);
        const key = messageKey(messageId);
        // Another device may bring it, too: it may have left already.
        return { ...common(key, id), at, order: at * 1_000 + i, kind: 'message', messageId, value, placed: true };
      });
      for (const entry of offered) add(entry);
    },
    read: (id, seq) => add({ ...common(readKey(id), id), kind: 'read', seq }),
    answer: (id, answer) => add({ ...common(answerKey(id), id), kind: 'answer', answer }),
    block: (id, userId, isBlocked) => add({ ...common(blockKey(userId), id), kind: 'block', userId, isBlocked }),
    edit: (id, messageId, n, body) =>
      void change(
        [messageKey(messageId), changeKey(messageId)],
        by.edit({ ...common(changeKey(messageId), id), kind: 'edit', messageId, n, body }, known(messageId)),
      ),
    react: (id, messageId, n, toggle, isKnown = true) =>
      void change(
        [reactKey(messageId)],
        react(
          { ...common(reactKey(messageId), id), kind: 'react', messageId, n, toggles: [toggle] },
          !isKnown || isElsewhere(reactKey(messageId)),
        ),
      ),
    set: (owner, key, value) =>
      void change([privateKey(key)], setPrivate({ ...common(privateKey(key), owner), kind: 'private', key, value })),
    logged: (messages, n) =>
      void change(
        messages.flatMap(({ entry: { id, messageId, placed } }) => {
          const following = [changeKey(messageId), reactKey(messageId)];
          return [id, ...(placed ? following.filter((key) => held.has(key)) : following)];
        }),
        logged(messages, n),
      ),
    remove: (id, messageId, n) =>
      void change(
        [messageKey(messageId), changeKey(messageId), reactKey(messageId)],
        by.remove({ ...common(changeKey(messageId), id), kind: 'delete', messageId, n }, known(messageId)),
      ),
    retry: (ids) => void change(ids, by.retry),
    fail: (ids, code) => void change(ids.flatMap(withChange), by.fail(ids, code)),
    done: (entries) =>
      void change(
        entries.map(({ id }) => id),
        by.drop(entries),
      ),
    claim: (ids, claimed) => void change(ids, by.claim).then(claimed),
    leave: (entry, left, claimed) => void change([entry.id], by.leave(entry, left)).then(claimed),
    keepAgain() {
      onDevice.clear();
      bases.clear();
      for (const [id, entry] of held) unkept.set(id, entry);
      void write([], NO_CHANGE, new Map(), new Map());
      judge(false);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      closed = true;
      unlisten();
      cancelRetry?.();
      listeners.clear();
    },
  };
}
