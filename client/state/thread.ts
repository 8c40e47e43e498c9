import { type MessageId, type Uuid, messageTime } from '../../shared/ids.ts';
import type { SegmentMessage } from '../../shared/segment.ts';
import type { ChangeEntry, Failure, MessageEntry } from '../sync/outbox/entry.ts';

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
  /** A new day begins here. */
  startsDay: boolean;
  /** The first unread one when the reader came. */
  startsUnread: boolean;
  /** First and last of a run by one author within a few minutes. */
  startsRun: boolean;
  endsRun: boolean;
}

interface Input {
  messages: readonly SegmentMessage[];
  pending: readonly MessageEntry[];
  changeOf: (id: MessageId) => ChangeEntry | undefined;
  isKept: (entry: MessageEntry) => boolean;
  me: Uuid;
  now: number;
  /** The divider stands before the first message of others after this seq; null: there is none. */
  unreadAfter: number | null;
}

const RUN_MS = 5 * 60_000;

/** Late mail belongs to the day on which it came: days follow one another. */
const dayOf = ({ acceptedAt, at }: ThreadMessage): string => new Date(acceptedAt ?? at).toDateString();
const isRun = (a: ThreadMessage, b: ThreadMessage): boolean => a.authorId === b.authorId && Math.abs(b.at - a.at) < RUN_MS;

/** What a waiting change makes of a row. */
function overlay(row: ThreadMessage, change: ChangeEntry | undefined): Partial<ThreadMessage> {
  if (!change) return {};
  const failure = change.state.kind === 'failed' ? change.state.code : row.failure;
  return change.kind === 'delete'
    ? { change: 'delete', failure }
    : { change: 'edit', text: change.body, isEdited: row.seq !== null, failure };
}

/** The thread: logged messages in order of `seq`, own pending ones last in the order written (C3). Clocks decide nothing. */
export function projectThread({ messages, pending, changeOf, isKept, me, now, unreadAfter }: Input): ThreadMessage[] {
  const none = { startsDay: false, startsUnread: false, startsRun: true, endsRun: true };
  const logged = new Set(messages.map(({ id }) => id));
  const rows = [
    ...messages.map((message): ThreadMessage => ({
      id: message.id,
      seq: message.seq,
      authorId: message.authorId,
      isOwn: message.authorId === me,
      text: message.body,
      at: Math.min(message.writtenAt, now),
      acceptedAt: message.acceptedAt,
      isEdited: message.editedAt !== null,
      failure: null,
      change: null,
      isKept: true,
      ...none,
    })),
    ...pending
      .filter(({ messageId }) => !logged.has(messageId))
      .map((entry): ThreadMessage => ({
        id: entry.messageId,
        seq: null,
        authorId: me,
        isOwn: true,
        text: entry.value[0],
        at: Math.min(messageTime(entry.messageId), now),
        acceptedAt: null,
        isEdited: false,
        failure: entry.state.kind === 'failed' ? entry.state.code : null,
        change: null,
        isKept: isKept(entry),
        ...none,
      })),
  ];
  for (const row of rows) if (row.isOwn && row.text !== null) Object.assign(row, overlay(row, changeOf(row.id)));
  const firstUnread = unreadAfter === null ? undefined : rows.find((row) => !row.isOwn && row.seq !== null && row.seq > unreadAfter);
  rows.forEach((row, i) => {
    const before = rows[i - 1];
    row.startsDay = !before || dayOf(before) !== dayOf(row);
    row.startsUnread = row === firstUnread;
    row.startsRun = row.startsDay || row.startsUnread || !before || !isRun(before, row);
    if (before) before.endsRun = row.startsRun;
  });
  return rows;
}
