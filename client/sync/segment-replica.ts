import * as Y from 'yjs';
import type { Neutralised } from '../../shared/close-codes.ts';
import { formatDocumentId, type MessageId, type Uuid } from '../../shared/ids.ts';
import {
  type MessageValue,
  type SegmentMessage,
  addMessage,
  deleteMessage,
  editMessage,
  laneName,
  readMessages,
  readSegmentMeta,
} from '../../shared/segment.ts';
import type { StructId } from './outbox/entry.ts';
import type { OpenProvider } from './provider.ts';
import { type ReplicaStatus, openReplica } from './replica.ts';
import { type OwnEntry, holds, readOwnEntries } from './rescue/own-entries.ts';
import type { ReplicaCache } from './storage/replica-cache.ts';

/** The newest value of a key of the own lane, with the struct that set it. `null`: a tombstone. */
export interface OwnValue extends StructId {
  readonly value: MessageValue | 0 | null;
}

/** The replica of one segment, as plain values. */
export interface SegmentReplica {
  readonly n: number;
  status: () => ReplicaStatus;
  /** What the device held of it is here. */
  isLoaded: () => boolean;
  isStored: () => boolean;
  /** In order of `seq`; the same array until the segment changes. */
  messages: () => readonly SegmentMessage[];
  message: (id: MessageId) => SegmentMessage | undefined;
  isLogged: (id: MessageId) => boolean;
  own: (id: MessageId) => OwnValue | null;
  isCommitted: (id: StructId) => boolean;
  /** The next struct that is written here. */
  next: () => StructId;
  /** The struct of this client at or after this clock that set the message, even when others have written over it since. */
  setBy: (id: MessageId, from: StructId) => StructId | null;
  /** Set here, and neither in the log nor neutralised as far as we know. */
  isUndecided: (id: MessageId) => boolean;
  /** Sets new messages, all in one update. */
  place: (messages: readonly { messageId: MessageId; value: MessageValue }[]) => void;
  edit: (id: MessageId, body: string, editedAt: number) => void;
  remove: (id: MessageId) => void;
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
  /** The server did not take what was written under this id, and why. */
  onNeutralised: (id: MessageId, code: Neutralised) => void;
  /** The server refused the copy that held these. */
  onRefused: (own: readonly OwnEntry[]) => void;
}

const EMPTY = { messages: [] as readonly SegmentMessage[], byId: new Map<MessageId, SegmentMessage>() };

const isStruct = (item: Y.Item, { client, clock }: StructId): boolean =>
  item.id.client === client && clock >= item.id.clock && clock < item.id.clock + item.length;

/** Under which key of the lane a struct stands, newest values first. */
function keyOf(lane: Y.Map<unknown>, struct: StructId): string | null {
  for (const [key, newest] of lane._map)
    for (let item: Y.Item | null = newest; item; item = item.left) if (isStruct(item, struct)) return key;
  return null;
}

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
    onRefused: (doc) => onRefused(readOwnEntries(doc, me)),
    onTold(entry) {
      const key = replica.look((doc) => keyOf(doc.getMap(laneName(me)), entry));
      if (key !== null) onNeutralised(key, entry.code);
    },
  });
  const isLogged = (id: MessageId): boolean => replica.content().byId.has(id);

  function own(id: MessageId): OwnValue | null {
    return replica.look((doc) => {
      const item = doc.getMap(laneName(me))._map.get(id);
      if (!item) return null;
      const value = item.deleted ? null : (item.content.getContent().at(-1) as MessageValue | 0);
      return { client: item.id.client, clock: item.id.clock + item.length - 1, value };
    });
  }

  function setBy(id: MessageId, from: StructId): StructId | null {
    return replica.look((doc) => {
      for (let item = doc.getMap(laneName(me))._map.get(id) ?? null; item; item = item.left) {
        const clock = item.id.clock + item.length - 1;
        if (item.id.client === from.client && clock >= from.clock) return { client: from.client, clock };
      }
      return null;
    });
  }

  return {
    n,
    own,
    setBy,
    next: () => replica.look((doc) => ({ client: doc.clientID, clock: Y.getState(doc.store, doc.clientID) })),
    isLogged,
    status: replica.status,
    isLoaded: replica.isLoaded,
    isStored: replica.isStored,
    isCommitted: replica.isCommitted,
    messages: () => replica.content().messages,
    message: (id) => replica.content().byId.get(id),
    isUndecided(id) {
      const item = own(id);
      if (!item || isLogged(id)) return false;
      // Committed and yet not in the log: neutralised, and the word of it was lost. Known only when all that was committed has arrived.
      return replica.status().kind !== 'live' || !replica.isCommitted(item);
    },
    place: (messages) => replica.change((doc) => messages.forEach(({ messageId, value }) => addMessage(doc, me, messageId, value))),
    edit: (id, body, editedAt) => replica.change((doc) => void editMessage(doc, me, id, body, editedAt)),
    remove: (id) => replica.change((doc) => deleteMessage(doc, me, id)),
    ownEntries: () => replica.look((doc) => readOwnEntries(doc, me)),
    holds: (struct) => replica.look((doc) => holds(doc, struct)),
    close: replica.close,
    abandon: replica.abandon,
  };
}
