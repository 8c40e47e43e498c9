import type { CreatedPasskey, CreationOptions, Invite, Passkey, RequestOptions, Session, SignedPasskey } from '../../shared/account-api.ts';
import type { Uuid } from '../../shared/ids.ts';
import type { Api } from '../sync/api.ts';
import { type Outcome, failed, outcomeOf } from './attempt.ts';

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
}

const NOT_MADE = { known: 'This device has a passkey for you already.', cancelled: 'No passkey was made.' };

export function makeAccountCare({ api, device, origin }: { api: Api; device: PasskeyDevice; origin: string }): AccountCare {
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

  return {
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
