import type { Uuid } from '../../shared/ids.ts';
import type { Entry } from './outbox/entry.ts';
import { type ConversationDeps, type ConversationReplica, openConversationReplica } from './conversation-replica.ts';

/** The open conversations of one person. */
export interface Conversations {
  /** The one replica of a conversation; opened when it is not. */
  open: (id: Uuid) => ConversationReplica;
  /** Opens what is wanted by now, and closes what is not. */
  settle: () => void;
  /** All that are open. */
  replicas: () => ReadonlyMap<Uuid, ConversationReplica>;
  subscribe: (listener: () => void) => () => void;
  close: () => void;
}

interface Deps extends ConversationDeps {
  /** The newest conversations, whose newest segments are to be on this device before they are opened; none where another tab sees to that. */
  recent: () => readonly Uuid[];
}

/** So many stay open after they were looked at: going back to one shows it at once. */
const KEEP_OPEN = 5;
/** So many of the newest are kept up to date. */
const RECENT = 20;

/** It goes into a document. */
const goesIntoDocument = ({ kind, state }: Entry): boolean =>
  (kind === 'message' || kind === 'edit' || kind === 'delete') && state.kind === 'waiting';

/** Keeps open the conversations last looked at, the newest ones, and each that has something to be sent from here. */
export function makeConversations(deps: Deps): Conversations {
  const { outbox } = deps;
  /** In order of use, the last one at the end. */
  const replicas = new Map<Uuid, ConversationReplica>();
  const looked: Uuid[] = [];
  const listeners = new Set<() => void>();

  function ensure(id: Uuid): ConversationReplica {
    const known = replicas.get(id);
    if (known) return known;
    const replica = openConversationReplica(id, deps);
    replicas.set(id, replica);
    replica.subscribe(() => listeners.forEach((listener) => listener()));
    return replica;
  }

  function closeOne(id: Uuid): void {
    replicas.get(id)?.close();
    replicas.delete(id);
  }

  function settle(): void {
    const isMovable = (entry: Entry): boolean => goesIntoDocument(entry) && deps.moves(entry);
    const waiting = [...outbox.conversations()].filter((id) => outbox.of(id).some(isMovable));
    const rescued = [...(deps.rescues?.documents() ?? [])].map((documentId) => documentId.split('/')[0]!);
    const wanted = new Set([...looked.slice(-KEEP_OPEN), ...deps.recent().slice(0, RECENT), ...waiting, ...rescued]);
    for (const id of [...replicas.keys()]) if (!wanted.has(id)) closeOne(id);
    for (const id of wanted) ensure(id);
  }

  return {
    settle,
    replicas: () => replicas,
    open(id) {
      // An ended one is opened anew: what ended it may be mended.
      if (replicas.get(id)?.status().kind === 'ended') closeOne(id);
      const at = looked.indexOf(id);
      if (at !== -1) looked.splice(at, 1);
      looked.push(id);
      looked.splice(0, looked.length - KEEP_OPEN);
      const replica = ensure(id);
      settle();
      return replica;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      for (const id of [...replicas.keys()]) closeOne(id);
      listeners.clear();
    },
  };
}
