import { type Accessor, createComputed, createEffect, createMemo, createSignal, onCleanup } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import type { Conversation } from '../../shared/api.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Uuid } from '../../shared/ids.ts';
import { type Api, ApiError } from '../sync/api.ts';
import { type Problem, asProblem } from './attempt.ts';

/** One row of the list. */
export interface ConversationRow {
  id: Uuid;
  /** The other person's name, or the group's. */
  name: string;
  /** Whose gradient the avatar has. */
  avatarId: Uuid;
  /** The other person of a direct conversation. */
  handle: string | null;
  preview: string | null;
  /** Null: there is no message yet. */
  lastAt: number | null;
  unread: number;
}

export interface ConversationList {
  rows: readonly ConversationRow[];
  /** False until the server answered for the first time. */
  isLoaded: Accessor<boolean>;
  /** Whether the last question reached the server. */
  isReached: Accessor<boolean>;
  unread: Accessor<number>;
  conversation: (id: Uuid) => Conversation | undefined;
  refresh: () => Promise<void>;
  /** Opens the direct conversation with somebody. */
  openDirect: (userId: Uuid) => Promise<{ id: Uuid } | { problem: Problem }>;
  /** This person has read so far, here and now; the server's count may come later. */
  noteRead: (id: Uuid, seq: number) => void;
}

interface Options {
  api: Api;
  me: Uuid;
  clock: Clock;
  /** Somebody can see it, and there may be a network. */
  isWorthwhile: Accessor<boolean>;
  /** The session is over. */
  onSignedOut: () => void;
}

const POLL_MS = 3_000;

const nameOf = (conversation: Conversation, me: Uuid): Pick<ConversationRow, 'name' | 'avatarId' | 'handle'> => {
  const other = conversation.members.find((member) => member.id !== me);
  if (conversation.kind === 'group' || !other)
    return { name: conversation.title ?? 'Conversation', avatarId: conversation.id, handle: null };
  return { name: other.displayName, avatarId: other.id, handle: other.handle };
};

/** What a row shows of a conversation of which `readTo` was read here. */
export function asRow(conversation: Conversation, me: Uuid, readTo: number): ConversationRow {
  const { id, lastMessage, unreadCount } = conversation;
  const preview = lastMessage && (lastMessage.preview ?? 'Message deleted');
  return {
    id,
    ...nameOf(conversation, me),
    preview: lastMessage?.senderId === me ? `You: ${preview}` : preview,
    lastAt: lastMessage && Date.parse(lastMessage.sentAt),
    unread: lastMessage && readTo >= lastMessage.seq ? 0 : unreadCount,
  };
}

/** The list of conversations, asked for every few seconds while somebody can see it, and after own actions. */
export function createConversationList({ api, me, clock, isWorthwhile, onSignedOut }: Options): ConversationList {
  const [conversations, setConversations] = createSignal<readonly Conversation[]>([]);
  const [isLoaded, setLoaded] = createSignal(false);
  const [isReached, setReached] = createSignal(true);
  const [readTo, setReadTo] = createSignal<ReadonlyMap<Uuid, number>>(new Map());
  const [rows, setRows] = createStore<ConversationRow[]>([]);
  let asked = 0;
  let stopped = false;

  async function refresh(): Promise<void> {
    const question = ++asked;
    try {
      const answer = await api.conversations();
      if (question !== asked || stopped) return;
      setConversations(answer);
      setLoaded(true);
      setReached(true);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (stopped) return;
      setReached(error.status !== 0);
      if (error.status === 401) onSignedOut();
    }
  }

  createEffect(() => {
    if (!isWorthwhile()) return;
    let cancel = (): void => {};
    let ended = false;
    const poll = (): void =>
      void refresh().finally(() => {
        if (!ended) cancel = clock.after(POLL_MS, poll);
      });
    poll();
    onCleanup(() => {
      ended = true;
      cancel();
    });
  });
  onCleanup(() => (stopped = true));

  createComputed(() =>
    setRows(
      reconcile(
        conversations().map((one) => asRow(one, me, readTo().get(one.id) ?? 0)),
        { key: 'id' },
      ),
    ),
  );

  return {
    rows,
    isLoaded,
    isReached,
    refresh,
    unread: createMemo(() => rows.reduce((sum, row) => sum + row.unread, 0)),
    conversation: (id) => conversations().find((one) => one.id === id),
    async openDirect(userId) {
      try {
        const opened = await api.openDirect(userId);
        asked += 1;
        setConversations((before) => (before.some(({ id }) => id === opened.id) ? before : [opened, ...before]));
        return { id: opened.id };
      } catch (error) {
        return { problem: asProblem(error) };
      }
    },
    noteRead(id, seq) {
      if (seq > (readTo().get(id) ?? 0)) setReadTo((before) => new Map(before).set(id, seq));
    },
  };
}
