import { formatDocumentId, type MessageId, type Uuid } from '../../shared/ids.ts';
import { type MessageValue, type SegmentMessage, addMessage, readMessages, readSegmentMeta } from '../../shared/segment.ts';
import type { Neutralised } from '../../shared/close-codes.ts';
import type { OpenProvider } from './provider.ts';
import { type ReplicaStatus, openReplica } from './replica.ts';

/** The replica of one segment, as plain values. */
export interface SegmentReplica {
  readonly n: number;
  status: () => ReplicaStatus;
  /** In order of `seq`; the same array until the segment changes. */
  messages: () => readonly SegmentMessage[];
  isLogged: (id: MessageId) => boolean;
  /** Sets a message into the own lane. */
  place: (id: MessageId, value: MessageValue) => void;
  /** Set here, and neither in the log nor neutralised as far as we know. */
  isUndecided: (id: MessageId) => boolean;
  close: () => void;
}

interface Options {
  conversationId: Uuid;
  n: number;
  me: Uuid;
  openProvider: OpenProvider;
  onChange: () => void;
  /** The server did not take this message, and why. */
  onNeutralised: (id: MessageId, code: Neutralised) => void;
}

const EMPTY = { messages: [] as readonly SegmentMessage[], ids: new Set<MessageId>() };

/** Opens a segment. */
export function openSegmentReplica({ conversationId, n, me, openProvider, onChange, onNeutralised }: Options): SegmentReplica {
  /** Own clock of each message set here. */
  const placed = new Map<MessageId, number>();
  const replica = openReplica({
    documentId: formatDocumentId({ kind: 'segment', conversationId, n }),
    openProvider,
    onChange,
    read(doc) {
      if (!readSegmentMeta(doc)) return EMPTY;
      const messages = readMessages(doc);
      return { messages, ids: new Set(messages.map(({ id }) => id)) };
    },
    onTold({ clock, code }) {
      for (const [id, placedAt] of placed) {
        if (placedAt !== clock) continue;
        placed.delete(id);
        onNeutralised(id, code);
      }
    },
  });
  const isLogged = (id: MessageId): boolean => replica.content().ids.has(id);

  return {
    n,
    status: replica.status,
    messages: () => replica.content().messages,
    isLogged,
    isUndecided(id) {
      const clock = placed.get(id);
      if (clock === undefined || isLogged(id)) return false;
      // Committed and yet not in the log: neutralised, and the word of it was lost. Known only when all that was committed has arrived.
      return replica.status().kind !== 'live' || clock >= replica.committed();
    },
    place(id, value) {
      // Noted first: the change itself runs the listeners.
      placed.set(id, replica.nextClock());
      replica.change((doc) => addMessage(doc, me, id, value));
    },
    close: replica.close,
  };
}
