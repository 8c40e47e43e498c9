import type * as Y from 'yjs';
import { type Uuid, isUuid } from './ids.ts';
import { LIMITS } from './limits.ts';

/**
 * A person's private document `user:<userId>/<n>` (D8): one set-only lane, shared by that person's devices.
 *
 *   Y.Map meta         { n, next? }                                server: `next` when it is closed, the document that goes on from it
 *   Y.Map u:<userId>   d<conversationId> → draft text, "" for none
 *                      c<conversationId> → { mute?, pin?, archive?, unreadFrom? }
 *                      s<name>           → a setting
 */

/** What a person has set about a conversation. */
export interface ConversationMarks {
  /** Until when nothing of it is announced, milliseconds; null: it is. */
  readonly mute?: number | null;
  /** Its place among those that stand first; null: none. */
  readonly pin?: number | null;
  readonly archive?: boolean;
  /** Marked as unread from this seq on; null: it is not. */
  readonly unreadFrom?: number | null;
}
export type Setting = string | number | boolean | null;

const CONVERSATION_KEYS: Record<string, (value: unknown) => boolean> = {
  mute: (value) => value === null || Number.isSafeInteger(value),
  pin: (value) => value === null || Number.isSafeInteger(value),
  archive: (value) => typeof value === 'boolean',
  unreadFrom: (value) => value === null || Number.isSafeInteger(value),
};
const SETTING = /^s[a-z][A-Za-z0-9]{0,31}$/;

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** Whether a key and value may stand in a private lane. */
export function isPrivateEntry(key: string, value: unknown): boolean {
  if (isDraftKey(key)) return typeof value === 'string' && value.length <= LIMITS.body;
  if (key[0] === 'c' && isUuid(key.slice(1)))
    return (
      isPlain(value) &&
      Object.entries(value).every(([name, item]) => Object.hasOwn(CONVERSATION_KEYS, name) && CONVERSATION_KEYS[name]!(item))
    );
  if (!SETTING.test(key)) return false;
  return (
    value === null ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value)) ||
    (typeof value === 'string' && value.length <= 256)
  );
}

/** Whether a key may stand in a private lane, whatever its value. */
export const isPrivateKey = (key: string): boolean => ((key[0] === 'd' || key[0] === 'c') && isUuid(key.slice(1))) || SETTING.test(key);

export const draftKey = (conversationId: Uuid): string => `d${conversationId}`;
export const isDraftKey = (key: string): boolean => key[0] === 'd' && isUuid(key.slice(1));
export const marksKey = (conversationId: Uuid): string => `c${conversationId}`;
export const settingKey = (name: string): string => `s${name}`;

const META = 'meta';

/** Writes what the server puts into a new private document. */
export const createPrivate = (doc: Y.Doc, n: number): void => void doc.getMap(META).set('n', n);
/** Says in a document that is closed which one goes on from it. */
export const nameNext = (doc: Y.Doc, n: number): void => void doc.getMap(META).set('next', n);
/** Which document goes on from this one; null: it takes what is written. */
export function readNext(doc: Y.Doc): number | null {
  const next = doc.getMap(META).get('next');
  return typeof next === 'number' && Number.isSafeInteger(next) && next > 0 ? next : null;
}
