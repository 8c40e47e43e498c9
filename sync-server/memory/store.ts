import type { GroupHistory } from '../../shared/conversation.ts';
import type { MessageId, Uuid } from '../../shared/ids.ts';
import type { Extras } from '../../shared/segment.ts';
import type {
  Claim,
  ConversationState,
  DocumentState,
  Hint,
  Member,
  MemberChange,
  Positions,
  SnapshotChange,
  UpdateRow,
} from '../core/ports.ts';

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

/** A member's row. `hiddenAt`: off their list until the conversation is beyond that seq; `askedBy`, `askedAt`: of a request. */
export type StoredMember = Member & Positions & { changed: number; hiddenAt: number | null; askedBy: Uuid | null; askedAt: number };

export interface StoredConversation {
  state: ConversationState;
  title: string | null;
  history: GroupHistory;
  createdAt: number;
  members: Map<Uuid, StoredMember>;
  /** The last change that people's lists show, and the time of the last message or of creation. */
  changed: number;
  lastAt: number;
  former: Set<Uuid>;
  /** Who went without having accepted. */
  declined: StoredMember[];
  documents: Map<number, StoredDocument>;
  messages: Map<MessageId, StoredMessage>;
  /** The end of the line of those who wait for this row's lock. */
  lock: Promise<void>;
}

/** What several nodes in one process share: the tables and the hint channel. */
export interface MemoryStore {
  conversations: Map<Uuid, StoredConversation>;
  listeners: Set<(hint: Hint) => void>;
  /** Whom each person has blocked. */
  blocks: Map<Uuid, Set<Uuid>>;
  /** Deleted accounts whose rest is to be done, and whether their messages go. */
  departures: Map<Uuid, { removes: boolean }>;
  /** Deleted accounts. */
  gone: Set<Uuid>;
  /** Sign-ins that were ended, by their sid. */
  endedSignIns: Set<Uuid>;
  /** The number of the last change of anybody's list: here, changes are made in the order of their numbers. */
  changes: number;
}

export const makeMemoryStore = (): MemoryStore => ({
  conversations: new Map(),
  listeners: new Set(),
  blocks: new Map(),
  departures: new Map(),
  gone: new Set(),
  endedSignIns: new Set(),
  changes: 0,
});

export const nextChange = (store: MemoryStore): number => ++store.changes;

/** Runs `task` while it alone holds the rows, taken in order of id (L2). */
export async function lockRows<T>(
  store: MemoryStore,
  ids: readonly Uuid[],
  task: (rows: Map<Uuid, StoredConversation>) => Promise<T>,
): Promise<T> {
  const rows = new Map<Uuid, StoredConversation>();
  const releases: (() => void)[] = [];
  try {
    for (const id of [...new Set(ids)].sort()) {
      const row = store.conversations.get(id);
      if (!row) continue;
      const before = row.lock;
      row.lock = new Promise((resolve) => releases.push(resolve));
      await before;
      rows.set(id, row);
    }
    return await task(rows);
  } finally {
    for (const release of releases) release();
  }
}

/** Tells every listener of every node. */
export function notify(store: MemoryStore, hint: Hint): void {
  for (const listener of store.listeners) listener(hint);
}

export const hasBlocked = ({ blocks }: MemoryStore, one: Uuid, other: Uuid): boolean => blocks.get(one)?.has(other) ?? false;

/** A conversation's members as they stand. */
export function membersOf(store: MemoryStore, { state, members }: StoredConversation): Member[] {
  const isDirect = state.kind === 'direct';
  return [...members.values()].map(({ userId, role, since, from, asked }) => ({
    userId,
    role,
    since,
    ...(from ? { from } : {}),
    ...(asked ? { asked } : {}),
    ...(isDirect && [...members.keys()].some((other) => hasBlocked(store, userId, other)) ? { blocks: true as const } : {}),
    ...(isDirect && store.gone.has(userId) ? { gone: true as const } : {}),
  }));
}

/** Applies one change to a conversation's members. */
export function applyMember(store: MemoryStore, row: StoredConversation, change: MemberChange, now: number): void {
  const changed = nextChange(store);
  const { userId } = change;
  if (change.kind === 'join') {
    const { role, since, from, askedBy } = change;
    row.former.delete(userId);
    row.declined = row.declined.filter((member) => member.userId !== userId);
    const asked = askedBy ? { asked: true as const } : {};
    const seqs = { since, read: since, delivered: since, ...(from > 0 ? { from } : {}) };
    row.members.set(userId, { userId, role, ...seqs, ...asked, changed, hiddenAt: null, askedBy, askedAt: now });
    return;
  }
  const member = row.members.get(userId);
  if (!member) throw new Error(`${userId} is no member`);
  switch (change.kind) {
    case 'role':
      Object.assign(member, { role: change.role, changed });
      return;
    case 'leave':
      row.members.delete(userId);
      row.former.add(userId);
      if (member.asked) row.declined.push(member);
      return;
    case 'accept':
      delete member.asked;
      Object.assign(member, { askedBy: null, hiddenAt: null, changed });
  }
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
