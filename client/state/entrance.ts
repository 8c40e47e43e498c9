import type { Api } from '../sync/api.ts';
import type { PasskeyDevice } from './account-care.ts';
import { type Outcome, type Problem, outcomeOf } from './attempt.ts';
import type { Account } from './create-account.ts';

/** Whether whoever stands at the door may register. `by`: who invites them, null for the operator. */
export type Welcome = { kind: 'open' } | { kind: 'invited'; by: string | null } | { kind: 'ended'; words: string } | { kind: 'closed' };

/** What can be done before one is signed in, besides name and password (U3 to U5). */
export interface Entrance {
  canUsePasskeys: boolean;
  /** Asks the device for a passkey now. Null: signed in, or the person thought better of it. */
  signInByPasskey: () => Promise<Problem | null>;
  /** Lets the browser suggest passkeys in the field for the handle, for as long as `signal` says. */
  suggestPasskeys: (signal: AbortSignal, onProblem: (problem: Problem) => void) => Promise<void>;
  /** Null while nobody can tell: then one may try. */
  welcome: (invite: string | null) => Promise<Welcome | null>;
  /** Sets a new password by a link; the handle of who has it now. */
  reset: (token: string, password: string) => Promise<Outcome<string>>;
}

export function makeEntrance({ api, account, device }: { api: Api; account: Account; device: PasskeyDevice }): Entrance {
  return {
    canUsePasskeys: device.isSupported,
    async signInByPasskey() {
      const options = await outcomeOf(api.passkeyToSign());
      if (options.kind === 'failed') return options.problem;
      const signed = await device.sign(options.value);
      return signed && account.signInByPasskey(signed);
    },
    async suggestPasskeys(signal, onProblem) {
      if (!(await device.canSuggest())) return;
      signal.addEventListener('abort', device.cancel, { once: true });
      while (!signal.aborted) {
        const options = await outcomeOf(api.passkeyToSign());
        // Without a network there is nothing to suggest.
        if (options.kind === 'failed' || signal.aborted) return;
        const signed = await device.suggest(options.value);
        const problem = signed && (await account.signInByPasskey(signed));
        if (!problem) return;
        // Such as that the page stood open for too long: it is suggested anew.
        onProblem(problem);
      }
    },
    async welcome(invite) {
      const mode = await outcomeOf(api.registration());
      if (mode.kind === 'failed') return null;
      if (mode.value === 'open') return { kind: 'open' };
      if (invite === null) return { kind: 'closed' };
      const found = await outcomeOf(api.invitation(invite));
      return found.kind === 'done' ? { kind: 'invited', by: found.value } : { kind: 'ended', words: found.problem.words };
    },
    reset: (token, password) => outcomeOf(api.reset(token, password)),
  };
}
