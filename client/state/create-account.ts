import { createSignal } from 'solid-js';
import type { SignedPasskey } from '../../shared/account-api.ts';
import type { Me } from '../../shared/api.ts';
import { type Api, ApiError } from '../sync/api.ts';
import type { AccountMemory } from '../sync/storage/account-memory.ts';
import { type Problem, asProblem } from './attempt.ts';

/** Who is here. `returning`: this browser had a session before. `unreachable`: nobody could tell yet. */
export type AccountState =
  | { kind: 'unknown' }
  | { kind: 'unreachable' }
  | { kind: 'signed-out'; returning: boolean }
  | { kind: 'signed-in'; me: Me };

export interface Account {
  state: () => AccountState;
  /** Opens for whoever was here last, and asks the server whose session this is. */
  load: () => Promise<void>;
  /** Null when it went well. */
  signUp: (handle: string, displayName: string, password: string, invite: string | null) => Promise<Problem | null>;
  signIn: (handle: string, password: string) => Promise<Problem | null>;
  signInByPasskey: (signed: SignedPasskey) => Promise<Problem | null>;
  changeProfile: (change: { displayName: string; bio: string }) => Promise<Problem | null>;
  setPicture: (picture: Blob) => Promise<Problem | null>;
  removePicture: () => Promise<Problem | null>;
  /** Leaves, and takes this person's data from the device. */
  signOut: () => Promise<void>;
  /** The server said that the session is over. What waits is kept for when this person comes back. */
  ended: () => void;
}

/** The person of this browser. Without a network nobody is signed out. */
export function createAccount(api: Api, memory: AccountMemory): Account {
  const [state, setState] = createSignal<AccountState>({ kind: 'unknown' });

  function become(me: Me): void {
    memory.write(me);
    setState({ kind: 'signed-in', me });
  }

  function leave(returning: boolean): void {
    memory.write(null);
    setState({ kind: 'signed-out', returning });
  }

  async function enter(asked: Promise<Me>): Promise<Problem | null> {
    try {
      become(await asked);
      return null;
    } catch (error) {
      return asProblem(error);
    }
  }

  return {
    state,
    async load() {
      const known = memory.read();
      if (known) setState({ kind: 'signed-in', me: known });
      try {
        become(await api.me());
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status === 401) leave(known !== null || error.code === 'expired');
        else if (!known) setState({ kind: 'unreachable' });
      }
    },
    signUp: (handle, displayName, password, invite) => enter(api.register(handle, displayName, password, invite)),
    signIn: (handle, password) => enter(api.login(handle, password)),
    signInByPasskey: (signed) => enter(api.loginByPasskey(signed)),
    changeProfile: (change) => enter(api.changeProfile(change)),
    setPicture: (picture) => enter(api.setPicture(picture)),
    removePicture: () => enter(api.removePicture()),
    async signOut() {
      const before = state();
      // Whatever the server says, this person wants to be out of this page.
      await api.logout().catch(asProblem);
      leave(true);
      if (before.kind === 'signed-in') await memory.forget(before.me.id);
    },
    ended: () => leave(true),
  };
}
