import type { Neutralised } from '../../../shared/close-codes.ts';
import type { MessageId, Uuid } from '../../../shared/ids.ts';
import type { MessageValue } from '../../../shared/segment.ts';
import type { ConversationMarks, Setting } from '../../../shared/user-document.ts';

/**
 * Why an entry failed for good: neutralised by the server, its message is gone, the conversation is not open to this person, there is none
 * any more, or the server cannot read it.
 */
export type Failure = Neutralised | 'gone' | 'refused' | 'lost' | 'unreadable';

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

/** It waits to go into a document. */
export const goesIntoDocument = ({ kind, state }: Entry): boolean =>
  (kind === 'message' || kind === 'edit' || kind === 'delete' || kind === 'react') && state.kind === 'waiting';

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

function withBody(message: MessageEntry, body: string): MessageEntry {
  const [, replyTo, editedAt, extras] = message.value;
  return { ...message, value: extras ? [body, replyTo, editedAt, extras] : [body, replyTo, editedAt] };
}

/** What this tab knows of a message that is to be changed: another tab may send it unheard; it waits here, and has not left; it is to be deleted. */
export interface Known {
  readonly isElsewhere: boolean;
  readonly isUnsent: boolean;
  readonly isToGo: boolean;
}
const UNKNOWN: Known = { isElsewhere: false, isUnsent: false, isToGo: false };

/** What failed leaves from nowhere by itself. */
const mayHaveLeft = ({ placed, state }: MessageEntry, isElsewhere: boolean): boolean => placed || (isElsewhere && state.kind === 'waiting');

/** Changes the text of a message: in the outbox only while it cannot have left, else by an entry of its own. A deletion stays one. */
export const edit =
  (change: EditEntry, { isElsewhere, isUnsent, isToGo } = UNKNOWN): Decide =>
  (found) => {
    const message = found.get(messageKey(change.messageId));
    // Another tab has just taken it back: there is nothing that could be changed, ever.
    if (isToGo || (!message && isUnsent)) return NOTHING;
    if (message?.kind === 'message' && !mayHaveLeft(message, isElsewhere)) {
      // With an older change beside it, from when another tab might have sent it, that one would come after it.
      if (found.get(change.id)?.kind === 'delete') return NOTHING;
      return new Map<string, Entry | null>([
        [message.id, { ...withBody(message, change.body), state: WAITING }],
        [change.id, null],
      ]);
    }
    return found.get(change.id)?.kind === 'delete' ? NOTHING : one(change);
  };

/** Takes a message away: without a trace while it cannot have left. */
export const remove =
  (change: DeleteEntry, { isElsewhere, isUnsent } = UNKNOWN): Decide =>
  (found) => {
    const message = found.get(messageKey(change.messageId));
    if (!message && isUnsent) return NOTHING;
    // Nobody reacts to what they have deleted.
    if (message?.kind !== 'message' || mayHaveLeft(message, isElsewhere))
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

/** What it asks for. */
function wish(entry: Entry): string | number | boolean {
  switch (entry.kind) {
    case 'edit':
      return entry.body;
    case 'read':
      return entry.seq;
    case 'answer':
      return entry.answer;
    case 'block':
      return entry.isBlocked;
    case 'react':
      return JSON.stringify(entry.toggles);
    case 'private':
      return JSON.stringify(entry.value);
    case 'open':
    case 'message':
    case 'delete':
      return '';
  }
}

/** Two tabs may write within the same moment: order and time alone do not tell their entries apart. */
const isSame = (one: Entry | undefined, other: Entry): boolean =>
  one?.kind === other.kind && one.at === other.at && one.order === other.order && wish(one) === wish(other);

/** Takes entries out, each only if it still is what was looked at. */
export const drop =
  (entries: readonly Entry[]): Decide =>
  (found) =>
    new Map(entries.filter((entry) => isSame(found.get(entry.id), entry)).map(({ id }) => [id, null]));

const withState = (entry: Entry, state: EntryState): Entry => asUnsent({ ...entry, state });

/** Nothing of it stands in a document: were it set again, that would be anew. */
function asUnsent(entry: Entry): Entry {
  if (entry.kind === 'message') return { ...entry, placed: false };
  if (!isLeaving(entry)) return entry;
  const { left: _, ...unsent } = entry;
  return unsent;
}

/**
 * The server did not take these. A message fails with its last text, and one that was to go is gone; but whoever is `refused` is not told
 * whether it was taken before, so what is to become of it stays beside it.
 */
export const fail =
  (ids: readonly string[], code: Failure): Decide =>
  (found) => {
    const state: EntryState = { kind: 'failed', code };
    const changes = new Map<string, Entry | null>();
    for (const entry of found.values()) if (ids.includes(entry.id)) changes.set(entry.id, withState(entry, state));
    for (const entry of found.values()) {
      if (entry.kind !== 'message' || !ids.includes(entry.id)) continue;
      const change = found.get(changeKey(entry.messageId));
      if (!change) continue;
      const mayStand = code === 'refused' && entry.placed;
      changes.set(change.id, mayStand ? withState(change, state) : null);
      if (change.kind === 'delete' && !mayStand) changes.set(entry.id, null);
      if (change.kind === 'edit' && !mayStand) changes.set(entry.id, withState(withBody(entry, change.body), state));
    }
    return changes;
  };
/** Sends what failed again, under the same id. */
export const retry: Decide = (found) =>
  new Map([...found.values()].filter(({ state }) => state.kind === 'failed').map((entry) => [entry.id, withState(entry, WAITING)]));

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
    return isSame(now, entry) && now.left?.client === entry.left?.client ? one({ ...now, left }) : NOTHING;
  };
