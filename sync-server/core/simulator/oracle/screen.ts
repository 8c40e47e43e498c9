import type { ConversationReplica } from '../../../../client/sync/conversation-replica.ts';
import type { MessageId, Uuid } from '../../../../shared/ids.ts';
import type { MemoryStore } from '../../../memory/store.ts';
import type { Place } from '../browser/place.ts';
import type { Ledger } from './ledger.ts';
import type { Rights } from './rights.ts';

interface Looked {
  me: Uuid;
  browser: object;
  place: Place;
  conversationId: Uuid;
  replica: ConversationReplica;
  ledger: Ledger;
  rights: Rights;
  store: MemoryStore;
  /** What of the outbox is on the disk now; null: nobody can tell. */
  isOnDisk(entryId: string): boolean | null;
}

/** What one tab shows of one conversation, from its first moment to its last. */
export interface Screen {
  /** Looks at it again: what must always hold (V1 to V6, V9). */
  look(): void;
}

export function makeScreen({ me, browser, place, conversationId, replica, ledger, rights, store, isOnDisk }: Looked): Screen {
  /** Every seq that was shown, by id. */
  const shown = new Map<MessageId, number>();
  const reads = new Map<Uuid, number>();
  /** What this tab knows that it may have left. */
  const placed = new Set<MessageId>();

  function lookAtThread(): Set<MessageId> {
    const messages = replica.messages();
    const ids = new Set<MessageId>();
    let last = 0;
    for (const { id, seq, authorId, body } of messages) {
      if (ids.has(id)) ledger.wrong(`[V5] ${id} stands twice in a thread`);
      ids.add(id);
      if (seq <= last) ledger.wrong(`[V2] seq ${seq} stands after ${last}`);
      last = seq;
      const before = shown.get(id);
      if (before !== undefined && before !== seq) ledger.wrong(`[V2] ${id} had seq ${before} and has ${seq}`);
      if (before === undefined) {
        const stored = store.conversations.get(conversationId)?.messages.get(id);
        if (!rights.mayRead(conversationId, me, seq)) ledger.wrong(`[V4] ${id} with seq ${seq} is shown to ${me}, who may not read it`);
        if (stored?.seq !== seq) ledger.wrong(`[V1] ${id} is shown as sent with seq ${seq} and the log has ${stored?.seq}`);
        shown.set(id, seq);
      }
      if (body !== null && authorId === null) ledger.wrong(`[V3] ${id} stands under no name`);
      if (body !== null && authorId !== null && !ledger.mayRead(id, authorId, body))
        ledger.wrong(`[V3] ${id} reads what nobody wrote: ${body}`);
      if (body === null && !ledger.mayVanish(id, ledger.written.get(id)?.author ?? authorId ?? me) && ledger.written.has(id))
        ledger.wrong(`[V9] ${id} shows as deleted, by nobody`);
    }
    return ids;
  }

  const seqOf = (id: MessageId): number | undefined => store.conversations.get(conversationId)?.messages.get(id)?.seq;

  /**
   * All of it is on its way; or it is in the log, and stands before the oldest that this tab has opened, or before this person came back, or they are out: nothing brings it to
   * them any more; or went from this tab's outbox to the log before this tab ever heard that it may leave, which cannot be told from being taken back by a sibling.
   */
  function isExcused(id: MessageId): boolean {
    if (!replica.isLoaded()) return true;
    const seq = seqOf(id);
    if (seq === undefined) return false;
    return (
      !placed.has(id) ||
      seq < (replica.messages()[0]?.seq ?? 0) ||
      seq <= rights.from(conversationId, me) ||
      rights.isOut(conversationId, me)
    );
  }

  function lookAtWaiting(inThread: ReadonlySet<MessageId>): void {
    const pending = replica.pending();
    const ids = new Set(pending.map(({ messageId }) => messageId));
    if (ids.size !== pending.length) ledger.wrong('[V5] a message waits twice');
    for (const entry of pending) {
      if (entry.placed) placed.add(entry.messageId);
      const known = ledger.written.get(entry.messageId);
      if (!known || entry.state.kind !== 'waiting' || !replica.isKept(entry)) continue;
      for (const text of known.texts) text.kept ||= text.text === entry.value[0];
      if (known.kept) continue;
      // A sibling may have taken it back since, or seen it in the log.
      const hasLeft = known.removed !== 'no' || seqOf(entry.messageId) !== undefined;
      if (isOnDisk(entry.id) === false && !hasLeft) ledger.wrong(`[V5] ${entry.messageId} shows as kept and is not on the disk`);
      known.kept = true;
    }
    for (const [id, known] of ledger.written) {
      if (known.conversationId !== conversationId) continue;
      if (known.place === place && known.removed === 'no' && !ids.has(id) && !inThread.has(id) && !isExcused(id))
        ledger.wrong(`[V6] ${id} was written here and is not on the screen any more`);
      const change = known.author === me ? replica.changeOf(id) : undefined;
      if (!change || !replica.isKept(change)) continue;
      if (change.kind === 'delete') Object.assign(known, { removed: 'kept', removedIn: browser });
      else for (const text of known.texts) if (text.text === change.body) text.kept = true;
    }
  }

  function lookAtPositions(): void {
    const { members } = replica.root() ?? {};
    for (const userId of members?.keys() ?? []) {
      const now = replica.presence.read(userId);
      if (now < (reads.get(userId) ?? 0)) ledger.wrong(`[V6] ${userId} had read to ${reads.get(userId)} and has to ${now}`);
      if (now > (store.conversations.get(conversationId)?.state.seq ?? 0)) ledger.wrong(`[V5] ${userId} has read beyond the last`);
      reads.set(userId, now);
    }
  }

  return {
    look() {
      lookAtWaiting(lookAtThread());
      lookAtPositions();
    },
  };
}
