import type { Neutralised } from '../../../shared/close-codes.ts';
import type { MessageId, Uuid } from '../../../shared/ids.ts';
import type { MessageValue } from '../../../shared/segment.ts';
import type { ConversationMarks, Setting } from '../../../shared/user-document.ts';

/**
 * Why an entry failed for good: neutralised by the server, its message is gone, the conversation is not open to this person, or the server
 * cannot read it.
 */
export type Failure = Neutralised | 'gone' | 'refused' | 'unreadable';

/** Where a struct of Yjs stands: its client id and clock. */
export interface StructId {
  readonly client: number;
  readonly clock: number;
}

export type EntryState = { kind: 'waiting' } | { kind: 'failed'; code: Failure };

interface Common {
  /** Named for what it changes, so that there is never more than one for the same key. */
  readonly id: string;
  readonly conversationId: Uuid;
  /** Rises in the order of writing. */
  readonly order: number;
  /** When it was written, milliseconds. */
  readonly at: number;
  readonly state: EntryState;
}

/** First contact: the direct conversation with this person is to be opened. */
export type OpenEntry = Common & { readonly kind: 'open'; readonly userId: Uuid };
/** A new message. `placed`: it may stand in a document, and may have left. */
export type MessageEntry = Common & {
  readonly kind: 'message';
  readonly messageId: MessageId;
  readonly value: MessageValue;
  readonly placed: boolean;
};
/**
 * A new text for a message of segment `n`; null: the one that its message entry goes to. `left`: it may have been set, by this client id and
 * not before this clock; so a start anew can tell whether the server ever took it.
 */
export type EditEntry = Common & {
  readonly kind: 'edit';
  readonly messageId: MessageId;
  readonly n: number | null;
  readonly body: string;
  readonly left?: StructId;
};
/** This person's reactions to a message that change: each emoji once. The others stay as they are. `n` and `left` as of an edit. */
export type ReactEntry = Common & {
  readonly kind: 'react';
  readonly messageId: MessageId;
  readonly n: number | null;
  readonly toggles: readonly Toggle[];
  readonly left?: StructId;
  /** It takes the place of one that may have left: nobody knows what there is, so back again is a change as well. */
  readonly isUncertain?: true;
};
export interface Toggle {
  readonly emoji: string;
  readonly isOn: boolean;
}
/**
 * A value of this person's private document; its conversation is that person. Of what a conversation is marked with, only what changes.
 * `left`: as of an edit, in the document of that number.
 */
export type PrivateEntry = Common & {
  readonly kind: 'private';
  readonly key: string;
  readonly value: PrivateValue;
  readonly left?: StructId & { readonly n: number };
};
export type PrivateValue = Setting | ConversationMarks;
export type DeleteEntry = Common & { readonly kind: 'delete'; readonly messageId: MessageId; readonly n: number | null };
/** This person has read up to `seq`. */
export type ReadEntry = Common & { readonly kind: 'read'; readonly seq: number };

/** What this person does about a request: takes it, or takes the conversation off their list, or leaves the group. */
export type Answer = 'accept' | 'hide' | 'leave';
export type AnswerEntry = Common & { readonly kind: 'answer'; readonly answer: Answer };
/** Whether this person has blocked somebody; the conversation is their direct one. */
export type BlockEntry = Common & { readonly kind: 'block'; readonly userId: Uuid; readonly isBlocked: boolean };

/** An own change that the server has not acknowledged. */
export type Entry = OpenEntry | MessageEntry | EditEntry | DeleteEntry | ReactEntry | PrivateEntry | ReadEntry | AnswerEntry | BlockEntry;
export type ChangeEntry = EditEntry | DeleteEntry;
/** What goes where its message lives. */
export type FollowingEntry = ChangeEntry | ReactEntry;
/** What others may write over: the device knows by which struct it goes before it does. */
export type LeavingEntry = EditEntry | ReactEntry | PrivateEntry;

export const messageKey = (id: MessageId): string => `m:${id}`;
export const changeKey = (id: MessageId): string => `c:${id}`;
export const reactKey = (id: MessageId): string => `e:${id}`;
export const privateKey = (key: string): string => `p:${key}`;
export const openKey = (conversationId: Uuid): string => `o:${conversationId}`;
export const readKey = (conversationId: Uuid): string => `r:${conversationId}`;
export const answerKey = (conversationId: Uuid): string => `a:${conversationId}`;
export const blockKey = (userId: Uuid): string => `b:${userId}`;

/** What stands under the asked ids. */
export type Found = ReadonlyMap<string, Entry>;
/** What is to stand under some of them; null: nothing. */
export type Changes = ReadonlyMap<string, Entry | null>;
/** A change as a value: run on what this tab knows, and again on what the device holds. */
export type Decide = (found: Found) => Changes;

const WAITING: EntryState = { kind: 'waiting' };
const one = (entry: Entry): Changes => new Map([[entry.id, entry]]);
const NOTHING: Changes = new Map();

/** A person may think better of it while it is on its way: each is one of its own. */
const isAnew = ({ kind }: Entry): boolean => kind === 'answer' || kind === 'block';

/** Adds an entry; a read position only moves forward, and what is there already keeps its place. */
export const put =
  (entry: Entry): Decide =>
  (found) => {
    const before = found.get(entry.id);
    if (before?.kind === 'read' && entry.kind === 'read' && before.seq >= entry.seq) return NOTHING;
    return one(before && !isAnew(entry) ? { ...entry, order: before.order } : entry);
  };

/** Changes the text of a message: in the outbox only while it cannot have left, else by an entry of its own. A deletion stays one. */
export const edit =
  (change: EditEntry, isElsewhere = false): Decide =>
  (found) => {
    const message = found.get(messageKey(change.messageId));
    if (message?.kind === 'message' && !message.placed && !isElsewhere) {
      const [, replyTo, editedAt, extras] = message.value;
      const value: MessageValue = extras ? [change.body, replyTo, editedAt, extras] : [change.body, replyTo, editedAt];
      // With an older change beside it, from when another tab might have sent it, that one would come after it.
      if (found.get(change.id)?.kind === 'delete') return NOTHING;
      return new Map<string, Entry | null>([
        [message.id, { ...message, value, state: WAITING }],
        [change.id, null],
      ]);
    }
    return found.get(change.id)?.kind === 'delete' ? NOTHING : one(change);
  };

/** Takes a message away: without a trace while it cannot have left. */
export const remove =
  (change: DeleteEntry, isElsewhere = false): Decide =>
  (found) => {
    const message = found.get(messageKey(change.messageId));
    // Nobody reacts to what they have deleted.
    if (message?.kind !== 'message' || message.placed || isElsewhere)
      return new Map<string, Entry | null>([
        [change.id, change],
        [reactKey(change.messageId), null],
      ]);
    return new Map<string, null>([
      [message.id, null],
      [change.id, null],
      [reactKey(change.messageId), null],
    ]);
  };

/** Takes entries out, each only if it still is what was looked at. */
export const drop =
  (entries: readonly Entry[]): Decide =>
  (found) =>
    new Map(entries.filter(({ id, order, at }) => found.get(id)?.at === at && found.get(id)?.order === order).map(({ id }) => [id, null]));

const withState =
  (state: EntryState): Decide =>
  (found) =>
    new Map([...found.values()].map((entry) => [entry.id, asUnsent({ ...entry, state })]));

/** Nothing of it stands in a document: were it set again, that would be anew. */
function asUnsent(entry: Entry): Entry {
  if (entry.kind === 'message') return { ...entry, placed: false };
  if (!isLeaving(entry)) return entry;
  const { left: _, ...unsent } = entry;
  return unsent;
}

/** The server did not take it: it stands in no document any more. */
export const fail = (code: Failure): Decide => withState({ kind: 'failed', code });
/** Sends what failed again, under the same id. */
export const retry: Decide = (found) => withState(WAITING)(new Map([...found].filter(([, { state }]) => state.kind === 'failed')));

/** Marks messages as placed, before they are: from now on they may have left. */
export const claim: Decide = (found) =>
  new Map(
    [...found.values()].flatMap((entry) =>
      entry.kind === 'message' && !entry.placed ? [[entry.id, { ...entry, placed: true }] as const] : [],
    ),
  );

const isLeaving = (entry: Entry): entry is LeavingEntry => entry.kind === 'edit' || entry.kind === 'react' || entry.kind === 'private';

/** Says of a change, before it is set, by which struct that will be; not of one that was changed meanwhile, or that another tab sets. */
export const leave =
  (entry: LeavingEntry, left: StructId & { n: number }): Decide =>
  (found) => {
    const now = found.get(entry.id);
    if (!now || !isLeaving(now)) return NOTHING;
    const isSame = now.order === entry.order && now.at === entry.at && now.left?.client === entry.left?.client;
    return isSame ? one({ ...now, left }) : NOTHING;
  };
