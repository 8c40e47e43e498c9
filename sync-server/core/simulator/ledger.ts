import type { ConversationReplica } from '../../../client/sync/conversation-replica.ts';
import { type MessageId, type Uuid } from '../../../shared/ids.ts';
import type { StoredConversation } from '../../memory/store.ts';
import type { Place } from './place.ts';

/** What the screens of all people have shown, noted outside of the system at the moment it was shown. */
export interface Ledger {
  wrote(author: Uuid, id: MessageId, text: string): void;
  edited(id: MessageId, text: string): void;
  removed(id: MessageId): void;
  /** A screen has changed. */
  look(place: Place, me: Uuid, replica: ConversationReplica): void;
  /** A disk was wiped: what was only kept there is gone. */
  wiped(author: Uuid): void;
  wrong(what: string): void;
  readonly faults: readonly string[];
  readonly written: ReadonlyMap<MessageId, Written>;
  /** What must hold now, in the light of what the server has committed. */
  check(row: StoredConversation | undefined): string[];
}

export interface Written {
  author: Uuid;
  /** Every text that was ever asked for, the newest last. */
  texts: string[];
  /** `asked`: it may yet be forgotten with the tab. */
  removed: 'no' | 'asked' | 'kept';
  kept: boolean;
  /** The seq that a screen has shown. */
  seq: number | null;
}

export function makeLedger(): Ledger {
  const written = new Map<MessageId, Written>();
  const faults: string[] = [];
  /** Per tab: the ids it has shown with a seq, and how far others have read there. */
  const shown = new WeakMap<Place, Map<MessageId, number>>();
  const looked = new WeakMap<Place, readonly unknown[]>();

  function wrong(what: string): void {
    if (faults.length < 10) faults.push(what);
  }

  function look(place: Place, me: Uuid, replica: ConversationReplica): void {
    const [messages, pending] = [replica.messages(), replica.pending()];
    for (const entry of pending) {
      const known = written.get(entry.messageId);
      if (known && !known.kept && entry.state.kind === 'waiting' && replica.isKept(entry)) known.kept = true;
    }
    for (const [id, known] of written) {
      if (known.removed !== 'asked') continue;
      const change = replica.changeOf(id);
      if (change?.kind === 'delete' && replica.isKept(change)) known.removed = 'kept';
    }
    const before = looked.get(place);
    if (before?.[0] === messages && before[1] === pending) return;
    looked.set(place, [messages, pending]);

    const seen = shown.get(place) ?? new Map<MessageId, number>();
    shown.set(place, seen);
    const now = new Map(messages.map(({ id, seq }) => [id, seq]));
    if (now.size !== messages.length) wrong('[V5] a message stands twice in a thread');
    let last = 0;
    for (const { id, seq, authorId, body } of messages) {
      if (seq <= last) wrong(`[V2] seq ${seq} after ${last} in a thread`);
      last = seq;
      const before = seen.get(id);
      if (before !== undefined && before !== seq) wrong(`[V2] ${id} was seq ${before} and is ${seq}`);
      seen.set(id, seq);
      const known = written.get(id);
      if (!known) wrong(`[V9] ${id} was written by nobody`);
      else {
        if (authorId !== null && authorId !== known.author) wrong(`[V3] ${id} stands under another name`);
        if (body !== null && !known.texts.includes(body)) wrong(`[V3] ${id} reads what nobody wrote`);
        if (authorId === me) known.seq ??= seq;
      }
    }
    for (const { messageId } of pending)
      if (now.has(messageId) && new Set(pending.map((entry) => entry.messageId)).size !== pending.length)
        wrong(`[V5] ${messageId} waits twice`);
  }

  return {
    faults,
    written,
    wrong,
    look,
    wrote: (author, id, text) => void written.set(id, { author, texts: [text], removed: 'no', kept: false, seq: null }),
    edited: (id, text) => void written.get(id)?.texts.push(text),
    removed(id) {
      const known = written.get(id);
      if (known?.removed === 'no') known.removed = 'asked';
    },
    wiped(author) {
      for (const known of written.values()) if (known.author === author && known.seq === null) known.kept = false;
    },
    check(row) {
      const found: string[] = [];
      for (const [id, { seq, author }] of written) {
        const stored = row?.messages.get(id);
        if (seq !== null && stored?.seq !== seq) found.push(`[V1] ${id} was shown as sent with seq ${seq} and is not in the log`);
        if (stored && stored.senderId !== author) found.push(`[V3] ${id} is stored under another name`);
      }
      return found;
    },
  };
}
