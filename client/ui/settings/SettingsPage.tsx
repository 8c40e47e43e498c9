import { type Component, Show, createSignal } from 'solid-js';
import { useAccount, usePlatform, usePage } from '../context.ts';
import { BackLink } from '../controls/BackLink.tsx';
import { Icon } from '../controls/Icon.tsx';
import { createAsked } from '../create-asked.ts';
import { countOf, formatBytes } from '../format.ts';
import { BlockedPart } from './BlockedPart.tsx';
import { DeleteAccountPart } from './DeleteAccountPart.tsx';
import { InvitesPart } from './InvitesPart.tsx';
import { PictureForm } from './PictureForm.tsx';
import { PreferencesForm } from './PreferencesForm.tsx';
import { ProfileForm } from './ProfileForm.tsx';
import { SessionsPart } from './SessionsPart.tsx';
import { WaysInPart } from './WaysInPart.tsx';
import './settings.css';

/** How safe what is on this device is, and what it takes (C11.6). */
const Storage: Component = () => {
  const platform = usePlatform();
  const { device } = usePage();
  const state = createAsked(() => true, platform.storage.state);
  const [isRefused, setRefused] = createSignal(false);
  async function ask(): Promise<void> {
    setRefused(!(await platform.storage.persist()));
    await state.again();
  }
  function words(isPersistent: boolean): string {
    if (device() === 'memory') return 'This device keeps nothing just now. The server still has all that was sent.';
    if (isPersistent) return 'Your conversations are kept on this device.';
    return 'Your conversations are on this device. When space runs short, the browser may clear them; the server still has all that was sent.';
  }
  return (
    <section class="settings__part" aria-labelledby="storage">
      <h2 id="storage">On this device</h2>
      <Show when={state.latest()}>
        {(found) => (
          <>
            <p>{words(found().isPersistent)}</p>
            <p class="quiet">
              {formatBytes(found().usedBytes)} used of {formatBytes(found().quotaBytes)}.
            </p>
            <Show when={!found().isPersistent}>
              <p>
                <button type="button" class="button button--plain button--small" onClick={() => void ask()}>
                  Keep them
                </button>
              </p>
              <p role="status" class="quiet">
                {isRefused() ? 'The browser did not agree. It may once Homing is installed or used more often.' : ''}
              </p>
            </Show>
          </>
        )}
      </Show>
    </section>
  );
};

/** Signing out asks first while something of this person's is only here. */
const SignOut: Component = () => {
  const account = useAccount();
  const { waiting } = usePage();
  const [isAsking, setAsking] = createSignal(false);
  const { count } = waiting;
  return (
    <section class="settings__part" aria-labelledby="leave">
      <h2 id="leave">Leave</h2>
      <Show
        when={isAsking() && count() > 0}
        fallback={
          <p>
            <button
              type="button"
              class="button button--danger button--small"
              onClick={() => (count() > 0 ? setAsking(true) : void account.signOut())}
            >
              <Icon name="leave" />
              Sign out
            </button>
          </p>
        }
      >
        <p role="alert">
          {countOf(count(), 'message')} {count() === 1 ? 'has' : 'have'} not been sent yet, and would be lost.
        </p>
        <p class="settings__actions">
          <button type="button" class="button button--plain button--small" onClick={() => setAsking(false)}>
            Stay
          </button>
          <button type="button" class="button button--danger button--small" onClick={() => void account.signOut()}>
            Sign out and lose {count() === 1 ? 'it' : 'them'}
          </button>
        </p>
      </Show>
    </section>
  );
};

/** One's own profile, how it looks here, this device, and the way out. */
export const SettingsPage: Component = () => (
  <main class="pane" aria-label="Settings">
    <header class="bar">
      <BackLink />
      <h1 class="bar__title">Settings</h1>
    </header>
    <div class="page" tabindex="0" role="group" aria-label="All settings">
      <div class="settings">
        <section class="settings__part" aria-labelledby="profile">
          <h2 id="profile">Profile</h2>
          <PictureForm />
          <ProfileForm />
        </section>
        <PreferencesForm />
        <Storage />
        <WaysInPart />
        <SessionsPart />
        <InvitesPart />
        <BlockedPart />
        <SignOut />
        <DeleteAccountPart />
      </div>
    </div>
  </main>
);
