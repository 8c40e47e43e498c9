import { type Accessor, createComputed, createMemo } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import type { Uuid } from '../../shared/ids.ts';
import type { Sync } from '../sync/open-sync.ts';
import { type Entry, openKey } from '../sync/outbox/entry.ts';
import { createChanges } from './create-observed.ts';
import { FAILURES } from './failures.ts';

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

const textOf = (entry: Entry): string | null => (entry.kind === 'message' ? entry.value[0] : entry.kind === 'edit' ? entry.body : null);

/** The outbox as a store of messages and edits, in the order of writing. Deletions and read positions leave quietly. */
export function createWaiting({ sync, nameOf }: Options): Waiting {
  const { outbox } = sync;
  const changes = createChanges(sync.subscribe);
  const [entries, setEntries] = createStore<WaitingMessage[]>([]);

  createComputed(() => {
    changes();
    const shown = outbox.entries().flatMap((entry): WaitingMessage[] => {
      const text = textOf(entry);
      const { id, conversationId, at, state } = entry;
      if (text === null) return [];
      const opening = outbox.get(openKey(conversationId))?.state;
      const failed = state.kind === 'failed' ? state : opening?.kind === 'failed' ? opening : null;
      const [name, failure, isKept] = [nameOf(conversationId), failed && FAILURES[failed.code], outbox.isKept(id)];
      return [{ id, conversationId, at, text, name, failure, isKept }];
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
