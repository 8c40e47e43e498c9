import type { Hint, PresenceNews } from '../core/ports.ts';
import { isUuid } from '../../shared/ids.ts';

/** The channel of NOTIFY on which nodes tell each other. */
export const HINT_CHANNEL = 'homing_hints';
/** Postgres takes 8,000 bytes; all of ours are ASCII. */
const PAYLOAD_BYTES = 7_900;

/** The payloads that carry a hint: one, or several where one would be too long for NOTIFY. */
export function encodeHint(hint: Hint): string[] {
  const payload = JSON.stringify(hint);
  if (payload.length <= PAYLOAD_BYTES) return [payload];
  return halvesOf(hint).flatMap(encodeHint);
}

function halvesOf(hint: Hint): Hint[] {
  switch (hint.kind) {
    case 'updates':
      return halve(hint.documents).map((documents) => ({ ...hint, documents }));
    case 'presence':
      return halve(hint.news).map((news) => ({ ...hint, news }));
    case 'who-is-here':
      return halve(hint.conversationIds).map((conversationIds) => ({ ...hint, conversationIds }));
    default:
      throw new RangeError(`a hint ${hint.kind} of so many bytes`);
  }
}

const halve = <T>(list: readonly T[]): T[][] => [list.slice(0, list.length >> 1), list.slice(list.length >> 1)];

/** Reads a payload; null for anything that `encodeHint` does not make. */
export function decodeHint(payload: string): Hint | null {
  let value: unknown;
  try {
    value = JSON.parse(payload);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { kind, documents, conversationId, userId, read, sid, expiresAt, node, clock, news, conversationIds } = value as Record<
    string,
    unknown
  >;
  switch (kind) {
    case 'updates':
      return isListOf(documents, isEntry) ? { kind, documents } : null;
    case 'positions':
      return isId(conversationId) && isId(userId) && typeof read === 'boolean' ? { kind, conversationId, userId, read } : null;
    case 'members':
      return isId(conversationId) ? { kind, conversationId } : null;
    case 'signed-out':
      if (!isId(userId) || !(sid === undefined || isId(sid))) return null;
      return sid === undefined ? { kind, userId } : { kind, userId, sid };
    case 'renewed':
      return isId(sid) && isWhole(expiresAt) ? { kind, sid, expiresAt } : null;
    case 'presence':
      return isId(node) && isWhole(clock) && isListOf(news, isNews) ? { kind, node, clock, news } : null;
    case 'who-is-here':
      return isId(node) && isWhole(clock) && isListOf(conversationIds, isId) ? { kind, node, clock, conversationIds } : null;
    default:
      return null;
  }
}

const isId = (value: unknown): value is string => typeof value === 'string' && isUuid(value);

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);

const isListOf = <T>(value: unknown, isOne: (one: unknown) => one is T): value is T[] => Array.isArray(value) && value.every(isOne);

const isEntry = (entry: unknown): entry is [string, number, number] =>
  Array.isArray(entry) && entry.length === 3 && isId(entry[0]) && isWhole(entry[1]) && isWhole(entry[2]);

function isNews(entry: unknown): entry is PresenceNews {
  if (!Array.isArray(entry) || entry.length !== 6) return false;
  const [conversationId, client, userId, since, typing, read] = entry as unknown[];
  const isWho = isId(conversationId) && isWhole(client) && isId(userId) && isWhole(since);
  return isWho && (typing === null || typeof typing === 'boolean') && (read === null || isWhole(read));
}
