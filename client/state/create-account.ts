import { createSignal } from 'solid-js';
import type { Me } from '../../shared/api.ts';
import { type Api, ApiError } from '../sync/api.ts';
import { type Problem, asProblem } from './attempt.ts';

/** Who is here. `returning`: this browser had a session before. `unreachable`: nobody could tell yet. */
export type AccountState =
  | { kind: 'unknown' }
  | { kind: 'unreachable' }
  | { kind: 'signed-out'; returning: boolean }
  | { kind: 'signed-in'; me: Me };

export interface Account {
  state: () => AccountState;
  /** Asks the server whose session this is. */
  load: () => Promise<void>;
  /** Null when it went well. */
  signUp: (handle: string, displayName: string, password: string) => Promise<Problem | null>;
  signIn: (handle: string, password: string) => Promise<Problem | null>;
  signOut: () => Promise<void>;
  /** The server said that the session is over. */
  ended: () => void;
}

/** The person of this browser. */
export function createAccount(api: Api): Account {
  const [state, setState] = createSignal<AccountState>({ kind: 'unknown' });

  async function enter(asked: Promise<Me>): Promise<Problem | null> {
    try {
      setState({ kind: 'signed-in', me: await asked });
      return null;
    } catch (error) {
      return asProblem(error);
    }
  }

  return {
    state,
    async load() {
      try {
        setState({ kind: 'signed-in', me: await api.me() });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        setState(error.status === 401 ? { kind: 'signed-out', returning: error.code === 'expired' } : { kind: 'unreachable' });
      }
    },
    signUp: (handle, displayName, password) => enter(api.register(handle, displayName, password)),
    signIn: (handle, password) => enter(api.login(handle, password)),
    async signOut() {
      // Whatever the server says, this person wants to be out of this page.
      await api.logout().catch(asProblem);
      setState({ kind: 'signed-out', returning: true });
    },
    ended: () => setState({ kind: 'signed-out', returning: true }),
  };
}
