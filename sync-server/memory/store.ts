import type { MessageId, Uuid } from '../../shared/ids.ts';
import type { Extras } from '../../shared/segment.ts';
import type { Claim, ConversationState, DocumentState, Hint, Member, Positions, SnapshotChange, UpdateRow } from '../core/ports.ts';

/** A message as the snapshot holds it; `body` null when deleted. */
export interface StoredMessage {
  id: MessageId;
  seq: number;
  n: number;
  senderId: Uuid;
  body: string | null;
  replyTo: string | null;
  extras: Extras | null;
  acceptedAt: number;
  editedAt: number | null;
  deletedAt: number | null;
  deletedBy: Uuid | null;
  /** Older texts, the oldest first; none after deletion. */
  history: string[];
  reactions: Map<Uuid, readonly string[]>;
}

export interface StoredDocument {
  state: DocumentState;
  rows: UpdateRow[];
  claims: (Claim & { position: number })[];
  /** When compaction was asked for. */
  compactDueAt: number | null;
}

export interface StoredConversation {
  state: ConversationState;
  title: string | null;
  createdAt: number;
  members: Map<Uuid, Member & Positions & { changed: number }>;
  /** The last change that people's lists show, and the time of the last message or of creation. */
  changed: number;
  lastAt: number;
  former: Set<Uuid>;
  documents: Map<number, StoredDocument>;
  messages: Map<MessageId, StoredMessage>;
  /** The end of the line of those who wait for this row's lock. */
  lock: Promise<void>;
}

/** What several nodes in one process share: the tables and the hint channel. */
export interface MemoryStore {
  conversations: Map<Uuid, StoredConversation>;
  listeners: Set<(hint: Hint) => void>;
  /** The number of the last change of anybody's list: here, changes are made in the order of their numbers. */
  changes: number;
}

export const makeMemoryStore = (): MemoryStore => ({ conversations: new Map(), listeners: new Set(), changes: 0 });

export const nextChange = (store: MemoryStore): number => ++store.changes;

/** Tells every listener of every node. */
export function notify(store: MemoryStore, hint: Hint): void {
  for (const listener of store.listeners) listener(hint);
}

/** Applies one change to the snapshot of a conversation. */
export function applyChange({ messages }: StoredConversation, change: SnapshotChange): void {
  if (change.kind === 'message') {
    const { kind: _, ...row } = change;
    messages.set(change.id, { ...row, deletedAt: null, deletedBy: null, history: [], reactions: new Map() });
    return;
  }
  const message = messages.get(change.id);
  if (!message) throw new Error(`no message ${change.id}`);
  switch (change.kind) {
    case 'edit':
      if (message.body !== null) message.history.push(message.body);
      Object.assign(message, { body: change.body, replyTo: change.replyTo, extras: change.extras, editedAt: change.editedAt });
      return;
    case 'deletion':
      Object.assign(message, { body: null, extras: null, deletedAt: change.deletedAt, deletedBy: change.by, history: [] });
      message.reactions.clear();
      return;
    case 'reactions':
      if (change.emoji.length > 0) message.reactions.set(change.userId, change.emoji);
      else message.reactions.delete(change.userId);
  }
}
