import type { Hint } from '../core/ports.ts';
import { isUuid } from '../../shared/ids.ts';

/** The channel of NOTIFY on which nodes tell each other. */
export const HINT_CHANNEL = 'homing_hints';
/** Postgres takes 8,000 bytes; all of ours are ASCII. */
const PAYLOAD_BYTES = 7_900;

/** The payloads that carry a hint: one, or several where one would be too long for NOTIFY. */
export function encodeHint(hint: Hint): string[] {
  const payload = JSON.stringify(hint);
  if (payload.length <= PAYLOAD_BYTES || hint.kind !== 'updates') return [payload];
  const middle = hint.documents.length >> 1;
  return [hint.documents.slice(0, middle), hint.documents.slice(middle)].flatMap((documents) => encodeHint({ kind: 'updates', documents }));
}

/** Reads a payload; null for anything that `encodeHint` does not make. */
export function decodeHint(payload: string): Hint | null {
  let value: unknown;
  try {
    value = JSON.parse(payload);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { kind, documents, conversationId, userId, read, sid, expiresAt } = value as Record<string, unknown>;
  switch (kind) {
    case 'updates':
      return Array.isArray(documents) && documents.every(isEntry) ? { kind, documents } : null;
    case 'positions':
      return isId(conversationId) && isId(userId) && typeof read === 'boolean' ? { kind, conversationId, userId, read } : null;
    case 'members':
      return isId(conversationId) ? { kind, conversationId } : null;
    case 'signed-out':
      if (!isId(userId) || !(sid === undefined || isId(sid))) return null;
      return sid === undefined ? { kind, userId } : { kind, userId, sid };
    case 'renewed':
      return isId(sid) && Number.isSafeInteger(expiresAt) ? { kind, sid, expiresAt: expiresAt as number } : null;
    default:
      return null;
  }
}

const isId = (value: unknown): value is string => typeof value === 'string' && isUuid(value);

const isEntry = (entry: unknown): entry is [string, number, number] =>
  Array.isArray(entry) && entry.length === 3 && isId(entry[0]) && Number.isSafeInteger(entry[1]) && Number.isSafeInteger(entry[2]);
