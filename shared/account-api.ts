import { z } from 'zod';
import { client, line, linkToken, password, time, uuid } from './api.ts';

/** Schemas of what people do with their account (U1 to U5). Passkeys travel as WebAuthn's own JSON, down to what we use of it. */

/** Who may register here, and by whom a link invites: null for the operator. */
export const registration = z.object({ registration: z.enum(['open', 'invite', 'closed']) });
export type Registration = z.infer<typeof registration>['registration'];
export const inviteBody = z.object({ invite: linkToken });
export const invitation = z.object({ invitedBy: z.string().nullable() });

/** A sign-in of one device. `lastUsedAt` is right to a quarter of an hour. */
export const session = z.object({ id: uuid, device: z.string(), createdAt: time, lastUsedAt: time, isCurrent: z.boolean() });
export type Session = z.infer<typeof session>;
export const sessions = z.object({ sessions: z.array(session) });

const typedPassword = z.string().max(200);
export const changePasswordBody = z.object({ current: typedPassword, next: password }).strict();
export const resetBody = z.object({ token: linkToken, password }).strict();
/** Whose password it was. */
export const resetAnswer = z.object({ handle: z.string() });

const base64url = z.string().regex(/^[\w-]*$/, 'must be base64url');
export const passkeyId = base64url.max(1500);
const publicKeyType = z.literal('public-key');

export const passkey = z.object({ id: passkeyId, name: z.string(), createdAt: time, lastUsedAt: time.nullable() });
export type Passkey = z.infer<typeof passkey>;
/** The ways into one's account. */
export const passkeys = z.object({ passkeys: z.array(passkey), hasPassword: z.boolean() });
export const passkeyName = line.pipe(z.string().min(1).max(60));
export const renamePasskeyBody = z.object({ name: passkeyName }).strict();

/** Whoever has a password gives it before a passkey is added. */
export const addPasskeyOptionsBody = z.object({ password: typedPassword.optional() }).strict();
/** For `navigator.credentials.create`. */
export const creationOptions = z.object({
  rp: z.object({ id: z.string(), name: z.string() }),
  user: z.object({ id: base64url, name: z.string(), displayName: z.string() }),
  challenge: base64url,
  pubKeyCredParams: z.array(z.object({ type: publicKeyType, alg: z.number() })),
  timeout: z.number(),
  excludeCredentials: z.array(z.object({ type: publicKeyType, id: base64url })),
  authenticatorSelection: z.object({
    residentKey: z.literal('required'),
    requireResidentKey: z.literal(true),
    userVerification: z.literal('required'),
  }),
  attestation: z.literal('none'),
});
export type CreationOptions = z.infer<typeof creationOptions>;
/** What the browser made. */
export const createdPasskey = z.object({
  id: passkeyId,
  rawId: passkeyId,
  type: publicKeyType,
  response: z.object({ clientDataJSON: base64url, attestationObject: base64url }),
  clientExtensionResults: z.object({}),
});
export type CreatedPasskey = z.infer<typeof createdPasskey>;
export const addPasskeyBody = z.object({ name: passkeyName, passkey: createdPasskey });

/** For `navigator.credentials.get`: the same for everybody, since the device knows whose passkeys it has. */
export const requestOptions = z.object({
  challenge: base64url,
  rpId: z.string(),
  timeout: z.number(),
  userVerification: z.literal('required'),
});
export type RequestOptions = z.infer<typeof requestOptions>;
/** What the browser signed. */
export const signedPasskey = z.object({
  id: passkeyId,
  rawId: passkeyId,
  type: publicKeyType,
  response: z.object({ clientDataJSON: base64url, authenticatorData: base64url, signature: base64url, userHandle: base64url }),
  clientExtensionResults: z.object({}),
});
export type SignedPasskey = z.infer<typeof signedPasskey>;
export const passkeySignInBody = z.object({ passkey: signedPasskey, client });

export const invite = z.object({
  id: uuid,
  createdAt: time,
  expiresAt: time,
  uses: z.number().int().positive(),
  usesLeft: z.number().int().nonnegative(),
});
export type Invite = z.infer<typeof invite>;
export const invites = z.object({ invites: z.array(invite) });
export const makeInviteBody = z
  .object({ uses: z.number().int().min(1).max(20).default(1), days: z.number().int().min(1).max(30).default(7) })
  .strict();
/** The only time that the token is told: `/join#<token>`. */
export const madeInvite = z.object({ invite, token: linkToken });
