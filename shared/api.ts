import { z } from 'zod';
import { isMessageId } from './ids.ts';
import { LIMITS } from './limits.ts';

/** Schemas of the HTTP API (H1): what goes in, what comes out, and problems (RFC 9457). Times are ISO 8601 text in UTC. */
export const time = z.iso.datetime();
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
export const line = z
  .string()
  .trim()
  .refine((text) => isPrintable(text) && !/[\r\n\t\u2028\u2029]/.test(text), 'must be one line of text');
// Letters without a shape, the Hangul filler among them: a name of nothing else would be a hole in every list.
const UNSEEN = /^[\p{Default_Ignorable_Code_Point}\p{White_Space}\p{Cf}\u2800]*$/u;
/** What something is called, as it stands in lists. */
const called = (most: number) =>
  line.pipe(
    z
      .string()
      .min(1)
      .max(most)
      .refine((text) => !UNSEEN.test(text), 'must have something to see'),
  );
export const displayName = called(60);
export const password = z.string().min(10, 'must have at least 10 characters').max(200);

export const user = z.object({
  id: uuid,
  handle: z.string(),
  displayName: z.string(),
  bio: z.string(),
  avatarUrl: z.string().nullable(),
  /** The account was deleted: shown as "Deleted account", without a handle. */
  deleted: z.literal(true).optional(),
});
export type User = z.infer<typeof user>;

/** `document`: the id of the person's private document. */
export const me = user.extend({ document: z.string() });
export type Me = z.infer<typeof me>;

/** A program gets its refresh token in the answer and no cookies; a browser gets cookies and never sees the refresh token. */
export const client = z.enum(['browser', 'program']).default('browser');
/** What a link carries after its `#`. Any text will do: one of another form is answered like one that is used up. */
export const linkToken = z.string().max(200);
/** `invite`: needed where not everybody may register. */
export const registerBody = z.object({ handle, displayName, password, client, invite: linkToken.optional() });
export const loginBody = z.object({ handle: z.string().trim().toLowerCase().max(60), password: z.string().max(200), client });
export const patchMeBody = z
  .object({ displayName: displayName.optional(), bio: z.string().trim().max(500).refine(isPrintable, printable).optional() })
  .strict();
/** A token of another platform for ours (S6); `person` describes whom to write to, `next` is a place in the app. */
export const exchangeBody = z.object({ token: z.string().max(8_192), client });
export const backChannelLogoutForm = z.object({ logout_token: z.string().max(8_192) });
export const enterForm = z.object({
  token: z.string().max(8_192),
  person: z.string().max(8_192).optional(),
  next: z.string().max(2_000).optional(),
});
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
  /** Of a group whose newcomers read from then on only. */
  history: z.literal('joined').optional(),
  /** Somebody whom this person does not know asked; until they accept, or write back, nobody there learns anything of them. */
  request: z.literal(true).optional(),
});
export type Conversation = z.infer<typeof conversation>;
export const conversations = z.object({ conversations: z.array(conversation), nextBefore: z.string().nullable() });
export const conversationAnswer = z.object({ conversation });

const title = called(100);
const history = z.enum(['all', 'joined']);
/**
 * Direct or group; both may be asked for again. A group's `id` is a random UUID (version 4) that the client made: others are the ids of
 * people and of direct conversations, which nobody may take.
 */
export const openConversationBody = z.union([
  z.object({ userId: uuid }).strict(),
  z
    .object({
      id: z.uuidv4().lowercase().optional(),
      title,
      memberIds: z
        .array(uuid)
        .min(1)
        .max(LIMITS.groupMembers - 1),
      history: history.optional(),
    })
    .strict(),
]);
export const patchConversationBody = z
  .object({ title: title.optional(), history: history.optional() })
  .strict()
  .refine((body) => Object.keys(body).length > 0, 'must change something');
/** Without a role somebody is added as a member, or stays what they are. */
export const putMemberBody = z.object({ role: z.enum(['owner', 'admin', 'member']).optional() }).strict();
export const reportBody = z
  .object({ conversationId: uuid, messageId, reason: z.string().trim().min(1).max(1_000).refine(isPrintable, printable) })
  .strict();
export const reportAnswer = z.object({ id: uuid });
/** The password; without it the sign-in must be a fresh one. */
export const deleteMeBody = z.object({ password: z.string().max(200).optional() }).strict();

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
  'wrong-password': 403,
  'registration-closed': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'handle-taken': 409,
  'id-used': 409,
  'too-many': 409,
  'link-ended': 410,
  'group-full': 409,
  'too-large': 413,
  'unsupported-media-type': 415,
  'bad-image': 422,
  'bad-passkey': 422,
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
