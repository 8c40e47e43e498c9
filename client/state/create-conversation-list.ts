import { type Accessor, createComputed, createMemo, createSignal } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import type { Conversation, User } from '../../shared/api.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Uuid } from '../../shared/ids.ts';
import type { Sync } from '../sync/open-sync.ts';
import { readKey } from '../sync/outbox/entry.ts';
import type { Problem } from './attempt.ts';
import { type ConversationRow, asRow, byNewest, isDeclined } from './conversation-row.ts';
import { createChanges } from './create-observed.ts';

export type { ConversationRow } from './conversation-row.ts';

export interface ConversationList {
  rows: readonly ConversationRow[];
  /** What strangers ask: apart from the rows, and no part of the count. */
  requests: readonly ConversationRow[];
  row: (id: Uuid) => ConversationRow | undefined;
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
  accept: (id: Uuid) => void;
  /** Takes a request off the list: a direct one until its next message, a group for good. */
  decline: (id: Uuid) => void;
}

interface Options {
  sync: Sync;
  me: Uuid;
  clock: Clock;
  /** Somebody that was found or looked at here. */
  person: (userId: Uuid) => User | undefined;
}

/** The list of conversations: the inbox, what waits to be sent, and what was read here before the server knows. */
export function createConversationList({ sync, me, clock, person }: Options): ConversationList {
  const { inbox, outbox, conversations } = sync;
  const changes = createChanges(sync.subscribe);
  const documents = createChanges(conversations.subscribe);
  const [noted, setNoted] = createSignal<ReadonlyMap<Uuid, number>>(new Map());
  const [rows, setRows] = createStore<ConversationRow[]>([]);
  const [requests, setRequests] = createStore<ConversationRow[]>([]);

  function readTo(id: Uuid): number {
    changes();
    const entry = outbox.get(readKey(id));
    return Math.max(noted().get(id) ?? 0, inbox.conversations().get(id)?.lastReadSeq ?? 0, entry?.kind === 'read' ? entry.seq : 0);
  }

  function rowOf(conversation: Conversation): ConversationRow {
    const { id } = conversation;
    const messages = conversations.replicas().get(id)?.messages() ?? [];
    return asRow({ conversation, me, messages, readTo: readTo(id), entries: outbox.of(id), now: clock.now() });
  }

  createComputed(() => {
    changes();
    documents();
    const listed = [...inbox.conversations().values()].filter(({ id }) => !isDeclined(outbox.of(id)));
    const all = listed.map(rowOf).sort(byNewest);
    setRows(
      reconcile(
        all.filter((row) => !row.isRequest),
        { key: 'id' },
      ),
    );
    setRequests(
      reconcile(
        all.filter((row) => row.isRequest),
        { key: 'id' },
      ),
    );
  });

  return {
    rows,
    requests,
    row: (id) => rows.find((row) => row.id === id) ?? requests.find((row) => row.id === id),
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
    accept: (id) => outbox.answer(id, 'accept'),
    decline: (id) => outbox.answer(id, inbox.conversations().get(id)?.kind === 'group' ? 'leave' : 'hide'),
  };
}
