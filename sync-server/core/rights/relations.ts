import type { ConversationKind } from '../../../shared/conversation.ts';
import type { Uuid } from '../../../shared/ids.ts';

/** What people are to one another: who knows whom, and who has blocked whom. */
export interface Relations {
  /** Those of the others who know this person: they have accepted a conversation in which both are. */
  knowing(userId: Uuid, others: readonly Uuid[]): Promise<Set<Uuid>>;
  /** This person's requests since `since` (milliseconds) that were not accepted, one for each conversation; `left`: whoever was asked is out again. */
  asked(userId: Uuid, since: number): Promise<{ userId: Uuid; left: boolean }[]>;
  /**
   * Blocks somebody, or takes it back, as one transaction: it locks the conversations that both are in, their direct one's id included
   * though it does not exist yet, raises the versions of their members, and tells every node (`members`). False: it was so already.
   */
  setBlocked(userId: Uuid, otherId: Uuid, directId: Uuid, blocked: boolean): Promise<boolean>;
}

/** One conversation of somebody who goes. */
export interface Left {
  conversationId: Uuid;
  kind: ConversationKind;
}

/** What is still to be done for people whose accounts were deleted. Every step may be taken twice. */
export interface Departures {
  /** People who go; `removes`: their messages go too. */
  due(): Promise<{ userId: Uuid; removes: boolean }[]>;
  /** Conversations that they are members of. */
  memberships(userId: Uuid): Promise<Left[]>;
  /** Segments that hold a text or reactions of theirs, at most `limit`, also where they are no member any more. */
  traces(userId: Uuid, limit: number): Promise<{ conversationId: Uuid; n: number }[]>;
  /** All is done: their private documents and their blocks go, and they are due no more. */
  finish(userId: Uuid): Promise<void>;
}
