import { z } from 'zod';
import { isMessageId } from './ids.ts';
import { LIMITS } from './limits.ts';

/** Schemas of the HTTP API (H1): what goes in, what comes out, and problems (RFC 9457). Times are ISO 8601 text in UTC. */
const time = z.iso.datetime();
export const uuid = z.uuid().lowercase();
export const messageId = z.string().refine(isMessageId, 'must be a UUIDv7 in base64url (22 characters)');
export const seq = z.number().int().nonnegative();

export const handle = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9](?:[a-z0-9_.-]{1,28}[a-z0-9])$/, 'must be 3 to 30 letters, digits, dots, dashes or underscores');
// Neither the database nor a screen can hold these: NUL, other controls but line breaks and tabs, halves of surrogate pairs.
const UNPRINTABLE = /[^\P{Cc}\t\n\r]|\p{Surrogate}/u;
const isPrintable = (text: string): boolean => !UNPRINTABLE.test(text);
const printable = 'must not hold control characters';
const line = z
  .string()
  .trim()
  .refine((text) => isPrintable(text) && !/[\r\n\t\u2028\u2029]/.test(text), 'must be one line of text');
export const displayName = line.pipe(z.string().min(1).max(60));
export const password = z.string().min(10, 'must have at least 10 characters').max(200);

export const user = z.object({
  id: uuid,
  handle: z.string(),
  displayName: z.string(),
  bio: z.string(),
  avatarUrl: z.string().nullable(),
});
export type User = z.infer<typeof user>;

/** `document`: the id of the person's private document. */
export const me = user.extend({ document: z.string() });
export type Me = z.infer<typeof me>;

/** A program gets its refresh token in the answer and no cookies; a browser gets cookies and never sees the refresh token. */
const client = z.enum(['browser', 'program']).default('browser');
export const registerBody = z.object({ handle, displayName, password, client });
export const loginBody = z.object({ handle: z.string().trim().toLowerCase().max(60), password: z.string().max(200), client });
export const patchMeBody = z
  .object({ displayName: displayName.optional(), bio: z.string().trim().max(500).refine(isPrintable, printable).optional() })
  .strict();
/** For refresh and log-out: programs send the refresh token in the body; browsers have the cookie. */
export const refreshBody = z.object({ refreshToken: z.string().max(200).optional() });
/** `refreshToken` is there only for programs: `"client": "program"` at register and log-in, the token in the body at refresh. */
export const signedIn = z.object({ user: me, accessToken: z.string(), expiresAt: time, refreshToken: z.string().optional() });
export type SignedIn = z.infer<typeof signedIn>;

export const users = z.object({ users: z.array(user) });
/** The start of a handle or name. */
export const peopleQuery = line.pipe(z.string().min(3, 'must have at least 3 characters').max(60));

export const message = z.object({
  id: messageId,
  seq,
  senderId: uuid,
  /** Null when deleted. */
  content: z.string().nullable(),
  sentAt: time,
  editedAt: time.nullable(),
  deletedAt: time.nullable(),
  replyTo: z.string().nullable(),
  reactions: z.array(z.object({ emoji: z.string(), userIds: z.array(uuid) })),
});
export type Message = z.infer<typeof message>;

export const conversation = z.object({
  id: uuid,
  kind: z.enum(['direct', 'group']),
  title: z.string().nullable(),
  members: z.array(user.extend({ role: z.enum(['owner', 'admin', 'member']) })),
  lastMessage: z.object({ id: messageId, seq, senderId: uuid, preview: z.string().nullable(), sentAt: time }).nullable(),
  unreadCount: seq,
  lastReadSeq: seq,
  openSegment: z.number().int().positive(),
});
export type Conversation = z.infer<typeof conversation>;
export const conversations = z.object({ conversations: z.array(conversation), nextBefore: z.string().nullable() });
export const conversationAnswer = z.object({ conversation });

/** Direct (idempotent) or group. */
export const openConversationBody = z.union([
  z.object({ userId: uuid }).strict(),
  z.object({ title: line.pipe(z.string().min(1).max(100)), memberIds: z.array(uuid).min(1).max(499) }).strict(),
]);

export const messagesPage = z.object({ messages: z.array(message), nextBefore: seq.nullable() });
export const messageAnswer = z.object({ message });
export const segmentsPage = z.object({
  segments: z.array(z.object({ n: z.number().int().positive(), firstSeq: seq })),
  nextBefore: seq.nullable(),
});

const content = z
  .string()
  .min(1)
  .max(LIMITS.body)
  .refine((text) => text.trim() !== '', 'must not be empty')
  .refine(isPrintable, printable);
export const sendBody = z.union([
  z.object({ conversationId: uuid, content, id: messageId.optional() }).strict(),
  z.object({ recipientId: uuid, content, id: messageId.optional() }).strict(),
]);
export const readBody = z.object({ seq }).strict();
export const readAnswer = z.object({ lastReadSeq: seq, unreadCount: seq });

/** Problem codes of this API, each with its status. `type` of a problem is `"/problems/<code>"`. */
export const PROBLEMS = {
  'bad-request': 400,
  unauthorized: 401,
  expired: 401,
  forbidden: 403,
  origin: 403,
  'registration-closed': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'handle-taken': 409,
  'id-used': 409,
  'too-large': 413,
  'unsupported-media-type': 415,
  'bad-image': 422,
  'not-delivered': 422,
  refused: 422,
  'upgrade-required': 426,
  'too-many-requests': 429,
  internal: 500,
  unavailable: 503,
} as const;
export type ProblemCode = keyof typeof PROBLEMS;

export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string().optional(),
  /** Of an exchange (W12): the close code that a socket would have got, and its reason. */
  closeCode: z.number().int().optional(),
  reason: z.string().optional(),
  /** Which fields are wrong, by path. */
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof problem>;
