import type { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { CLOSE, type Refusal } from '../../shared/close-codes.ts';
import type { Told } from '../../shared/protocol.ts';
import type { StructId } from './outbox/entry.ts';
import { OWN_CHANGE, type OpenProvider, type Provider } from './provider.ts';
import type { CachedDocument, ReplicaCache } from './storage/replica-cache.ts';

/** `live`: all that the server held when this connection began is here, and what follows arrives. */
export type ReplicaStatus = { kind: 'connecting' } | { kind: 'live' } | { kind: 'ended'; code: number; reason: string };

/** The browser's live copy of one document. Nobody outside of `sync` sees the `Y.Doc`. */
export interface Replica<T> {
  status: () => ReplicaStatus;
  /** What the device held of the document is here, or cannot be had. */
  isLoaded: () => boolean;
  /** The device holds all that is here. */
  isStored: () => boolean;
  /** What `read` makes of the document; computed once per change of the document. */
  content: () => T;
  look: <R>(read: (doc: Y.Doc) => R) => R;
  /** Makes one change in one transaction. */
  change: (edit: (doc: Y.Doc) => void) => void;
  /** The server has said that it holds this struct. */
  isCommitted: (id: StructId) => boolean;
  close: () => void;
  /** Closes it, and leaves the copy on the device for good. */
  abandon: () => void;
}

interface Options<T> {
  documentId: string;
  openProvider: OpenProvider;
  cache: ReplicaCache;
  read: (doc: Y.Doc) => T;
  /** Content, status, storage or commitment changed. */
  onChange: () => void;
  /** The server refused this copy, which begins again: a last look at what no outbox holds. `isRestored`: it lost what it had itself. */
  onRefused?: (doc: Y.Doc, isRestored: boolean) => void;
  /** A struct was neutralised. */
  onTold?: (entry: Told) => void;
  /** The document has this awareness from now on. */
  onAwareness?: (awareness: Awareness) => void;
}

/** Document, provider and copy on the device, made and thrown away as one. */
interface Life {
  doc: Y.Doc;
  provider: Provider;
  copy: CachedDocument;
}

/** After so many refused generations in a row the document is ended: it would go on for ever. */
const REFUSALS = 3;
const RESTORED: Refusal = 'restored';
const isRefusal = (code: number): boolean => code === CLOSE.refused.code || code === CLOSE.tooLarge.code;

/** Opens a document. After a refusal it begins again, empty and under a new client id: what was not committed is set again from the outbox. */
export function openReplica<T>({
  documentId,
  openProvider,
  cache,
  read,
  onChange,
  onRefused,
  onTold,
  onAwareness,
}: Options<T>): Replica<T> {
  let status: ReplicaStatus = { kind: 'connecting' };
  let committed = new Map<number, number>();
  let cached: { value: T } | null = null;
  let loaded = false;
  let refusals = 0;
  let closed = false;
  let life: Life | null = null;
  life = begin();
  const now = (): Life => life!;

  function become(next: ReplicaStatus): void {
    if (closed || status.kind === 'ended') return;
    status = next;
    onChange();
  }

  function begin(): Life {
    const doc = new Y.Doc();
    const isMine = (): boolean => !closed && life?.doc === doc;
    // The provider comes first: whatever the copy's listener does, what is written leaves.
    const provider = openProvider(documentId, doc, {
      synced() {
        refusals = 0;
        become({ kind: 'live' });
      },
      lost: () => become({ kind: 'connecting' }),
      ended(code, reason) {
        if (!isRefusal(code) || ++refusals > REFUSALS) return become({ kind: 'ended', code, reason });
        onRefused?.(doc, reason === RESTORED);
        beginAgain(true);
      },
      committed(clocks) {
        for (const [client, clock] of clocks) committed.set(client, Math.max(clock, committed.get(client) ?? 0));
        if (isMine()) onChange();
      },
      told: (entries) => entries.forEach((entry) => onTold?.(entry)),
    });
    doc.on('update', () => {
      cached = null;
      if (isMine()) onChange();
    });
    onAwareness?.(provider.awareness);
    const copy = cache.attach(documentId, doc, {
      loaded() {
        loaded = true;
        // Not before: what the device holds would leave as one update.
        provider.connect();
        if (isMine()) onChange();
      },
      stored: () => isMine() && onChange(),
      dropped: () => isMine() && beginAgain(false),
    });
    return { doc, provider, copy };
  }

  function beginAgain(drop: boolean): void {
    const before = now();
    before.provider.close();
    if (drop) before.copy.drop();
    else before.copy.close();
    before.doc.destroy();
    committed = new Map();
    cached = null;
    loaded = false;
    status = { kind: 'connecting' };
    life = begin();
    onChange();
  }

  function leave(end: (copy: CachedDocument) => void): void {
    closed = true;
    const { doc, provider, copy } = now();
    provider.close();
    end(copy);
    doc.destroy();
  }

  return {
    status: () => status,
    isLoaded: () => loaded,
    isStored: () => now().copy.isStored(),
    content: () => (cached ??= { value: read(now().doc) }).value,
    look: (inspect) => inspect(now().doc),
    change: (edit) => now().doc.transact(() => edit(now().doc), OWN_CHANGE),
    isCommitted: ({ client, clock }) => (committed.get(client) ?? 0) > clock,
    close: () => leave((copy) => copy.close()),
    abandon: () => leave((copy) => copy.drop()),
  };
}
