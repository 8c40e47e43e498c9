import type { Conversation, Me, Message, User } from '../../shared/api.ts';
import type { MessageId, Uuid } from '../../shared/ids.ts';

/** A person who is to be registered. */
export interface NewAccount {
  id: Uuid;
  handle: string;
  displayName: string;
  passwordHash: string;
  /** Milliseconds since 1970. */
  createdAt: number;
}

/** People and their profiles. */
export interface Accounts {
  /** Null when the handle is taken. */
  create(account: NewAccount): Promise<Me | null>;
  /** What a log-in is checked against (S1). */
  credentials(handle: string): Promise<{ userId: Uuid; passwordHash: string } | null>;
  me(userId: Uuid): Promise<Me | null>;
  /** Changes the named fields only. */
  change(userId: Uuid, profile: { displayName?: string | undefined; bio?: string | undefined }): Promise<Me | null>;
  /** Replaces the person's picture, as it is served; null takes it away. */
  setAvatar(userId: Uuid, avatar: { hash: string; bytes: Uint8Array } | null): Promise<Me | null>;
  /** A person's picture; null when it is another one now, or none. */
  avatar(userId: Uuid, hash: string): Promise<Uint8Array | null>;
  byHandle(handle: string): Promise<User | null>;
  /** People other than the one who asks whose handle or name starts with `prefix`, by handle. */
  search(userId: Uuid, prefix: string, limit: number): Promise<User[]>;
  /** Those of the given ids that are people. */
  existing(ids: readonly Uuid[]): Promise<Set<Uuid>>;
}

/**
 * One sign-in of one device: a family of refresh tokens, of which one is current (S2). Its id is the `sid` of access tokens.
 * Tokens themselves are stored nowhere; `successorKey` makes a token's successor from the token.
 */
export interface SignIn {
  sid: Uuid;
  userId: Uuid;
  tokenHash: Uint8Array;
  previousHash: Uint8Array | null;
  successorKey: Uint8Array;
  /** Milliseconds since 1970. */
  rotatedAt: number;
  expiresAt: number;
}

export interface SignIns {
  open(signIn: SignIn): Promise<void>;
  /** Under the row's lock `decide` says how the sign-in is to stand, null ends it; answers what it said. Null: there is no such sign-in. */
  change<Decision extends { signIn: SignIn | null }>(sid: Uuid, decide: (signIn: SignIn) => Decision): Promise<Decision | null>;
  /** Ends a sign-in; whose it was, or null when there was none. */
  end(sid: Uuid): Promise<Uuid | null>;
  /** Whether this person's sign-in stands: neither ended nor run out. */
  isLive(sid: Uuid, userId: Uuid, now: number): Promise<boolean>;
}

/** A private signing key as JWK text, with its key id. */
export interface StoredKey {
  kid: string;
  jwk: string;
}

export interface SigningKeys {
  /** The stored keys, the newest first; when there is none, stores what `make` gives, once for all nodes. */
  load(make: () => Promise<StoredKey>): Promise<StoredKey[]>;
}

/** Where a page of the conversation list ended. */
export interface ConversationCursor {
  /** Time of the last message, or of creation, milliseconds since 1970. */
  at: number;
  id: Uuid;
}

/** A page before which there may be more: `nextBefore` null says that there is none. */
export interface Page<Item, Cursor> {
  items: Item[];
  nextBefore: Cursor | null;
}

/** What people may read of the snapshot tables (H3). Null: no such conversation, or the asker is no member (H4). */
export interface History {
  /** The person's conversations, newest first. */
  conversations(userId: Uuid, before: ConversationCursor | null, limit: number): Promise<Page<Conversation, ConversationCursor>>;
  conversation(userId: Uuid, conversationId: Uuid): Promise<Conversation | null>;
  /** The newest `limit` messages before the seq `before`, oldest first. */
  messages(userId: Uuid, conversationId: Uuid, before: number | null, limit: number): Promise<Page<Message, number> | null>;
  message(userId: Uuid, conversationId: Uuid, id: MessageId): Promise<Message | null>;
  /** The newest `limit` segments before number `before`, ascending. */
  segments(userId: Uuid, conversationId: Uuid, before: number | null, limit: number): Promise<Page<SegmentPlace, number> | null>;
  /** How far the person has read, and how much is unread. */
  readState(userId: Uuid, conversationId: Uuid): Promise<{ lastReadSeq: number; unreadCount: number } | null>;
}

export interface SegmentPlace {
  n: number;
  firstSeq: number;
}
