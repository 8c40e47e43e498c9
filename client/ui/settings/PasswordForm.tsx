import { type Component, Show, createSignal } from 'solid-js';
import { useAccountCare, useMe } from '../context.ts';
import { createAttempt } from '../create-attempt.ts';
import { TextField } from '../controls/TextField.tsx';

/** A new password in the place of the old one; every other device is signed out by it. */
export const PasswordForm: Component = () => {
  const care = useAccountCare();
  const me = useMe();
  const [isOpen, setOpen] = createSignal(false);
  const [current, setCurrent] = createSignal('');
  const [next, setNext] = createSignal('');
  const [isChanged, setChanged] = createSignal(false);
  let opener!: HTMLButtonElement;
  const { attempt, isBusy, words, fieldError } = createAttempt();

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (!(await attempt(() => care.changePassword(current(), next())))) return;
    setChanged(true);
    close();
  }
  function close(): void {
    setCurrent('');
    setNext('');
    setOpen(false);
    opener.focus();
  }

  return (
    <>
      <h3>Password</h3>
      <p class="settings__actions">
        <button
          ref={opener}
          type="button"
          class="button button--plain button--small"
          aria-expanded={isOpen()}
          onClick={() => (setChanged(false), setOpen(true))}
        >
          Change password
        </button>
        <span role="status" class="quiet">
          {isChanged() ? 'Changed. Your other devices are signed out.' : ''}
        </span>
      </p>
      <Show when={isOpen()}>
        <form class="settings__form" onSubmit={(event) => void submit(event)}>
          {/* For password managers, which ask whose it is. */}
          <input type="text" class="unseen" autocomplete="username" value={me().handle} readonly tabindex="-1" aria-hidden="true" />
          <TextField
            ref={(input) => queueMicrotask(() => input.focus())}
            label="Current password"
            error={fieldError('current')}
            value={current()}
            onInput={(event) => setCurrent(event.currentTarget.value)}
            type="password"
            autocomplete="current-password"
            required
          />
          <TextField
            label="New password"
            hint="At least 10 characters. Your other devices will be signed out."
            error={fieldError('next')}
            value={next()}
            onInput={(event) => setNext(event.currentTarget.value)}
            type="password"
            autocomplete="new-password"
            required
          />
          <p class="settings__actions">
            <button type="submit" class="button button--primary button--small" aria-disabled={isBusy()}>
              Set password
            </button>
            <button type="button" class="button button--plain button--small" onClick={close}>
              Cancel
            </button>
          </p>
          <p role="alert" class="field__note field__note--error">
            {words()}
          </p>
        </form>
      </Show>
    </>
  );
};
