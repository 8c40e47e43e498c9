import { type Accessor, createComputed, createMemo } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import type { Uuid } from '../../shared/ids.ts';
import type { Sync } from '../sync/open-sync.ts';
import { type Entry, openKey } from '../sync/outbox/entry.ts';
import { createChanges } from './create-observed.ts';
import { wordsFor } from './failures.ts';

/** Something written that the server has not taken yet. */
export interface WaitingMessage {
  id: string;
  conversationId: Uuid;
  /** Of the conversation. */
  name: string;
  at: number;
  text: string;
  /** Why it failed, in words; null: it waits. */
  failure: string | null;
  /** Its text can be changed here. */
  isEditable: boolean;
  /** The device holds it as it is here. */
  isKept: boolean;
}

/** What waits to be sent, over all conversations. */
export interface Waiting {
  entries: readonly WaitingMessage[];
  count: Accessor<number>;
  /** How many of them failed for good. */
  failed: Accessor<number>;
  /** This device does not keep what is written: it would be lost with this tab. */
  isMemoryOnly: Accessor<boolean>;
  /** How many of them would be. */
  onlyHere: Accessor<number>;
  sendNow: () => void;
  retry: (id: string) => void;
  edit: (id: string, text: string) => void;
  remove: (id: string) => void;
}

interface Options {
  sync: Sync;
  nameOf: (conversationId: Uuid) => string;
}

/** What an entry is to be seen by; null: it leaves quietly, as long as it does. */
function textOf(entry: Entry): string | null {
  switch (entry.kind) {
    case 'message':
      return entry.value[0];
    case 'edit':
      return entry.body;
    case 'react':
      return isFailed(entry) ? entry.toggles.map(({ emoji }) => emoji).join(' ') : null;
    case 'delete':
      return isFailed(entry) ? 'A message is to be deleted.' : null;
    case 'private':
      return isFailed(entry) && placeOf(entry) !== null
        ? typeof entry.value === 'string'
          ? entry.value
          : 'A change of this conversation.'
        : null;
    case 'open':
    case 'read':
    case 'answer':
    case 'block':
      return null;
  }
  return entry satisfies never;
}

const isFailed = ({ state }: Entry): boolean => state.kind === 'failed';

/** The conversation that an entry is about; null: a setting. */
function placeOf(entry: Entry): Uuid | null {
  if (entry.kind !== 'private') return entry.conversationId;
  return entry.key.startsWith('s') ? null : entry.key.slice(1);
}

/** The outbox as a store of messages and edits, in the order of writing, and of what else has failed. The rest leaves quietly. */
export function createWaiting({ sync, nameOf }: Options): Waiting {
  const { outbox } = sync;
  const changes = createChanges(sync.subscribe);
  const [entries, setEntries] = createStore<WaitingMessage[]>([]);

  createComputed(() => {
    changes();
    const shown = outbox.entries().flatMap((entry): WaitingMessage[] => {
      const text = textOf(entry);
      const { id, at, state } = entry;
      const conversationId = placeOf(entry);
      if (text === null || conversationId === null) return [];
      const opening = outbox.get(openKey(conversationId))?.state;
      const failed = state.kind === 'failed' ? state : opening?.kind === 'failed' ? opening : null;
      const [name, failure, isKept] = [nameOf(conversationId), failed && wordsFor(entry, failed.code), outbox.isKept(id)];
      const isEditable = entry.kind === 'message' || entry.kind === 'edit';
      return [{ id, conversationId, at, text, isEditable, name, failure, isKept }];
    });
    setEntries(reconcile(shown, { key: 'id' }));
  });

  function retry(id: string): void {
    const entry = outbox.get(id);
    if (entry) outbox.retry([id, openKey(entry.conversationId)]);
  }

  return {
    entries,
    retry,
    count: createMemo(() => entries.length),
    failed: createMemo(() => entries.filter(({ failure }) => failure !== null).length),
    onlyHere: createMemo(() => entries.filter(({ isKept }) => !isKept).length),
    isMemoryOnly: createMemo(() => (changes(), sync.isMemoryOnly())),
    sendNow() {
      for (const { id, failure } of entries) if (failure !== null) retry(id);
      sync.wake();
    },
    edit(id, text) {
      const entry = outbox.get(id);
      if (entry?.kind === 'message') outbox.edit(entry.conversationId, entry.messageId, null, text);
      else if (entry?.kind === 'edit') outbox.edit(entry.conversationId, entry.messageId, entry.n, text);
      retry(id);
    },
    remove(id) {
      const entry = outbox.get(id);
      if (entry?.kind === 'message') outbox.remove(entry.conversationId, entry.messageId, null);
      else if (entry) outbox.done([entry]);
    },
  };
}
