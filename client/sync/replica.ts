import type { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import type { Told } from '../../shared/protocol.ts';
import type { OpenProvider } from './provider.ts';

/** `live`: all that the server held when this connection began is here, and what follows arrives. */
export type ReplicaStatus = { kind: 'connecting' } | { kind: 'live' } | { kind: 'ended'; code: number; reason: string };

/** The browser's live copy of one document. Nobody outside of `sync` sees the `Y.Doc`. */
export interface Replica<T> {
  status: () => ReplicaStatus;
  /** What `read` makes of the document; computed once per change of the document. */
  content: () => T;
  awareness: Awareness;
  /** The clock of the next own struct. */
  nextClock: () => number;
  /** Makes one change in one transaction. */
  change: (edit: (doc: Y.Doc) => void) => void;
  /** Own structs below this clock are committed at the server. */
  committed: () => number;
  close: () => void;
}

interface Options<T> {
  documentId: string;
  openProvider: OpenProvider;
  read: (doc: Y.Doc) => T;
  /** Content, status or commitment changed. */
  onChange: () => void;
  /** An own struct at this clock was neutralised. */
  onTold?: (entry: Told) => void;
}

/** Opens a document: a `Y.Doc` and its provider, as one thing. */
export function openReplica<T>({ documentId, openProvider, read, onChange, onTold }: Options<T>): Replica<T> {
  const doc = new Y.Doc();
  let status: ReplicaStatus = { kind: 'connecting' };
  let committed = 0;
  let cached: { value: T } | null = null;

  function become(next: ReplicaStatus): void {
    if (status.kind === 'ended') return;
    status = next;
    onChange();
  }

  const provider = openProvider(documentId, doc, {
    synced: () => become({ kind: 'live' }),
    lost: () => become({ kind: 'connecting' }),
    ended: (code, reason) => become({ kind: 'ended', code, reason }),
    committed(clocks) {
      for (const [client, clock] of clocks) if (client === doc.clientID) committed = Math.max(committed, clock);
      onChange();
    },
    told: (entries) => entries.filter(({ client }) => client === doc.clientID).forEach((entry) => onTold?.(entry)),
  });
  doc.on('update', () => {
    cached = null;
    onChange();
  });

  return {
    awareness: provider.awareness,
    status: () => status,
    committed: () => committed,
    content: () => (cached ??= { value: read(doc) }).value,
    nextClock: () => Y.getState(doc.store, doc.clientID),
    change: (edit) => doc.transact(() => edit(doc)),
    close() {
      provider.close();
      doc.destroy();
    },
  };
}
