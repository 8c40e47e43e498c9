import type { Neutralised } from '../../shared/close-codes.ts';
import type { GroupHistory } from '../../shared/conversation.ts';
import type { MessageId, Uuid } from '../../shared/ids.ts';
import type { MessageValue } from '../../shared/segment.ts';
import type { Ask } from './rights/asking.ts';
import type { Members } from './rights/members.ts';

/** What became of a message that a program sent over HTTP (H2). */
export type SendResult =
  /** It stands in the conversation; `created` false: it already did, with the same sender. */
  | { kind: 'sent'; created: boolean }
  /** The id is used for something else, or the message was removed, or may not be sent now. */
  | { kind: 'neutralised'; code: Neutralised }
  | { kind: 'not-found' }
  /** The room is quarantined or the log cannot be reached; trying again with the same id is safe. */
  | { kind: 'unavailable' };

/** What the HTTP API asks of the core. Every call is idempotent, but `openGroup` without an id. */
export interface Messaging {
  /** The direct conversation of two people, created when there is none (D2). */
  openDirect(userId: Uuid, otherId: Uuid): Promise<{ conversationId: Uuid; created: boolean }>;
  /** A new group; the caller owns it. With an `id` of the client's own: the group that has it. */
  openGroup(
    userId: Uuid,
    title: string,
    memberIds: readonly Uuid[],
    group?: { id?: Uuid | undefined; history?: GroupHistory | undefined },
  ): Promise<{ conversationId: Uuid; created: boolean }>;
  /** Opens a conversation with others, or adds them to one, where this person may ask them; null where not (G3). */
  ask: Ask;
  /** Changes of members; each is told to every node with its commit, and ends the sockets of whoever is none any more. */
  members: Pick<Members, 'describe' | 'put' | 'setRole' | 'remove' | 'accept'>;
  /** Takes a conversation off the person's list until its next message, or puts it back; false: no member. */
  setListed(userId: Uuid, conversationId: Uuid, listed: boolean): Promise<boolean>;
  /** Blocks somebody, or takes it back. */
  setBlocked(userId: Uuid, otherId: Uuid, blocked: boolean): Promise<void>;
  /** An account was deleted: what is left of it in conversations is seen to from now on, here or on another node. */
  depart(userId: Uuid): void;
  /** Writes a message into the sender's lane of the open segment, through the same queue as every frame. */
  send(userId: Uuid, conversationId: Uuid, id: MessageId, value: MessageValue): Promise<SendResult>;
  /** Moves the read position forward and tells whoever watches; answers where it stands, null for who is no member. */
  markRead(userId: Uuid, conversationId: Uuid, seq: number): Promise<number | null>;
  /** Ends the open sockets of one session, or of all of a person's, with `unauthorized` (S4). */
  endSessions(who: { userId: Uuid; sid?: string }): void;
  /** A refreshed session's open sockets live until `expiresAt`, milliseconds (design: a refresh extends them). */
  extendSession(sid: string, expiresAt: number): void;
}
