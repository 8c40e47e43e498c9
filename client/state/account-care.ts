import type { CreatedPasskey, CreationOptions, Invite, Passkey, RequestOptions, Session, SignedPasskey } from '../../shared/account-api.ts';
import type { Uuid } from '../../shared/ids.ts';
import type { Api } from '../sync/api.ts';
import { type Outcome, type Problem, failed, outcomeOf } from './attempt.ts';
import type { Account } from './create-account.ts';

/** The passkeys of this device or of what it is paired with. Cancelled: the person, or the device itself, did not want to. */
export interface PasskeyDevice {
  /** At this address, in this browser. */
  isSupported: boolean;
  make: (options: CreationOptions) => Promise<{ kind: 'made'; passkey: CreatedPasskey } | { kind: 'known' | 'cancelled' }>;
  sign: (options: RequestOptions) => Promise<SignedPasskey | null>;
  /** Whether passkeys can stand among what the browser suggests for a field. */
  canSuggest: () => Promise<boolean>;
  /** Settles when the person picks a suggested one, or with null when something else is asked of the device. */
  suggest: (options: RequestOptions) => Promise<SignedPasskey | null>;
  /** Ends what the device was asked last. */
  cancel: () => void;
}

/** That it is really this person: the password, a passkey that the device is asked for, or that they have just signed in. */
export type Proof = { kind: 'password'; password: string } | { kind: 'passkey' } | { kind: 'sign-in' };

/** What people do with their account while they are signed in (U1, U2, U4, U5). */
export interface AccountCare {
  canHavePasskeys: boolean;
  sessions: () => Promise<Outcome<Session[]>>;
  endSession: (id: Uuid) => Promise<Outcome<void>>;
  endOtherSessions: () => Promise<Outcome<void>>;
  changePassword: (current: string, next: string) => Promise<Outcome<void>>;
  waysIn: () => Promise<Outcome<{ passkeys: Passkey[]; hasPassword: boolean }>>;
  /** Null where there is no password. */
  addPasskey: (name: string, password: string | null) => Promise<Outcome<Passkey>>;
  renamePasskey: (id: string, name: string) => Promise<Outcome<Passkey>>;
  removePasskey: (id: string) => Promise<Outcome<void>>;
  /** Whether people here invite others: null where nobody can tell. */
  isByInvitation: () => Promise<boolean | null>;
  invites: () => Promise<Outcome<Invite[]>>;
  /** The link, which is shown this once. */
  invite: (uses: number, days: number) => Promise<Outcome<string>>;
  removeInvite: (id: Uuid) => Promise<Outcome<void>>;
  deleteAccount: (proof: Proof) => Promise<Outcome<void>>;
}

const NOT_MADE = { known: 'This device has a passkey for you already.', cancelled: 'No passkey was made.' };

interface Deps {
  api: Api;
  account: Pick<Account, 'state' | 'signInByPasskey' | 'remove'>;
  device: PasskeyDevice;
  origin: string;
}

export function makeAccountCare({ api, account, device, origin }: Deps): AccountCare {
  async function addPasskey(name: string, password: string | null): Promise<Outcome<Passkey>> {
    const options = await outcomeOf(api.passkeyToMake(password));
    if (options.kind === 'failed') return options;
    const made = await device.make(options.value);
    return made.kind === 'made' ? outcomeOf(api.addPasskey(name, made.passkey)) : failed(NOT_MADE[made.kind]);
  }

  async function invite(uses: number, days: number): Promise<Outcome<string>> {
    const made = await outcomeOf(api.makeInvite(uses, days));
    return made.kind === 'done' ? { kind: 'done', value: `${origin}/join#${made.value.token}` } : made;
  }

  const who = (): Uuid | null => {
    const state = account.state();
    return state.kind === 'signed-in' ? state.me.id : null;
  };
  const asOutcome = (problem: Problem | null): Outcome<void> =>
    problem ? { kind: 'failed', problem } : { kind: 'done', value: undefined };

  /** A fresh sign-in by passkey stands for the password. */
  async function deleteAccount(proof: Proof): Promise<Outcome<void>> {
    if (proof.kind !== 'passkey') return asOutcome(await account.remove(proof.kind === 'password' ? proof.password : null));
    const before = who();
    const options = await outcomeOf(api.passkeyToSign());
    if (options.kind === 'failed') return options;
    const signed = await device.sign(options.value);
    if (!signed) return failed('Nothing was deleted: no passkey was used.');
    const problem = await account.signInByPasskey(signed);
    if (problem) return asOutcome(problem);
    if (who() !== before) return failed('Nothing was deleted: this is the passkey of another account.');
    return asOutcome(await account.remove(null));
  }

  return {
    deleteAccount,
    canHavePasskeys: device.isSupported,
    sessions: () => outcomeOf(api.sessions()),
    endSession: (id) => outcomeOf(api.endSession(id)),
    endOtherSessions: () => outcomeOf(api.endOtherSessions()),
    changePassword: (current, next) => outcomeOf(api.changePassword(current, next)),
    waysIn: () => outcomeOf(api.waysIn()),
    addPasskey,
    renamePasskey: (id, name) => outcomeOf(api.renamePasskey(id, name)),
    removePasskey: (id) => outcomeOf(api.removePasskey(id)),
    async isByInvitation() {
      const mode = await outcomeOf(api.registration());
      return mode.kind === 'done' ? mode.value === 'invite' : null;
    },
    invites: () => outcomeOf(api.invites()),
    invite,
    removeInvite: (id) => outcomeOf(api.removeInvite(id)),
  };
}
