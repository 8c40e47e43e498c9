import { type Uuid, digestUuid } from '../../shared/ids.ts';

/** A private signing key as JWK text, with its key id. */
export interface StoredKey {
  kid: string;
  jwk: string;
  /** Milliseconds since 1970. Until then it only verifies, so that every node knows it before anything is signed with it. */
  signsFrom: number;
}

export interface SigningKeys {
  /** The stored keys, the newest first; when there is none, stores what `make` gives, once for all nodes. */
  load(make: () => Promise<StoredKey>): Promise<StoredKey[]>;
  add(key: StoredKey): Promise<void>;
  remove(kid: string): Promise<void>;
}

/** Somebody of another platform, as its tokens name them. */
export interface ForeignPerson {
  issuer: string;
  subject: string;
}

/** Accounts that belong to people of another platform (S6). */
export interface ForeignAccounts {
  /** `name`: as the platform said it last. */
  find(person: ForeignPerson): Promise<{ userId: Uuid; name: string } | null>;
  /**
   * `taken`: the handle is somebody's. `exists`: the person has an account already. `gone`: they deleted it after `provenAt`, milliseconds,
   * when their platform said who they are.
   */
  create(
    person: ForeignPerson,
    account: { id: Uuid; handle: string; displayName: string; createdAt: number },
    provenAt: number,
  ): Promise<ForeignCreated>;
  /** The person goes by another name over there: here too. */
  rename(person: ForeignPerson, name: string): Promise<void>;
}
export type ForeignCreated = 'created' | 'taken' | 'exists' | 'gone';

/** Devices that people have signed in from, each by the hash of what it keeps (S7). */
export interface KnownDevices {
  /** Whether the person with this handle has signed in from it. */
  knows(handle: string, hash: Uint8Array): Promise<boolean>;
  /** Of a person the last few are kept. */
  remember(userId: Uuid, hash: Uint8Array, now: number): Promise<void>;
}

/**
 * A token of another platform is a session without a sign-in of ours (S6): nothing ends it before it runs out. Its id is made from the
 * token's digest, so it is the same on every node, and of version 8, where sign-ins have 7.
 */
export const platformSession = (digest: Uint8Array): Uuid => digestUuid(digest);
export const isPlatformSession = (sid: Uuid): boolean => sid[14] === '8';
