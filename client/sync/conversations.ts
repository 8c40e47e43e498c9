import type { Uuid } from '../../shared/ids.ts';
import type { Conversation } from '../../shared/api.ts';
import { CLOSE } from '../../shared/close-codes.ts';
import { type Entry, goesIntoDocument } from './outbox/entry.ts';
import { type ConversationDeps, type ConversationReplica, openConversationReplica } from './conversation-replica.ts';

/** The open conversations of one person. */
export interface Conversations {
  /** The one replica of a conversation; opened when it is not. */
  open: (id: Uuid) => ConversationReplica;
  /** Opens what is wanted by now, and closes what is not. */
  settle: () => void;
  /** It is this tab that moves what waits, from now on. */
  takeOver: () => void;
  /** All that are open. */
  replicas: () => ReadonlyMap<Uuid, ConversationReplica>;
  subscribe: (listener: () => void) => () => void;
  close: () => void;
}

interface Deps extends ConversationDeps {
  /** The newest conversations, whose newest segments are to be on this device before they are opened; none where another tab sees to that. */
  recent: () => readonly Uuid[];
  /** What the list says of a conversation. */
  row: (id: Uuid) => Conversation | undefined;
}

/** So many stay open after they were looked at: going back to one shows it at once. */
const KEEP_OPEN = 5;
/** So many of the newest are kept up to date. */
const RECENT = 20;

const isClosed = ({ status }: ConversationReplica): boolean => {
  const now = status();
  return now.kind === 'ended' && (now.code === CLOSE.notMember.code || now.code === CLOSE.notFound.code);
};

/** Keeps open the conversations last looked at, the newest ones, and each that has something to be sent from here. */
export function makeConversations(deps: Deps): Conversations {
  const { outbox } = deps;
  /** In order of use, the last one at the end. */
  const replicas = new Map<Uuid, ConversationReplica>();
  const looked: Uuid[] = [];
  /** What the list said when they were closed to this person. */
  const closed = new Map<Uuid, Conversation | undefined>();
  const listeners = new Set<() => void>();

  function ensure(id: Uuid): ConversationReplica {
    const known = replicas.get(id);
    if (known) return known;
    const replica = openConversationReplica(id, deps);
    replicas.set(id, replica);
    replica.subscribe(() => {
      if (!isClosed(replica)) closed.delete(id);
      else if (!closed.has(id)) closed.set(id, deps.row(id));
      listeners.forEach((listener) => listener());
    });
    return replica;
  }

  /** Of what is closed to somebody their list tells nothing: told of it again, they may come in again. */
  function comeBack(): void {
    for (const [id, before] of [...closed]) {
      const row = deps.row(id);
      if (row && row !== before) replicas.get(id)?.beginAnew();
    }
  }

  function closeOne(id: Uuid): void {
    replicas.get(id)?.close();
    replicas.delete(id);
    closed.delete(id);
  }

  function settle(): void {
    comeBack();
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
    takeOver() {
      settle();
      for (const replica of replicas.values()) replica.move();
    },
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
