import { z } from 'zod';
import { conversation, seq, uuid } from './api.ts';

/**
 * The inbox, channel 0 of `/api/sync` (I1 to I6): what changes a person's conversation list, as JSON text.
 *
 *   client                                      server
 *     |--- {hello: {version, cursor | null}} ----->|   first; null: this device has no list yet
 *     |<-- {hello: {version, oldest, restored?}} --|
 *     |<-- {changed: […], gone: […], cursor} ------|   catch-up, then whatever changes
 *     |--- {delivered: {conversationId: seq}} ---->|   this device has stored so far
 */
const version = z.number().int().nonnegative();

/** What a client says. Unknown fields are left out. */
export const inboxRequest = z.union([
  z.object({ hello: z.object({ version, cursor: z.string().max(200).nullable() }) }),
  z.object({ delivered: z.record(uuid, seq).refine((seqs) => Object.keys(seqs).length <= 256, 'must name at most 256 conversations') }),
]);
export type InboxRequest = z.infer<typeof inboxRequest>;

/**
 * What the server says. `changed` are whole rows, which replace those with the same id; `gone` are conversations that left the list; a
 * row may come again. A `cursor` says that everything up to it was told; null keeps the one before. All of it may be empty: a sign of life.
 */
export const inboxChanges = z.object({ changed: z.array(conversation), gone: z.array(uuid), cursor: z.string().nullable() });
export type InboxChanges = z.infer<typeof inboxChanges>;
/** The last backup that the server went back to, when, and up to when that reached; times in milliseconds. */
export const restored = z.object({ id: uuid, at: z.number(), backTo: z.number().nullable() });
export type Restored = z.infer<typeof restored>;

/** `oldest` is the oldest version that the server still speaks. Who meets a `restored` for the first time is told the whole list (I2). */
export const inboxAnswer = z.union([
  z.object({ hello: z.object({ version, oldest: version, restored: restored.optional() }) }),
  inboxChanges,
]);
export type InboxAnswer = z.infer<typeof inboxAnswer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

function decode<Message>(schema: z.ZodType<Message>, payload: Uint8Array): Message | null {
  try {
    return schema.safeParse(JSON.parse(decoder.decode(payload))).data ?? null;
  } catch {
    return null;
  }
}

/** A message of either side, as a channel's payload. */
export const encodeInbox = (message: InboxRequest | InboxAnswer): Uint8Array => encoder.encode(JSON.stringify(message));
/** Reads what a client said; null for anything else. */
export const decodeInboxRequest = (payload: Uint8Array): InboxRequest | null => decode(inboxRequest, payload);
/** Reads what the server said; null for anything else. */
export const decodeInboxAnswer = (payload: Uint8Array): InboxAnswer | null => decode(inboxAnswer, payload);
