import type { MessageId, Uuid } from '../../../shared/ids.ts';

/** A message as it stood when it was reported. */
export interface ReportedMessage {
  id: MessageId;
  seq: number;
  senderId: Uuid;
  /** Null when it was deleted by then. */
  content: string | null;
  /** ISO 8601 in UTC, as the others here. */
  sentAt: string;
}

/** What somebody asks the operator to look at: a message with what stood around it, the server's own copy. */
export interface Report {
  id: Uuid;
  reporterId: Uuid;
  /** Handles, also of deleted accounts; null: nobody has this id any more. */
  reporter: string | null;
  reported: string | null;
  reportedId: Uuid;
  conversationId: Uuid;
  messageId: MessageId;
  reason: string;
  at: string;
  closedAt: string | null;
  messages: ReportedMessage[];
}

/** Messages that are kept before and after the reported one. */
export const AROUND = 5;

export interface Reports {
  /**
   * Keeps a report with what its reporter may read around the message; its id, or that of their earlier one about this message. Null: the
   * reporter may not read it, or it is their own. `too-many`: `most` others of theirs are open.
   */
  file(
    report: Pick<Report, 'id' | 'reporterId' | 'conversationId' | 'messageId' | 'reason'> & { now: number },
    most: number,
  ): Promise<{ id: Uuid; filed: boolean } | 'too-many' | null>;
  /** The newest `limit`, the newest first; open ones only, or all. */
  list(which: 'open' | 'all', limit: number): Promise<Report[]>;
  /** By id or the beginning of one, where only one begins so. */
  find(id: string): Promise<Report | null>;
  close(id: Uuid, now: number): Promise<boolean>;
}
