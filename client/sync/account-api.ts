import type { z } from 'zod';
import {
  type CreatedPasskey,
  type CreationOptions,
  type Invite,
  type Passkey,
  type Registration,
  type RequestOptions,
  type Session,
  type SignedPasskey,
  creationOptions,
  invitation,
  invites,
  madeInvite,
  passkey,
  passkeys,
  registration,
  requestOptions,
  resetAnswer,
  sessions,
} from '../../shared/account-api.ts';
import { type Me, signedIn } from '../../shared/api.ts';
import type { Uuid } from '../../shared/ids.ts';

/** What people do with their account, as typed calls (U1 to U5). */
export interface AccountApi {
  registration: () => Promise<Registration>;
  /** Who invites by this link; null for the operator. */
  invitation: (invite: string) => Promise<string | null>;
  /** Sets a new password by a link; whose it was. */
  reset: (token: string, password: string) => Promise<string>;
  passkeyToSign: () => Promise<RequestOptions>;
  loginByPasskey: (signed: SignedPasskey) => Promise<Me>;
  changePassword: (current: string, next: string) => Promise<void>;
  /** Deletes the account; without a password the sign-in must be a fresh one (G5). */
  deleteMe: (password: string | null) => Promise<void>;
  sessions: () => Promise<Session[]>;
  endSession: (id: Uuid) => Promise<void>;
  endOtherSessions: () => Promise<void>;
  waysIn: () => Promise<{ passkeys: Passkey[]; hasPassword: boolean }>;
  passkeyToMake: (password: string | null) => Promise<CreationOptions>;
  addPasskey: (name: string, made: CreatedPasskey) => Promise<Passkey>;
  renamePasskey: (id: string, name: string) => Promise<Passkey>;
  removePasskey: (id: string) => Promise<void>;
  invites: () => Promise<Invite[]>;
  /** The invite and what its link carries, which is told this once. */
  makeInvite: (uses: number, days: number) => Promise<{ invite: Invite; token: string }>;
  removeInvite: (id: Uuid) => Promise<void>;
}

interface Calls {
  call: (path: string, options: { method: 'POST' | 'DELETE'; body?: unknown }) => Promise<unknown>;
  ask: <T>(schema: z.ZodType<T>, path: string, options?: { method: 'POST' | 'PATCH'; body?: unknown }) => Promise<T>;
}

export function makeAccountApi({ call, ask }: Calls): AccountApi {
  const post = (body: unknown = {}) => ({ method: 'POST', body }) as const;
  const remove = async (path: string): Promise<void> => void (await call(path, { method: 'DELETE' }));
  return {
    registration: async () => (await ask(registration, '/auth/registration')).registration,
    invitation: async (invite) => (await ask(invitation, '/auth/invite', post({ invite }))).invitedBy,
    reset: async (token, password) => (await ask(resetAnswer, '/auth/reset', post({ token, password }))).handle,
    passkeyToSign: () => ask(requestOptions, '/auth/passkey/options', post()),
    loginByPasskey: async (signed) => (await ask(signedIn, '/auth/passkey', post({ passkey: signed }))).user,
    changePassword: async (current, next) => void (await call('/me/password', post({ current, next }))),
    deleteMe: async (password) => void (await call('/me', { method: 'DELETE', body: password === null ? {} : { password } })),
    sessions: async () => (await ask(sessions, '/me/sessions')).sessions,
    endSession: (id) => remove(`/me/sessions/${id}`),
    endOtherSessions: () => remove('/me/sessions'),
    waysIn: () => ask(passkeys, '/me/passkeys'),
    passkeyToMake: (password) => ask(creationOptions, '/me/passkeys/options', post(password === null ? {} : { password })),
    addPasskey: (name, made) => ask(passkey, '/me/passkeys', post({ name, passkey: made })),
    renamePasskey: (id, name) => ask(passkey, `/me/passkeys/${id}`, { method: 'PATCH', body: { name } }),
    removePasskey: (id) => remove(`/me/passkeys/${id}`),
    invites: async () => (await ask(invites, '/invites')).invites,
    makeInvite: (uses, days) => ask(madeInvite, '/invites', post({ uses, days })),
    removeInvite: (id) => remove(`/invites/${id}`),
  };
}
