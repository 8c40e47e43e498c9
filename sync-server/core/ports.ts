import type { Conversation } from '../../shared/api.ts';
import type { ConversationKind, GroupHistory, Role } from '../../shared/conversation.ts';
import type { MessageId, Uuid } from '../../shared/ids.ts';
import type { Extras } from '../../shared/segment.ts';
import type { Neutralised } from '../../shared/close-codes.ts';

/**
 * What the core asks of the world. A private document's "conversation" is its owner: kind `private`, one member, its id the user's id.
 * A document is named by conversation and `n`: 0 is the root, 1 … are segments (private documents have no root).
 */

/** One committed row of a document's update log. Positions rise by one; a compacted row has the position of the last row it replaced. */
export interface UpdateRow {
  position: number;
  update: Uint8Array;
}

/** A client id belongs to whoever first committed with it in this document. */
export interface Claim {
  client: number;
  userId: Uuid;
}

export interface Member {
  userId: Uuid;
  role: Role;
  /** The last seq before this person joined. */
  since: number;
  /** What came up to this seq is not theirs to read; without it everything is. */
  from?: number;
  /** Somebody whom they do not know asked them in, and they have not accepted: until then nobody here learns anything of them. */
  asked?: true;
  /** Of a direct conversation: has blocked the other. */
  blocks?: true;
  /** Of a direct conversation: the account was deleted. */
  gone?: true;
}

/** A change of a conversation's members (the table is their truth), written with the root that shows it. */
export type MemberChange =
  /** Comes, for the first time or again. `askedBy`: who asked them, where they do not know that person. */
  | { kind: 'join'; userId: Uuid; role: Role; since: number; from: number; askedBy: Uuid | null }
  | { kind: 'role'; userId: Uuid; role: Role }
  | { kind: 'leave'; userId: Uuid }
  | { kind: 'accept'; userId: Uuid };

/** A document's row: everything about it that is not in its updates. */
export interface DocumentState {
  n: number;
  /** Position of the last update row. */
  position: number;
  /** First seq of this segment; 0 for roots and private documents. */
  firstSeq: number;
  /** The one client id under which the server writes here, and its next clock. */
  logClient: number;
  logClock: number;
  /** Messages in the log. */
  messages: number;
  /** Bytes of its update rows (as of the last compaction, plus what came since). */
  bytes: number;
  /** Client ids that belong to members. */
  clients: number;
  /** Takes no new messages. */
  closed: boolean;
}

/** A conversation's row. */
export interface ConversationState {
  id: Uuid;
  kind: ConversationKind | 'private';
  /** The last seq given. */
  seq: number;
  /** Number of the open segment. */
  open: number;
  /** Rises with every change of members, roles or blocks. */
  membersVersion: number;
}

/** What a room is made of, read at one moment. */
export interface LoadedDocument {
  conversation: ConversationState;
  document: DocumentState;
  rows: UpdateRow[];
  claims: Claim[];
  members: Member[];
}

/** What a batch wants to know of one conversation under its lock. */
export interface Want {
  conversationId: Uuid;
  /** Documents to lock and catch up, each with the position that the caller holds (0: nothing). */
  documents: { n: number; position: number }[];
  /** Which of these message ids are used in the conversation? */
  messageIds: MessageId[];
  /** Members come back only when the version differs from this one. */
  membersVersion: number;
}

/** A conversation under its lock (L2, L3). A conversation or document that does not exist is left out. */
export interface Locked {
  conversation: ConversationState;
  /** By `n`: state, the rows after the wanted position, and the claims committed with them. */
  documents: Map<number, { state: DocumentState; rows: UpdateRow[]; claims: Claim[] }>;
  /** Null when `membersVersion` is the wanted one. */
  members: Member[] | null;
  /** Those of the wanted message ids that are used, in whichever segment. */
  usedIds: Set<MessageId>;
}

/** A change of the snapshot tables. */
export type SnapshotChange =
  | {
      kind: 'message';
      id: MessageId;
      seq: number;
      n: number;
      senderId: Uuid;
      body: string;
      replyTo: string | null;
      extras: Extras | null;
      /** Milliseconds since 1970, by the server's clock. */
      acceptedAt: number;
      editedAt: number | null;
    }
  /** The text before goes into the edit history. */
  | { kind: 'edit'; id: MessageId; body: string; replyTo: string | null; extras: Extras | null; editedAt: number | null }
  /** Text, extras, reactions and edit history go. */
  | { kind: 'deletion'; id: MessageId; deletedAt: number; by: Uuid }
  /** The newest list of one person for one message. */
  | { kind: 'reactions'; id: MessageId; userId: Uuid; emoji: readonly string[] };

/** One document's part of a commit. */
export interface DocumentWrite {
  /** The row as it is to stand after the commit; `position` is that of `update`. */
  state: DocumentState;
  update: Uint8Array;
  claims: Claim[];
  /** A document that did not exist before. */
  fresh: boolean;
  /** Ask for compaction: text was deleted, or many rows have gathered. */
  compact: boolean;
}

/** What a batch writes to one conversation (L6). */
export interface ConversationWrite {
  conversationId: Uuid;
  seq: number;
  open: number;
  documents: DocumentWrite[];
  snapshot: SnapshotChange[];
  /** With these, though there be none, the version of the members rises and every node is told. */
  members?: readonly MemberChange[];
  /** Title and what newcomers may read, where they change. */
  about?: { title?: string; history?: GroupHistory };
}

/** A new conversation with its first documents. */
export interface NewConversation {
  id: Uuid;
  kind: ConversationKind | 'private';
  title: string | null;
  /** What newcomers of a group may read; without it everything. */
  history?: GroupHistory;
  /** Who asks those members who are `asked`. */
  by?: Uuid;
  createdAt: number;
  members: Member[];
  documents: DocumentWrite[];
}

/** Thrown by `transact` and `create` when nobody can say whether the transaction committed (L10). Every other error means: it was not committed (L9). */
export class CommitUnknown extends Error {
  override name = 'CommitUnknown';
}

/** Thrown when the log cannot be reached or has no room now: nothing was written, and trying again later may help. */
export class LogUnavailable extends Error {
  override name = 'LogUnavailable';
}

/** The truth (L1 to L11). All its reads are of one moment; whoever reads may get the answer later. */
export interface UpdateLog {
  /** Everything of a document after `position` (0: all of it); null when there is no such document. */
  read(conversationId: Uuid, n: number, position: number): Promise<LoadedDocument | null>;
  /**
   * One transaction: locks the conversations in order of id, reads under the lock, lets `build` decide synchronously, writes what it
   * returns, sends hints that name documents and positions, and commits. Nothing to write: no row, no hint. An error of `build` rolls back.
   */
  transact(wants: Want[], build: (locked: Map<Uuid, Locked>) => ConversationWrite[]): Promise<void>;
  /**
   * Creates a conversation whole, with hints of its documents, or leaves the one that has this id; nothing private of a deleted account (G5).
   * True when it was created.
   */
  create(conversation: NewConversation): Promise<boolean>;
  /** Those of the given documents whose log is ahead of the given position, or whose members are of another version. */
  ahead(
    documents: { conversationId: Uuid; n: number; position: number; membersVersion: number }[],
  ): Promise<{ conversationId: Uuid; n: number }[]>;
  /** Documents that asked for compaction at least `forMs` ago, the oldest first, at most `limit`. */
  due(forMs: number, limit: number): Promise<{ conversationId: Uuid; n: number }[]>;
  /** Under the lock and in one transaction, replaces exactly the rows that `merge` was given by the one it returns. */
  compact(conversationId: Uuid, n: number, merge: (rows: UpdateRow[]) => Uint8Array): Promise<void>;
  /** A document that cannot be compacted asks again so much later, so that it does not stand before all others. */
  putOff(conversationId: Uuid, n: number, forMs: number): Promise<void>;
}

/** What a node says of a client id in a conversation's root: who speaks under it, since which of the nodes' clocks; `typing` null: nobody any more. */
export type PresenceNews = [conversationId: Uuid, client: number, userId: Uuid, since: number, typing: boolean | null, read: number | null];

/** What nodes tell each other. Hints may be lost, doubled and late; they carry ids and positions, never text. */
export type Hint =
  | { kind: 'updates'; documents: [conversationId: Uuid, n: number, position: number][] }
  /** `read`: it is the read position, which that person's list shows too. */
  | { kind: 'positions'; conversationId: Uuid; userId: Uuid; read: boolean }
  /** Members, roles or blocks of a conversation changed. */
  | { kind: 'members'; conversationId: Uuid }
  /** A session of a person has ended; without `sid` all of them (S4). */
  | { kind: 'signed-out'; userId: Uuid; sid?: Uuid }
  /** A session was renewed until `expiresAt`, milliseconds. */
  | { kind: 'renewed'; sid: Uuid; expiresAt: number }
  /** Who is on a node and who went (P8). `clock` is beyond all that the sender has heard. */
  | { kind: 'presence'; node: Uuid; clock: number; news: PresenceNews[] }
  /** A node is there, and asks who is in these conversations, if any. */
  | { kind: 'who-is-here'; node: Uuid; clock: number; conversationIds: Uuid[] };

export interface HintBus {
  /** Calls `onHint` for hints of all nodes, this one's too, and `onGap` whenever hints may have been lost: at first and after each reconnect. */
  listen(onHint: (hint: Hint) => void, onGap: () => void): Promise<() => Promise<void>>;
  /** Sends a hint outside of a commit. */
  publish(hint: Hint): Promise<void>;
}

/** How far somebody has read, and had delivered, as seqs. */
export interface Positions {
  read: number;
  delivered: number;
}

/** From whom presence and positions are kept (P6): `silent` people from everybody, both ways; each two who are `apart` from one another. */
export interface Privacy {
  silent: Uuid[];
  apart: [Uuid, Uuid][];
}

/** Who belongs to a conversation, and how far they have read. */
export interface Membership {
  /** `former`: was a member once. A private document has its owner as member. */
  access(conversationId: Uuid, userId: Uuid): Promise<'member' | 'former' | 'never'>;
  positions(conversationId: Uuid): Promise<Map<Uuid, Positions>>;
  /** Moves a member's read position forward, never back and never beyond the last seq; answers where it stands. Null: not a member. */
  setRead(conversationId: Uuid, userId: Uuid, seq: number): Promise<number | null>;
  privacy(conversationId: Uuid): Promise<Privacy>;
  /** Takes the conversation off the person's list until its next message, or puts it back; false: not a member. */
  setListed(conversationId: Uuid, userId: Uuid, listed: boolean): Promise<boolean>;
  /** Moves what a person's devices have stored forward, never back and never beyond the last seq; answers where it moved. */
  setDelivered(userId: Uuid, seqs: ReadonlyMap<Uuid, number>): Promise<Uuid[]>;
}

/** The sign-ins behind open sockets (S4). */
export interface StandingSignIns {
  /** Those of the given sessions whose sign-in does not stand any more at `now`: it was ended, or ran out. */
  ended(sids: readonly Uuid[], now: number): Promise<Uuid[]>;
  /** Those of the given people whose accounts were deleted. */
  gone(userIds: readonly Uuid[]): Promise<Uuid[]>;
}

/** What changes people's conversation lists (I2, I3). */
export interface InboxSource {
  /**
   * What the person's list shows and changed since `cursor`, newest first, and what left it. Without a cursor, or with one that is of no
   * use any more, the whole list. The answer's cursor leaves out nothing that is not in the answer, in whatever order transactions commit;
   * what is near it may come again.
   */
  changes(userId: Uuid, cursor: string | null): Promise<{ changed: Conversation[]; gone: Uuid[]; cursor: string }>;
  /** Those of the people who are, or were, members of one of the conversations. */
  concerned(conversationIds: readonly Uuid[], userIds: readonly Uuid[]): Promise<Uuid[]>;
}

/** Rights that are more than membership: roles, blocks, quotas (A6). */
export interface Permissions {
  /** Why this entry may not be written now; null: it may. */
  judge(entry: {
    conversation: ConversationState;
    members: ReadonlyMap<Uuid, Member>;
    writer: Uuid;
    kind: 'message' | 'reactions' | 'removal';
  }): Neutralised | null;
}

/** The session's way to its socket. */
export interface Socket {
  send(frame: Uint8Array): void;
  close(code: number, reason: string): void;
  /** Bytes accepted by `send` and not yet handed to the network. */
  buffered(): number;
  /** Calls `then` once, when all that was accepted is handed to the network. Answers the way to stop that. */
  drained(then: () => void): () => void;
  /** Stops reading what the other side sends; what was read already may still come. */
  pause(): void;
  resume(): void;
}

export interface Logger {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}
