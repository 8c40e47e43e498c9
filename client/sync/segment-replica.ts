import { CLOSE, type Neutralised } from '../../shared/close-codes.ts';
import { formatDocumentId, type MessageId, type Uuid } from '../../shared/ids.ts';
import {
  type MessageValue,
  type SegmentMessage,
  addMessage,
  deleteMessage,
  editMessage,
  react,
  reactionsKey,
  readMessages,
  readSegmentMeta,
} from '../../shared/segment.ts';
import type { StructId } from './outbox/entry.ts';
import { type OwnValue, keyOf, newestOf, nextStruct, setBy } from './own-lane.ts';
import type { OpenProvider } from './provider.ts';
import { type ReplicaStatus, openReplica } from './replica.ts';
import { type OwnEntry, holds, readOwnEntries } from './rescue/own-entries.ts';
import type { ReplicaCache } from './storage/replica-cache.ts';

/** The replica of one segment, as plain values. */
export interface SegmentReplica {
  readonly n: number;
  status: () => ReplicaStatus;
  /** The server shows it to this person no more: it begins before they came back. */
  isShut: () => boolean;
  /** What the device held of it is here. */
  isLoaded: () => boolean;
  isStored: () => boolean;
  /** In order of `seq`; the same array until the segment changes. */
  messages: () => readonly SegmentMessage[];
  message: (id: MessageId) => SegmentMessage | undefined;
  isLogged: (id: MessageId) => boolean;
  /** What this person has made of a message of theirs; `0`: deleted. */
  own: (id: MessageId) => OwnValue<MessageValue | 0> | null;
  /** This person's reactions to a message. */
  ownReactions: (id: MessageId) => OwnValue<readonly string[]> | null;
  isCommitted: (id: StructId) => boolean;
  /** The next struct that is written here. */
  next: () => StructId;
  /** The struct of this client at or after this clock that set a key, even when others have written over it since. */
  setBy: (key: string, from: StructId) => StructId | null;
  /** Set here, neither in the log nor neutralised as far as we know, and what became of it will be told. */
  isUndecided: (id: MessageId) => boolean;
  /** Sets new messages, all in one update. */
  place: (messages: readonly { messageId: MessageId; value: MessageValue }[]) => void;
  edit: (id: MessageId, body: string, editedAt: number) => void;
  remove: (id: MessageId) => void;
  react: (id: MessageId, emoji: readonly string[]) => void;
  /** What became of the own messages that have a seq. */
  ownEntries: () => OwnEntry[];
  holds: (id: StructId) => boolean;
  close: () => void;
  abandon: () => void;
}

interface Options {
  conversationId: Uuid;
  n: number;
  me: Uuid;
  openProvider: OpenProvider;
  cache: ReplicaCache;
  onChange: () => void;
  /** The server did not take what was written under this key, and why. */
  onNeutralised: (key: string, code: Neutralised) => void;
  /** The server refused the copy that held these. `isRestored`: it has lost what it had itself. */
  onRefused: (own: readonly OwnEntry[], isRestored: boolean) => void;
}

const EMPTY = { messages: [] as readonly SegmentMessage[], byId: new Map<MessageId, SegmentMessage>() };

/** Opens a segment. */
export function openSegmentReplica({
  conversationId,
  n,
  me,
  openProvider,
  cache,
  onChange,
  onNeutralised,
  onRefused,
}: Options): SegmentReplica {
  const replica = openReplica({
    documentId: formatDocumentId({ kind: 'segment', conversationId, n }),
    openProvider,
    cache,
    onChange,
    read(doc) {
      if (!readSegmentMeta(doc)) return EMPTY;
      const messages = readMessages(doc);
      return { messages, byId: new Map(messages.map((message) => [message.id, message])) };
    },
    onRefused: (doc, isRestored) => onRefused(readOwnEntries(doc, me), isRestored),
    onTold(entry) {
      const key = replica.look((doc) => keyOf(doc, me, entry));
      if (key !== null) onNeutralised(key, entry.code);
    },
  });
  const isLogged = (id: MessageId): boolean => replica.content().byId.has(id);
  function isShut(): boolean {
    const status = replica.status();
    return status.kind === 'ended' && status.code === CLOSE.notFound.code;
  }

  const own = (id: MessageId): OwnValue<MessageValue | 0> | null =>
    replica.look((doc) => newestOf(doc, me, id) as OwnValue<MessageValue | 0> | null);

  return {
    n,
    own,
    ownReactions: (id) => replica.look((doc) => newestOf(doc, me, reactionsKey(id)) as OwnValue<readonly string[]> | null),
    setBy: (key, from) => replica.look((doc) => setBy(doc, me, key, from)),
    next: () => replica.look(nextStruct),
    isLogged,
    isShut,
    status: replica.status,
    isLoaded: replica.isLoaded,
    isStored: replica.isStored,
    isCommitted: replica.isCommitted,
    messages: () => replica.content().messages,
    message: (id) => replica.content().byId.get(id),
    isUndecided(id) {
      const item = own(id);
      if (!item || isLogged(id) || isShut()) return false;
      // Committed and yet not in the log: neutralised, and the word of it was lost. Known only when all that was committed has arrived.
      return replica.status().kind !== 'live' || !replica.isCommitted(item);
    },
    place: (messages) => replica.change((doc) => messages.forEach(({ messageId, value }) => addMessage(doc, me, messageId, value))),
    edit: (id, body, editedAt) => replica.change((doc) => void editMessage(doc, me, id, body, editedAt)),
    remove: (id) => replica.change((doc) => deleteMessage(doc, me, id)),
    react: (id, emoji) => replica.change((doc) => react(doc, me, id, emoji)),
    ownEntries: () => replica.look((doc) => readOwnEntries(doc, me)),
    holds: (struct) => replica.look((doc) => holds(doc, struct)),
    close: replica.close,
    abandon: replica.abandon,
  };
}
