import type * as Y from 'yjs';
import type { MessageId, Uuid } from '../../../shared/ids.ts';
import type { ConversationState, DocumentState, Member, Permissions } from '../ports.ts';

/** What a batch judges one document's frames by: all of it read under the conversation's lock. */
export interface BatchInput {
  kind: 'root' | 'segment' | 'user';
  /** The live document: committed state, collected garbage, nothing pending. It is only read. */
  doc: Y.Doc;
  state: DocumentState;
  conversation: ConversationState;
  members: ReadonlyMap<Uuid, Member>;
  claims: ReadonlyMap<number, Uuid>;
  /** Which of the frames' `messageIds` are used in the conversation; ids of this batch's new messages are added. Shared by its documents. */
  usedIds: Set<MessageId>;
  permissions: Permissions;
  /** The server's time, milliseconds. */
  now: number;
}
