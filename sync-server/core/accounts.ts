import type { Conversation, Me, Message, User } from '../../shared/api.ts';
import type { MessageId, Uuid } from '../../shared/ids.ts';

/** A person who is to be registered. */
export interface NewAccount {
  id: Uuid;
  handle: string;
  displayName: string;
  /** Null: this person signs in by other ways. */
  passwordHash: string | null;
  /** Milliseconds since 1970. */
  createdAt: number;
}

/** The invite that a person comes with, by the hash of its token; `fromPeople` false takes only the operator's. */
export interface InviteUse {
  tokenHash: Uint8Array;
  fromPeople: boolean;
  now: number;
}

/** People and their profiles. */
export interface Accounts {
  /** With an invite, one of its uses goes with the account, or both are left. `link-ended`: it has no more, or never was (U5). */
  create(account: NewAccount, invite: InviteUse | null): Promise<{ kind: 'created'; me: Me } | { kind: 'handle-taken' | 'link-ended' }>;
  /** What a log-in is checked against (S1). */
  credentials(handle: string): Promise<{ userId: Uuid; passwordHash: string | null } | null>;
  me(userId: Uuid): Promise<Me | null>;
  /** Changes the named fields only. */
  change(userId: Uuid, profile: { displayName?: string | undefined; bio?: string | undefined }): Promise<Me | null>;
  /** Replaces the person's picture, as it is served; null takes it away. */
  setAvatar(userId: Uuid, avatar: { hash: string; bytes: Uint8Array } | null): Promise<Me | null>;
  /** A person's picture; null when it is another one now, or none. */
  avatar(userId: Uuid, hash: string): Promise<Uint8Array | null>;
  /** Somebody as `viewer` may find them: who has blocked the other, or was blocked, is nobody to them (G1). */
  byHandle(handle: string, viewer?: Uuid): Promise<User | null>;
  /** People other than the one who asks whose handle or name starts with `prefix`, by handle; as `byHandle` finds them. */
  search(userId: Uuid, prefix: string, limit: number): Promise<User[]>;
  /** Those of the given ids that are people; whose account was deleted is none. */
  existing(ids: readonly Uuid[]): Promise<Set<Uuid>>;
  /** Those of them whom this person may bring into a group: neither has blocked the other. */
  reachable(userId: Uuid, ids: readonly Uuid[]): Promise<Set<Uuid>>;
  /** Whom the person has blocked, by handle. */
  blocked(userId: Uuid): Promise<User[]>;
  /**
   * Deletes an account: profile, picture, ways in and sign-ins go, the handle stays theirs. Its conversations are seen to afterwards;
   * `removes`: their messages go too. False: there was none.
   */
  remove(userId: Uuid, removes: boolean, now: number): Promise<boolean>;
}

/**
 * One sign-in of one device: a family of refresh tokens, of which one is current (S2). Its id is the `sid` of access tokens.
 * Tokens themselves are stored nowhere; `successorKey` makes a token's successor from the token.
 */
export interface SignIn {
  sid: Uuid;
  userId: Uuid;
  /** What it was opened on, in words: "Firefox on Linux". */
  device: string;
  tokenHash: Uint8Array;
  previousHash: Uint8Array | null;
  successorKey: Uint8Array;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** When it was used last, to a quarter of an hour. */
  rotatedAt: number;
  expiresAt: number;
  /** How often it has rotated; access tokens tell which rotation they came with. */
  rotation: number;
  /** The answer of the last rotation has arrived: its access token was used. */
  isReceived: boolean;
  /** The answer of the last rotation was given once more, long after the first time. */
  isRepeated: boolean;
  /** So many rotations in a row were answered once more. */
  repeats: number;
}

export interface SignIns {
  /**
   * Answers the person's oldest sign-ins, which made room for it (U1). Null, and nothing is opened, when `passwordHash` is given and is
   * not the person's any more, or the person is gone.
   */
  open(signIn: SignIn, passwordHash: string | null): Promise<Uuid[] | null>;
  /** Under the row's lock `decide` says how the sign-in is to stand, null ends it; answers what it said. Null: there is no such sign-in. */
  change<Decision extends { signIn: SignIn | null }>(sid: Uuid, decide: (signIn: SignIn) => Decision): Promise<Decision | null>;
  /** Ends a sign-in, of this person when one is given; whose it was, or null when there was none. */
  end(sid: Uuid, userId?: Uuid): Promise<Uuid | null>;
  /** Ends the person's sign-ins but one; those that were ended. */
  endOthers(userId: Uuid, sid: Uuid): Promise<Uuid[]>;
  /** The person's sign-ins that stand, the last used first. */
  list(userId: Uuid, now: number): Promise<SignIn[]>;
  /** Whether this person's sign-in stands: neither ended nor run out. Notes that the answer of this rotation has arrived, when it is the last. */
  isLive(token: { sid: Uuid; userId: Uuid; rotation: number }, now: number): Promise<boolean>;
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
