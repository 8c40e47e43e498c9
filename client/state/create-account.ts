import { createSignal, onCleanup } from 'solid-js';
import type { SignedPasskey } from '../../shared/account-api.ts';
import type { Me } from '../../shared/api.ts';
import type { Uuid } from '../../shared/ids.ts';
import { type Api, ApiError } from '../sync/api.ts';
import type { AccountMemory, Remembered } from '../sync/storage/account-memory.ts';
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
  /** Leaves in every tab, and takes this person's data from the device. What cannot be done now is done at the next start. */
  signOut: () => Promise<void>;
  /** Deletes the account; then it is gone from this device too. Null when it went well. */
  remove: (password: string | null) => Promise<Problem | null>;
  /** The device may have forgotten who is here, and can be told again. */
  keepAgain: () => void;
  /** The server said that the session is over. What waits is kept for when this person comes back. */
  ended: () => void;
}

/** The person of this browser, the same in all its tabs. Without a network nobody is signed out. */
export function createAccount(api: Api, memory: AccountMemory): Account {
  const [state, setState] = createSignal<AccountState>({ kind: 'unknown' });
  /** Whoever came or went last is right: an answer to what was asked before says nothing any more. */
  let turn = 0;
  let left: Promise<void> = Promise.resolve();

  /** Nobody sees the first page before a start without a network would show it too. */
  async function become(me: Me): Promise<void> {
    turn += 1;
    await memory.write({ kind: 'here', me });
    setState({ kind: 'signed-in', me });
  }

  function leave(returning: boolean, now: Remembered): Promise<void> {
    turn += 1;
    setState({ kind: 'signed-out', returning });
    return memory.write(now);
  }

  function hear(now: Remembered): void {
    turn += 1;
    if (now.kind === 'here') setState({ kind: 'signed-in', me: now.me });
    else if (state().kind === 'signed-in') setState({ kind: 'signed-out', returning: true });
  }
  onCleanup(memory.subscribe(hear));

  async function enter(asked: () => Promise<Me>): Promise<Problem | null> {
    try {
      // The answer to the one who left would take the new session away.
      await left;
      await become(await asked());
      return null;
    } catch (error) {
      return asProblem(error);
    }
  }

  /** Takes the account from this device, and its session from the server. */
  async function finishLeaving(account: Uuid): Promise<void> {
    const [isTold, isGone] = await Promise.all([endSession(), memory.forget(account)]);
    // Somebody may have come meanwhile, in another tab.
    if (isTold && isGone && (await memory.read()).kind === 'leaving') await memory.write({ kind: 'nobody' });
  }

  async function endSession(): Promise<boolean> {
    try {
      await api.logout();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return error.status === 401;
    }
  }

  async function ask(known: Me | null): Promise<void> {
    const before = turn;
    try {
      const me = await api.me();
      if (turn === before) await become(me);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (turn !== before) return;
      if (error.status === 401) await leave(known !== null || error.code === 'expired', { kind: 'nobody' });
      else if (!known) setState({ kind: 'unreachable' });
    }
  }

  return {
    state,
    async load() {
      const now = await memory.read();
      if (now.kind === 'leaving') {
        setState({ kind: 'signed-out', returning: true });
        await (left = finishLeaving(now.account));
        return;
      }
      const known = now.kind === 'here' ? now.me : null;
      if (known) setState({ kind: 'signed-in', me: known });
      await ask(known);
    },
    signUp: (handle, displayName, password, invite) => enter(() => api.register(handle, displayName, password, invite)),
    signIn: (handle, password) => enter(() => api.login(handle, password)),
    signInByPasskey: (signed) => enter(() => api.loginByPasskey(signed)),
    changeProfile: (change) => enter(() => api.changeProfile(change)),
    setPicture: (picture) => enter(() => api.setPicture(picture)),
    removePicture: () => enter(() => api.removePicture()),
    async signOut() {
      const before = state();
      if (before.kind !== 'signed-in') return;
      // Whatever the server says, this person wants to be out of this page.
      await leave(true, { kind: 'leaving', account: before.me.id });
      await (left = finishLeaving(before.me.id));
    },
    async remove(password) {
      const before = state();
      if (before.kind !== 'signed-in') return null;
      try {
        await api.deleteMe(password);
      } catch (error) {
        return asProblem(error);
      }
      // The server ends the sockets too, and which of both is heard first is nobody's to say.
      await leave(false, { kind: 'leaving', account: before.me.id });
      await (left = finishLeaving(before.me.id));
      return null;
    },
    keepAgain() {
      const now = state();
      if (now.kind === 'signed-in') void memory.write({ kind: 'here', me: now.me });
    },
    ended: () => void leave(true, { kind: 'nobody' }),
  };
}
