import { type Accessor, createComputed, createMemo, createSignal } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import type { Conversation, User } from '../../shared/api.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Uuid } from '../../shared/ids.ts';
import type { SegmentMessage } from '../../shared/segment.ts';
import type { Sync } from '../sync/open-sync.ts';
import { readKey } from '../sync/outbox/entry.ts';
import type { Problem } from './attempt.ts';
import { type ConversationRow, type RowInput, byNewest } from './conversation-row.ts';
import { createChanges } from './create-observed.ts';
import { makeRows } from './make-rows.ts';

export type { ConversationRow } from './conversation-row.ts';

export interface ConversationList {
  rows: readonly ConversationRow[];
  /** False until the device or the server has told for the first time. */
  isLoaded: Accessor<boolean>;
  /** The one count of unread messages. */
  unread: Accessor<number>;
  conversation: (id: Uuid) => Conversation | undefined;
  /** How far this person has read, as far as this device knows. */
  readTo: (id: Uuid) => number;
  /** Opens the direct conversation with somebody, with or without a network. */
  openDirect: (userId: Uuid) => Promise<{ id: Uuid } | { problem: Problem }>;
  noteRead: (id: Uuid, seq: number) => void;
}

interface Options {
  sync: Sync;
  me: Uuid;
  clock: Clock;
  /** Somebody that was found or looked at here. */
  person: (userId: Uuid) => User | undefined;
}

const NONE: readonly SegmentMessage[] = [];

/** The list of conversations: the inbox, what waits to be sent, and what was read here before the server knows. */
export function createConversationList({ sync, me, clock, person }: Options): ConversationList {
  const { inbox, outbox, conversations } = sync;
  const changes = createChanges(sync.subscribe);
  const documents = createChanges(conversations.subscribe);
  const [noted, setNoted] = createSignal<ReadonlyMap<Uuid, number>>(new Map());
  const [rows, setRows] = createStore<ConversationRow[]>([]);

  function readTo(id: Uuid): number {
    changes();
    const entry = outbox.get(readKey(id));
    return Math.max(noted().get(id) ?? 0, inbox.conversations().get(id)?.lastReadSeq ?? 0, entry?.kind === 'read' ? entry.seq : 0);
  }

  const rowsOf = makeRows();
  function inputOf(conversation: Conversation): RowInput {
    const { id } = conversation;
    const messages = conversations.replicas().get(id)?.messages() ?? NONE;
    return { conversation, me, messages, readTo: readTo(id), entries: outbox.of(id), now: clock.now() };
  }
  // Most of what happens in documents changes no row.
  const newest = createMemo(
    () => {
      changes();
      documents();
      return [...rowsOf([...inbox.conversations().values()].map(inputOf))].sort(byNewest);
    },
    [],
    { equals: (a, b) => a.length === b.length && a.every((row, i) => row === b[i]) },
  );

  createComputed(() => setRows(reconcile(newest(), { key: 'id' })));

  return {
    rows,
    readTo,
    isLoaded: createMemo(() => (changes(), sync.isReady() && inbox.isLoaded() && outbox.status() !== 'loading')),
    unread: createMemo(() => rows.reduce((sum, row) => sum + row.unread, 0)),
    conversation: (id) => (changes(), inbox.conversations().get(id)),
    async openDirect(userId) {
      const known =
        person(userId) ?? [...inbox.conversations().values()].flatMap(({ members }) => members).find((member) => member.id === userId);
      if (!known) return { problem: { words: 'This person is not known here.', fields: new Map() } };
      return { id: await sync.openDirect(known) };
    },
    noteRead(id, seq) {
      if (seq > (noted().get(id) ?? 0)) setNoted((before) => new Map(before).set(id, seq));
    },
  };
}
