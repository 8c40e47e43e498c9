import type { Uuid } from '../../../../shared/ids.ts';
import type { ConversationWrite, SnapshotChange } from '../../ports.ts';
import type { Ledger } from './ledger.ts';

/** One message of the model. `body` null: deleted. */
export interface Line {
  id: string;
  seq: number;
  author: Uuid;
  body: string | null;
}

/**
 * What a conversation is, said as plainly as can be: a list to which one commit after another is added. It knows nothing of documents,
 * rooms or devices; whatever these make of the same commits has to be this (Q7).
 */
export interface Model {
  commit(write: ConversationWrite): void;
  lines(conversationId: Uuid): readonly Line[];
}

export function makeModel(ledger: Ledger): Model {
  const conversations = new Map<Uuid, Line[]>();

  function apply(lines: Line[], change: SnapshotChange): void {
    if (change.kind === 'message') {
      if (change.seq !== lines.length + 1) ledger.wrong(`[V2] seq ${change.seq} was given after ${lines.length}`);
      if (lines.some(({ id }) => id === change.id)) ledger.wrong(`[V5] ${change.id} was committed twice`);
      // One that was taken away before it came has no text.
      const isAsked =
        change.body === '' ? ledger.mayVanish(change.id, change.senderId) : ledger.mayRead(change.id, change.senderId, change.body);
      if (!isAsked) ledger.wrong(`[V3] ${change.id} was committed as nobody wrote it: ${change.senderId} ${change.body}`);
      lines.push({ id: change.id, seq: change.seq, author: change.senderId, body: change.body });
      return;
    }
    const line = lines.find(({ id }) => id === change.id);
    if (!line) return ledger.wrong(`[L6] ${change.kind} of ${change.id}, which is not there`);
    if (change.kind === 'edit') {
      if (line.body === null) ledger.wrong(`[V8] ${change.id} was deleted and got a text again`);
      if (!ledger.mayRead(change.id, line.author, change.body)) ledger.wrong(`[V3] ${change.id} was edited as nobody asked`);
      line.body = change.body;
    } else if (change.kind === 'deletion') {
      if (!ledger.mayVanish(change.id, line.author)) ledger.wrong(`[V9] ${change.id} was deleted by nobody`);
      line.body = null;
    }
  }

  return {
    lines: (conversationId) => conversations.get(conversationId) ?? [],
    commit({ conversationId, snapshot, seq }) {
      const lines = conversations.get(conversationId) ?? [];
      conversations.set(conversationId, lines);
      for (const change of snapshot) apply(lines, change);
      if (seq !== lines.length && conversationId !== '') ledger.wrong(`[V2] the last seq is ${seq} of ${lines.length}`);
    },
  };
}
