import { type MessageId, type Uuid, messageTime } from '../../shared/ids.ts';
import type { SegmentMessage } from '../../shared/segment.ts';
import type { ChangeEntry, Failure, MessageEntry } from '../sync/outbox/entry.ts';
import { indexAfter } from './messages-after.ts';
import type { Reaction, Reactions } from './reactions.ts';

/** One message as the thread shows it. */
export interface ThreadMessage {
  id: MessageId;
  /** Null: not in the log yet. */
  seq: number | null;
  authorId: Uuid | null;
  isOwn: boolean;
  /** Null: deleted. */
  text: string | null;
  /** When it was written; never shown later than now. */
  at: number;
  /** When the server took it, where that was much later. */
  acceptedAt: number | null;
  isEdited: boolean;
  failure: Failure | null;
  /** A change of this message that the server has not taken yet: shown as if it had. */
  change: 'edit' | 'delete' | null;
  /** The device holds what was written here. */
  isKept: boolean;
  /** With what waits here, in the order in which every device shows them. */
  reactions: readonly Reaction[];
  /** Why this person's last change of reactions was undone. */
  reactionFailure: Failure | null;
  /** A new day begins here. */
  startsDay: boolean;
  /** The first unread one when the reader came. */
  startsUnread: boolean;
  /** First and last of a run by one author within a few minutes. */
  startsRun: boolean;
  endsRun: boolean;
}

/** A thread whose rows are made when they are asked for: each costs the same, however many there are (C5.9). */
export interface Thread {
  /** Own ones that are not in the log, after those that are. */
  pending: readonly MessageId[];
  at: (index: number) => ThreadMessage | undefined;
  /** Own ones that wait to be sent. */
  waiting: number;
}

interface Input {
  /** In order of `seq`. */
  messages: readonly SegmentMessage[];
  /** Own ones, in order of writing. */
  pending: readonly MessageEntry[];
  isLogged: (id: MessageId) => boolean;
  changeOf: (id: MessageId) => ChangeEntry | undefined;
  isKept: (entry: MessageEntry) => boolean;
  reactionsTo: (id: MessageId, stored: SegmentMessage['reactions']) => Reactions;
  me: Uuid;
  now: number;
  /** The divider stands before the first message of others after this seq; null: there is none. */
  unreadAfter: number | null;
}

/** What a message is, before it is known where it stands. */
type Item = Omit<ThreadMessage, 'startsDay' | 'startsUnread' | 'startsRun' | 'endsRun'>;
type Reacted = Pick<ThreadMessage, 'reactions' | 'reactionFailure'>;

const NO_REACTIONS = { shown: [], failure: null, stored: new Map<string, readonly Uuid[]>() };

const RUN_MS = 5 * 60_000;

/** Late mail belongs to the day on which it came: days follow one another. */
const dayOf = ({ acceptedAt, at }: Item): string => new Date(acceptedAt ?? at).toDateString();
const isRun = (a: Item, b: Item): boolean => a.authorId === b.authorId && Math.abs(b.at - a.at) < RUN_MS;

/** What a waiting change makes of a message. */
function overlay(item: Item, change: ChangeEntry | undefined): Partial<Item> {
  if (!change) return {};
  const failure = change.state.kind === 'failed' ? change.state.code : item.failure;
  return change.kind === 'delete'
    ? { change: 'delete', failure }
    : { change: 'edit', text: change.body, isEdited: item.seq !== null, failure };
}

/** A deleted message has none. */
function reactionsOf(id: MessageId, stored: SegmentMessage['reactions'] | null, { reactionsTo }: Input): Reacted {
  const { shown, failure } = stored ? reactionsTo(id, stored) : NO_REACTIONS;
  return { reactions: shown, reactionFailure: failure };
}

function ofMessage(message: SegmentMessage, input: Input): Item {
  const { id, seq, authorId, body, acceptedAt, reactions } = message;
  const common = { id, seq, authorId, isOwn: authorId === input.me, text: body, acceptedAt, failure: null, change: null, isKept: true };
  const at = Math.min(message.writtenAt, input.now);
  return { ...common, at, isEdited: message.editedAt !== null, ...reactionsOf(id, body === null ? null : reactions, input) };
}

function ofEntry(entry: MessageEntry, input: Input): Item {
  const { messageId, state, value } = entry;
  const { me, now, isKept } = input;
  return {
    id: messageId,
    seq: null,
    authorId: me,
    isOwn: true,
    text: value[0],
    at: Math.min(messageTime(messageId), now),
    acceptedAt: null,
    isEdited: false,
    failure: state.kind === 'failed' ? state.code : null,
    change: null,
    isKept: isKept(entry),
    ...reactionsOf(messageId, NO_REACTIONS.stored, input),
  };
}

/** The thread: logged messages in order of `seq`, own pending ones last in the order written (C3). Clocks decide nothing. */
export function projectThread(input: Input): Thread {
  const { messages, isLogged, changeOf, me, unreadAfter } = input;
  const pending = input.pending.filter(({ messageId }) => !isLogged(messageId));
  const count = messages.length + pending.length;
  const items = new Map<number, Item>();
  let divided = unreadAfter === null ? messages.length : indexAfter(messages, unreadAfter);
  while (messages[divided]?.authorId === me) divided += 1;

  function itemAt(index: number): Item {
    const known = items.get(index);
    if (known) return known;
    const message = messages[index];
    const item = message ? ofMessage(message, input) : ofEntry(pending[index - messages.length]!, input);
    if (item.isOwn && item.text !== null) Object.assign(item, overlay(item, changeOf(item.id)));
    items.set(index, item);
    return item;
  }
  const startsUnread = (index: number): boolean => index === divided && index < messages.length;
  const startsDay = (index: number): boolean => index === 0 || dayOf(itemAt(index - 1)) !== dayOf(itemAt(index));
  const startsRun = (index: number): boolean => startsDay(index) || startsUnread(index) || !isRun(itemAt(index - 1), itemAt(index));

  return {
    pending: pending.map(({ messageId }) => messageId),
    at(index) {
      if (index < 0 || index >= count) return undefined;
      return {
        ...itemAt(index),
        startsDay: startsDay(index),
        startsUnread: startsUnread(index),
        startsRun: startsRun(index),
        endsRun: index + 1 === count || startsRun(index + 1),
      };
    },
    waiting: pending.filter(({ state }) => state.kind !== 'failed').length,
  };
}
