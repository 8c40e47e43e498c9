import type { Uuid } from '../../shared/ids.ts';

/** Passwords of people, as hashes, and links that set a new one. */
export interface PasswordStore {
  /** The person's hash; null when they have no password. */
  hashOf(userId: Uuid): Promise<string | null>;
  /**
   * Puts `to` in the place of `from` and ends every other sign-in and every reset link of the person; the sign-ins that were ended.
   * Null, and nothing has changed, when `from` is not their hash any more.
   */
  change(userId: Uuid, change: { from: string; to: string; keep: Uuid }): Promise<Uuid[] | null>;
  /** Keeps a link that sets a new password, in the place of the person's earlier ones; false when nobody has this handle. */
  openReset(handle: string, link: { tokenHash: Uint8Array; expiresAt: number }): Promise<boolean>;
  /** Uses a link up: sets the hash, ends all of the person's sign-ins, removes their passkeys. Null: there is no such link any more. */
  reset(tokenHash: Uint8Array, to: string, now: number): Promise<{ userId: Uuid; handle: string; ended: Uuid[] } | null>;
}

/** A key pair of one of a person's devices or password managers; the server has its public half (U4). */
export interface Passkey {
  /** The credential's id, in base64url. */
  id: string;
  userId: Uuid;
  name: string;
  publicKey: Uint8Array<ArrayBuffer>;
  /** How often it has signed, where the device counts. */
  counter: number;
  /** Milliseconds since 1970. */
  createdAt: number;
  lastUsedAt: number | null;
}

/** A random text that one ceremony must sign. For signing in it is nobody's. */
export interface Challenge {
  hash: Uint8Array;
  userId: Uuid | null;
  expiresAt: number;
}

export interface Passkeys {
  /** Keeps a challenge, and forgets those that have run out. */
  openChallenge(challenge: Challenge, now: number): Promise<void>;
  /** Uses a challenge up: whether it stood, for this person. */
  takeChallenge(challenge: Omit<Challenge, 'expiresAt'>, now: number): Promise<boolean>;
  /** The person's passkeys, the oldest first. */
  list(userId: Uuid): Promise<Passkey[]>;
  find(id: string): Promise<Passkey | null>;
  /** False when it is known already, or the person has `most`. */
  add(passkey: Passkey, most: number): Promise<boolean>;
  /** Null: the person has no such passkey. */
  rename(userId: Uuid, id: string, name: string): Promise<Passkey | null>;
  remove(userId: Uuid, id: string): Promise<boolean>;
  /** Notes a use. False when the count did not move on (a copy may be about), or the passkey is gone. */
  use(id: string, counter: number, now: number): Promise<boolean>;
}

/** A link that lets people register where not everybody may (U5). */
export interface Invite {
  id: Uuid;
  tokenHash: Uint8Array;
  /** Who made it; null: the operator. */
  createdBy: Uuid | null;
  /** Milliseconds since 1970. */
  createdAt: number;
  expiresAt: number;
  uses: number;
  usesLeft: number;
}

export interface Invites {
  /** Also forgets the person's that have run out. False, and nothing is kept, when `most` others of theirs are open. */
  open(invite: Invite, most: number): Promise<boolean>;
  /** The person's that can still be used, the newest first. */
  list(userId: Uuid, now: number): Promise<Invite[]>;
  /** Whose it is, for one that can be used; `fromPeople` as for `InviteUse`. */
  look(use: { tokenHash: Uint8Array; fromPeople: boolean; now: number }): Promise<{ displayName: string | null } | null>;
  remove(userId: Uuid, id: Uuid): Promise<boolean>;
}
