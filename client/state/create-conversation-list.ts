import { type Accessor, createComputed, createMemo, createSignal } from 'solid-js';
import type { Conversation, User } from '../../shared/api.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Uuid } from '../../shared/ids.ts';
import type { SegmentMessage } from '../../shared/segment.ts';
import type { Sync } from '../sync/open-sync.ts';
import { readKey } from '../sync/outbox/entry.ts';
import type { Problem } from './attempt.ts';
import { type ConversationRow, type RowInput, byNewest, isDeclined } from './conversation-row.ts';
import { createChanges } from './create-observed.ts';
import { makeRows } from './make-rows.ts';
import { makeStores } from './make-stores.ts';
import { isSameList } from './places.ts';

export type { ConversationRow } from './conversation-row.ts';

export interface ConversationList {
  /** The newest first, each a store of its own. */
  readonly rows: readonly ConversationRow[];
  /** What strangers ask: apart from the rows, and no part of the count. */
  readonly requests: readonly ConversationRow[];
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

const NONE: readonly SegmentMessage[] = [];

/** The list of conversations: the inbox, what waits to be sent, and what was read here before the server knows. */
export function createConversationList({ sync, me, clock, person }: Options): ConversationList {
  const { inbox, outbox, conversations } = sync;
  const changes = createChanges(sync.subscribe);
  const documents = createChanges(conversations.subscribe);
  const [noted, setNoted] = createSignal<ReadonlyMap<Uuid, number>>(new Map());

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
      const shown = [...inbox.conversations().values()].filter(({ id }) => !isDeclined(outbox.of(id)));
      return [...rowsOf(shown.map(inputOf))].sort(byNewest);
    },
    [],
    { equals: isSameList },
  );

  const storesOf = makeStores<ConversationRow>();
  const [order, setOrder] = createSignal<readonly ConversationRow[]>([], { equals: isSameList });
  // Computed, not an effect: whoever looks at the rows in an effect finds them in step with everything else here.
  createComputed(() => setOrder(storesOf(newest())));
  const listed = createMemo(() => order().filter((row) => !row.isRequest), [], { equals: isSameList });
  const requests = createMemo(() => order().filter((row) => row.isRequest), [], { equals: isSameList });

  return {
    get rows() {
      return listed();
    },
    get requests() {
      return requests();
    },
    row: (id) => order().find((row) => row.id === id),
    readTo,
    isLoaded: createMemo(() => (changes(), sync.isReady() && inbox.isLoaded() && outbox.status() !== 'loading')),
    unread: createMemo(() => listed().reduce((sum, row) => sum + row.unread, 0)),
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
