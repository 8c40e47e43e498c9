import type * as Y from 'yjs';
import { type MessageId, type Uuid, isMessageId, messageTime } from './ids.ts';
import { LIMITS } from './limits.ts';

/**
 * A segment: about 500 messages and all that was said about them (D3). The one place that knows its shape:
 *
 *   Y.Map   meta          { n, firstSeq }                               server
 *   Y.Array log           id | [id, acceptedAt]                         server: which message has which seq
 *   Y.Map   u:<userId>    <id>  → [body, replyTo, editedAt, extras?]    its member: a message; 0 when deleted
 *                         r<id> → [emoji …]                             its member's reactions to that message
 *                         x<id> → 1                                     removal by a moderator
 *
 * Keys of lanes are only ever set, never deleted.
 */

/** Things beside the text (mentions, forwardedFrom, attachments …); unknown ones survive. */
export type Extras = { readonly [key: string]: unknown };
/** A message as its lane holds it: body, `"<segment>:<id>"` it answers, time of the last edit. */
export type MessageValue = readonly [body: string, replyTo: string | null, editedAt: number | null, extras?: Extras];

/** A key and value of a lane, read once. */
export type LaneEntry =
  | { kind: 'message'; id: MessageId; value: MessageValue }
  | { kind: 'deletion'; id: MessageId }
  | { kind: 'reactions'; id: MessageId; emoji: readonly string[] }
  | { kind: 'removal'; id: MessageId };

/** A message with its place, as readers see it. `body` null: deleted. */
export interface SegmentMessage {
  id: MessageId;
  seq: number;
  /** Null when the message is in no lane any more. */
  authorId: Uuid | null;
  body: string | null;
  replyTo: string | null;
  editedAt: number | null;
  extras: Extras | null;
  /** When it was written, by its author's clock. */
  writtenAt: number;
  /** When it was accepted, where that was more than two minutes away from `writtenAt`; else null. */
  acceptedAt: number | null;
  /** Emoji to the people who set it; the same order on every replica. */
  reactions: ReadonlyMap<string, readonly Uuid[]>;
}

const LANE = 'u:';
export const LOG = 'log';
export const META = 'meta';

export const laneName = (userId: Uuid): string => LANE + userId;
/** Whose lane a root type's name is; null when it is none. */
export const laneOwner = (name: string): Uuid | null => (name.startsWith(LANE) ? name.slice(LANE.length) : null);

const REPLY = /^[1-9][0-9]{0,8}:(.{22})$/;
const EXTRAS_DEPTH = 4;
const EXTRAS_UNITS = 4_000;

const isReply = (value: unknown): boolean => typeof value === 'string' && isMessageId(REPLY.exec(value)?.[1] ?? '');

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** How many units a plain JSON value holds, or Infinity for what is none: other types, too deep, `__proto__`. */
function unitsOf(value: unknown, depth: number): number {
  if (value === null || typeof value === 'boolean') return 1;
  if (typeof value === 'number') return Number.isFinite(value) ? 1 : Infinity;
  if (typeof value === 'string') return 1 + value.length;
  if (typeof value !== 'object' || depth === 0) return Infinity;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + unitsOf(item, depth - 1), 1);
  // Decoded with a key `__proto__`, an object has another prototype, or none.
  if (Object.getPrototypeOf(value) !== Object.prototype) return Infinity;
  return Object.entries(value).reduce(
    (sum, [key, item]) => sum + (key === '__proto__' ? Infinity : key.length) + unitsOf(item, depth - 1),
    1,
  );
}

const isExtras = (value: unknown): value is Extras =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && unitsOf(value, EXTRAS_DEPTH) <= EXTRAS_UNITS;

/** A message's value, or null for anything of another shape (D6). */
export function readMessageValue(value: unknown): MessageValue | null {
  if (!Array.isArray(value) || value.length < 3 || value.length > 4) return null;
  const [body, replyTo, editedAt, extras] = value as unknown[];
  if (typeof body !== 'string' || body.length === 0 || body.length > LIMITS.body) return null;
  if (replyTo !== null && !isReply(replyTo)) return null;
  if (editedAt !== null && !isTime(editedAt)) return null;
  if (value.length === 4 && !isExtras(extras)) return null;
  return value as unknown as MessageValue;
}

/** Whether a person's reactions to one message may be these. */
export const isEmojiList = (value: unknown): value is string[] =>
  Array.isArray(value) &&
  value.length <= LIMITS.reactionsPerMessage &&
  value.every((emoji) => typeof emoji === 'string' && emoji.length > 0 && emoji.length <= LIMITS.emoji) &&
  new Set(value).size === value.length;

/** A lane's key and value (D6); null for a key outside the grammar or a value of the wrong shape. */
export function readLaneEntry(key: string, value: unknown): LaneEntry | null {
  if (isMessageId(key)) {
    if (value === 0) return { kind: 'deletion', id: key };
    const message = readMessageValue(value);
    return message && { kind: 'message', id: key, value: message };
  }
  const target = readLaneKey(key);
  if (target?.kind === 'reactions' && isEmojiList(value)) return { kind: 'reactions', id: target.id, emoji: value };
  return target?.kind === 'removal' && value === 1 ? { kind: 'removal', id: target.id } : null;
}

/** What a lane's key names, whatever its value; null outside the grammar. */
export function readLaneKey(key: string): { kind: 'message' | 'reactions' | 'removal'; id: MessageId } | null {
  if (isMessageId(key)) return { kind: 'message', id: key };
  const id = key.slice(1);
  if (!isMessageId(id)) return null;
  if (key[0] === 'r') return { kind: 'reactions', id };
  return key[0] === 'x' ? { kind: 'removal', id } : null;
}

/** An element of the log; null for anything else. */
export function readLogElement(element: unknown): { id: MessageId; acceptedAt: number | null } | null {
  if (typeof element === 'string') return isMessageId(element) ? { id: element, acceptedAt: null } : null;
  if (!Array.isArray(element)) return null;
  const [id, acceptedAt] = element as unknown[];
  return typeof id === 'string' && isMessageId(id) && isTime(acceptedAt) ? { id, acceptedAt } : null;
}

/** In the order of owners: Yjs keeps root types in the order in which a replica met them. */
const lanes = (doc: Y.Doc): [owner: Uuid, lane: Y.Map<unknown>][] => {
  const found: [Uuid, Y.Map<unknown>][] = [];
  for (const name of doc.share.keys()) {
    const owner = laneOwner(name);
    if (owner !== null) found.push([owner, doc.getMap(name)]);
  }
  return found.sort(([a], [b]) => (a < b ? -1 : 1));
};

/** Number and first `seq` of a segment; null while the document is empty. */
export function readSegmentMeta(doc: Y.Doc): { n: number; firstSeq: number } | null {
  const meta = doc.getMap(META);
  const n = meta.get('n');
  const firstSeq = meta.get('firstSeq');
  return typeof n === 'number' && typeof firstSeq === 'number' ? { n, firstSeq } : null;
}

/**
 * All logged messages in order of `seq` (D5). Values of the wrong shape, removed messages and messages in no lane read as deleted.
 * Reactions by people whose value has the wrong shape are left out. Costs one pass over the segment.
 */
export function readMessages(doc: Y.Doc): SegmentMessage[] {
  const meta = readSegmentMeta(doc);
  if (!meta) return [];
  const written = new Map<MessageId, { authorId: Uuid; value: MessageValue | null }>();
  const removed = new Set<MessageId>();
  const reactions = new Map<MessageId, Map<string, Uuid[]>>();
  for (const [owner, lane] of lanes(doc)) {
    lane.forEach((value, key) => {
      const entry = readLaneEntry(key, value);
      const target = entry ?? readLaneKey(key);
      if (target?.kind === 'message' || target?.kind === 'deletion') {
        if (written.get(target.id)?.value) return;
        written.set(target.id, { authorId: owner, value: entry?.kind === 'message' ? entry.value : null });
      } else if (entry?.kind === 'removal') removed.add(entry.id);
      else if (entry?.kind === 'reactions') {
        const byEmoji = reactions.get(entry.id) ?? new Map<string, Uuid[]>();
        for (const emoji of entry.emoji) byEmoji.set(emoji, [...(byEmoji.get(emoji) ?? []), owner]);
        reactions.set(entry.id, byEmoji);
      }
    });
  }
  const messages: SegmentMessage[] = [];
  doc.getArray(LOG).forEach((element, index) => {
    const logged = readLogElement(element);
    if (!logged) return;
    const found = written.get(logged.id);
    const value = removed.has(logged.id) ? null : (found?.value ?? null);
    messages.push({
      id: logged.id,
      seq: meta.firstSeq + index,
      authorId: found?.authorId ?? null,
      body: value?.[0] ?? null,
      replyTo: value?.[1] ?? null,
      editedAt: value?.[2] ?? null,
      extras: value?.[3] ?? null,
      writtenAt: messageTime(logged.id),
      acceptedAt: logged.acceptedAt,
      reactions: (value && reactions.get(logged.id)) ?? new Map<string, Uuid[]>(),
    });
  });
  return messages;
}

/** The ids in the log, in order. */
export function readLog(doc: Y.Doc): MessageId[] {
  return doc
    .getArray(LOG)
    .toArray()
    .flatMap((element) => readLogElement(element)?.id ?? []);
}

/** A person's living messages that have no place in the log (yet), in order of writing. */
export function readUnlogged(doc: Y.Doc, userId: Uuid): { id: MessageId; value: MessageValue }[] {
  const logged = new Set(readLog(doc));
  const waiting: { id: MessageId; value: MessageValue }[] = [];
  doc.getMap(laneName(userId)).forEach((value, key) => {
    const entry = readLaneEntry(key, value);
    if (entry?.kind === 'message' && !logged.has(entry.id)) waiting.push({ id: entry.id, value: entry.value });
  });
  // Digits of an id are not in the order of their characters; within a millisecond the order of setting stays.
  return waiting.sort((a, b) => messageTime(a.id) - messageTime(b.id));
}

const set = (doc: Y.Doc, userId: Uuid, key: string, value: unknown): void => void doc.getMap(laneName(userId)).set(key, value);

/** Writes a new message into its author's lane. */
export const addMessage = (doc: Y.Doc, userId: Uuid, id: MessageId, value: MessageValue): void => set(doc, userId, id, value);

/** Replaces the text of a living own message; false when there is none (D7). */
export function editMessage(doc: Y.Doc, userId: Uuid, id: MessageId, body: string, editedAt: number): boolean {
  const value = readMessageValue(doc.getMap(laneName(userId)).get(id));
  if (!value) return false;
  set(doc, userId, id, value[3] ? [body, value[1], editedAt, value[3]] : [body, value[1], editedAt]);
  return true;
}

/** Deletes an own message for everybody (D7). */
export const deleteMessage = (doc: Y.Doc, userId: Uuid, id: MessageId): void => set(doc, userId, id, 0);

export const reactionsKey = (id: MessageId): string => `r${id}`;
/** Replaces a person's reactions to a message; an empty list takes them away. */
export const react = (doc: Y.Doc, userId: Uuid, id: MessageId, emoji: readonly string[]): void =>
  set(doc, userId, reactionsKey(id), [...emoji]);

/** Removes somebody's message as a moderator. */
export const removeMessage = (doc: Y.Doc, moderatorId: Uuid, id: MessageId): void => set(doc, moderatorId, `x${id}`, 1);

/** Writes what the server puts into a new segment. */
export function createSegment(doc: Y.Doc, n: number, firstSeq: number): void {
  doc.getMap(META).set('n', n);
  doc.getMap(META).set('firstSeq', firstSeq);
}
