import type { RandomBytes } from './clock.ts';

/** A UUID in lower-case text: a user or a conversation. */
export type Uuid = string;
/** 16 bytes of a UUIDv7 in base64url without padding: 22 characters. Its time is the time of writing (D3). */
export type MessageId = string;

/** What a document id names (D1). */
export type DocumentName =
  | { kind: 'root'; conversationId: Uuid; n: 0 }
  | { kind: 'segment'; conversationId: Uuid; n: number }
  | { kind: 'user'; conversationId: Uuid; n: number };

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const UUID_ONLY = new RegExp(`^${UUID}$`);
const DOCUMENT = new RegExp(`^(?:(user):)?(${UUID})(?:/([1-9][0-9]{0,8}))?$`);
// 128 bits in 22 digits of 6 bits: the ninth begins with the version, 7; the eleventh ends with the variant, binary 10; the last holds
// 2 bits only.
const MESSAGE_ID = /^[\w-]{8}[c-f][\w-][CGKOSWaeimquy26-][\w-]{10}[AQgw]$/;
/** Name space of direct conversations (made once for Homing). */
const DIRECT_NAMESPACE = '5f0a1d52-6f0e-4b0e-9d3c-0c6f2d1f7a41';

export const isUuid = (text: string): boolean => UUID_ONLY.test(text);
/** The length first: most of what is asked about is another kind of key. */
export const isMessageId = (text: string): boolean => text.length === 22 && MESSAGE_ID.test(text);

/** Reads a document id; null for anything that is not one of the forms of D1. A private document's `conversationId` is its owner. */
export function parseDocumentId(text: string): DocumentName | null {
  const parts = DOCUMENT.exec(text);
  if (!parts) return null;
  const conversationId = parts[2]!;
  if (parts[1]) return parts[3] ? { kind: 'user', conversationId, n: Number(parts[3]) } : null;
  return parts[3] ? { kind: 'segment', conversationId, n: Number(parts[3]) } : { kind: 'root', conversationId, n: 0 };
}

/** The id of a document, as clients open it. */
export function formatDocumentId(name: DocumentName): string {
  if (name.kind === 'root') return name.conversationId;
  return `${name.kind === 'user' ? 'user:' : ''}${name.conversationId}/${name.n}`;
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

function formatUuid(bytes: Uint8Array): Uuid {
  const text = hex(bytes);
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}

const uuidBytes = (id: Uuid): Uint8Array => Uint8Array.from(id.replaceAll('-', '').match(/../g)!, (pair) => parseInt(pair, 16));

function uuidv7Bytes(now: number, random: RandomBytes): Uint8Array {
  const bytes = random(16);
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(now / 2 ** (8 * (5 - i))) & 0xff;
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes;
}

/** A new UUIDv7 (RFC 9562, 5.7). */
export const makeUuid = (now: number, random: RandomBytes): Uuid => formatUuid(uuidv7Bytes(now, random));

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** A new message id: time of writing and 74 random bits. */
export function makeMessageId(now: number, random: RandomBytes): MessageId {
  const bytes = uuidv7Bytes(now, random);
  let text = '';
  for (let bit = 0; bit < 128; bit += 6) {
    const i = bit >> 3;
    const pair = (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
    text += DIGITS[(pair >> (10 - (bit & 7))) & 63];
  }
  return text;
}

/** The time of writing in a message id, milliseconds; clocks decide nothing, it is for display. */
export function messageTime(id: MessageId): number {
  let time = 0;
  for (let i = 0; i < 8; i++) time = time * 64 + DIGITS.indexOf(id[i]!);
  return time;
}

/** A UUIDv8 (RFC 9562, 5.8) of the first bytes of a digest. */
export function digestUuid(digest: Uint8Array): Uuid {
  const bytes = digest.slice(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return formatUuid(bytes);
}

/** The one id of the direct conversation of two people: UUIDv5 (RFC 9562, 5.5) of their ids, sorted (D2). */
export async function directConversationId(a: Uuid, b: Uuid): Promise<Uuid> {
  const name = new TextEncoder().encode([a, b].sort().join(' '));
  const input = new Uint8Array(16 + name.length);
  input.set(uuidBytes(DIRECT_NAMESPACE));
  input.set(name, 16);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-1', input)).slice(0, 16);
  digest[6] = (digest[6]! & 0x0f) | 0x50;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  return formatUuid(digest);
}
