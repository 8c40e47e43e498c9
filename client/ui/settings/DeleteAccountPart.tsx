import { type Component, Show, createSignal } from 'solid-js';
import type { Proof } from '../../state/account-care.ts';
import { useAccountCare, useMe, usePage } from '../context.ts';
import { Dialog } from '../controls/Dialog.tsx';
import { TextField } from '../controls/TextField.tsx';
import { createAsked } from '../create-asked.ts';
import { createAttempt } from '../create-attempt.ts';

/** Deleting one's account: what happens, that it is oneself, and no way back (G5). */
export const DeleteAccountPart: Component = () => {
  const care = useAccountCare();
  const me = useMe();
  const { connection, waiting } = usePage();
  const [isOpen, setOpen] = createSignal(false);
  const [password, setPassword] = createSignal('');
  const waysIn = createAsked(isOpen, care.waysIn);
  const { attempt, isBusy, words, fieldError } = createAttempt();
  const isOffline = (): boolean => connection() === 'offline';
  const known = () => {
    const found = waysIn.latest();
    return found?.kind === 'done' ? found.value : null;
  };
  const asks = (): Proof['kind'] | null => {
    const found = known();
    if (!found) return null;
    if (found.hasPassword) return 'password';
    return found.passkeys.length > 0 && care.canHavePasskeys ? 'passkey' : 'sign-in';
  };
  const unknown = (): string => {
    const found = waysIn.latest();
    return found?.kind === 'failed' ? found.problem.words : '';
  };

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const kind = asks();
    if (isOffline() || kind === null) return;
    await attempt(() => care.deleteAccount(kind === 'password' ? { kind, password: password() } : { kind }));
  }
  function close(): void {
    setPassword('');
    setOpen(false);
  }

  return (
    <section class="settings__part" aria-labelledby="delete-account">
      <h2 id="delete-account">Delete your account</h2>
      <p class="quiet">Your profile, your ways in and everything on this device go for good.</p>
      <p>
        <button type="button" class="button button--danger button--small" onClick={() => setOpen(true)}>
          Delete account…
        </button>
      </p>
      <Dialog title="Delete your account?" isOpen={isOpen()} onClose={close}>
        <form class="dialog__form" onSubmit={(event) => void submit(event)}>
          <ul class="dialog__list">
            <li>You are signed out everywhere, and nobody can sign in as you again.</li>
            <li>Your name, picture and profile are gone. Others see “Deleted account”. Nobody else gets your handle.</li>
            <li>You leave your groups. What you wrote stays with those you wrote to, unless this server removes it.</li>
            <li>Your conversations are taken from this device.</li>
          </ul>
          <Show when={waiting.count() > 0}>
            <p class="dialog__note">What has not been sent yet is lost.</p>
          </Show>
          <p>There is no way back.</p>
          <Show when={asks() === 'password'}>
            {/* For password managers, which ask whose it is. */}
            <input type="text" class="unseen" autocomplete="username" value={me().handle} readonly tabindex="-1" aria-hidden="true" />
            <TextField
              label="Your password"
              error={fieldError('password')}
              value={password()}
              onInput={(event) => setPassword(event.currentTarget.value)}
              type="password"
              autocomplete="current-password"
              required
            />
          </Show>
          <Show when={asks() === 'passkey'}>
            <p class="quiet">Your device asks for your passkey first.</p>
          </Show>
          <p role="alert" class="dialog__note">
            {isOffline() ? 'There is no network. An account can only be deleted with one.' : words() || unknown()}
          </p>
          <p class="dialog__actions">
            <button type="button" class="button button--plain button--small" onClick={close}>
              Cancel
            </button>
            <button
              type="submit"
              class="button button--danger button--small"
              aria-disabled={isBusy() || isOffline() || asks() === null || (asks() === 'password' && password() === '')}
            >
              Delete for ever
            </button>
          </p>
        </form>
      </Dialog>
    </section>
  );
};
