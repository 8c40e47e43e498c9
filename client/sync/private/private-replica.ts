import type { Neutralised } from '../../../shared/close-codes.ts';
import { type Uuid, formatDocumentId } from '../../../shared/ids.ts';
import { laneName } from '../../../shared/segment.ts';
import { readNext } from '../../../shared/user-document.ts';
import type { PrivateValue, StructId } from '../outbox/entry.ts';
import { type OwnValue, keyOf, newestOf, nextStruct, setBy } from '../own-lane.ts';
import type { OpenProvider } from '../provider.ts';
import { type ReplicaStatus, openReplica } from '../replica.ts';
import type { ReplicaCache } from '../storage/replica-cache.ts';

/** The replica of one of a person's private documents, as plain values. */
export interface PrivateReplica {
  readonly n: number;
  status: () => ReplicaStatus;
  /** What the device held of it is here. */
  isLoaded: () => boolean;
  /** Something of it is here, or there is nothing. */
  hasCome: () => boolean;
  /** The document that goes on from this one; null: it takes what is written. */
  next: () => number | null;
  own: (key: string) => OwnValue<unknown> | null;
  setBy: (key: string, from: StructId) => StructId | null;
  nextStruct: () => StructId;
  isCommitted: (id: StructId) => boolean;
  set: (key: string, value: PrivateValue) => void;
  close: () => void;
}

interface Options {
  me: Uuid;
  n: number;
  openProvider: OpenProvider;
  cache: ReplicaCache;
  onChange: () => void;
  onNeutralised: (key: string, code: Neutralised) => void;
  onRefused: () => void;
}

/** Opens one of this person's private documents. */
export function openPrivateReplica({ me, n, openProvider, cache, onChange, onNeutralised, onRefused }: Options): PrivateReplica {
  const replica = openReplica({
    documentId: formatDocumentId({ kind: 'user', conversationId: me, n }),
    openProvider,
    cache,
    read: readNext,
    onChange,
    onTold(entry) {
      const key = replica.look((doc) => keyOf(doc, me, entry));
      if (key !== null) onNeutralised(key, entry.code);
    },
    onRefused,
  });
  return {
    n,
    status: replica.status,
    isLoaded: replica.isLoaded,
    hasCome: () => replica.status().kind === 'live' || replica.look((doc) => doc.store.clients.size > 0),
    next: replica.content,
    own: (key) => replica.look((doc) => newestOf(doc, me, key)),
    setBy: (key, from) => replica.look((doc) => setBy(doc, me, key, from)),
    nextStruct: () => replica.look(nextStruct),
    isCommitted: replica.isCommitted,
    set: (key, value) => replica.change((doc) => void doc.getMap(laneName(me)).set(key, value)),
    close: replica.close,
  };
}
