import type { Uuid } from '../../shared/ids.ts';
import { type ConversationDeps, type ConversationReplica, openConversationReplica } from './conversation-replica.ts';

/** The open conversations of one person. */
export interface Conversations {
  /** The one replica of a conversation; opened when it is not. */
  open: (id: Uuid) => ConversationReplica;
  close: () => void;
}

/** So many stay open after they were looked at: going back to one shows it at once. */
const KEEP_OPEN = 5;

/** Keeps the conversations last opened, and each that has something waiting to be sent. */
export function makeConversations(deps: ConversationDeps): Conversations {
  /** In order of use, the last one at the end. */
  const replicas = new Map<Uuid, ConversationReplica>();

  function closeIdle(): void {
    for (const [id, replica] of [...replicas].slice(0, -KEEP_OPEN)) {
      if (replica.pending().some((entry) => entry.state.kind === 'waiting')) continue;
      replica.close();
      replicas.delete(id);
    }
  }

  return {
    open(id) {
      const known = replicas.get(id);
      // An ended one is opened anew: what ended it may be mended.
      const usable = known && known.status().kind !== 'ended' ? known : null;
      if (known && !usable) known.close();
      const replica = usable ?? openConversationReplica(id, deps);
      replicas.delete(id);
      replicas.set(id, replica);
      closeIdle();
      return replica;
    },
    close() {
      for (const replica of replicas.values()) replica.close();
      replicas.clear();
    },
  };
}
