import { type Component, For, Show, createSignal } from 'solid-js';
import type { Passkey } from '../../../shared/account-api.ts';
import { useAccountCare } from '../context.ts';
import { createAttempt } from '../create-attempt.ts';
import { Icon } from '../controls/Icon.tsx';
import { TextField } from '../controls/TextField.tsx';
import { formatMoment } from '../times.ts';

interface Props {
  passkeys: readonly Passkey[];
  hasPassword: boolean;
  onChange: () => Promise<unknown>;
}

/** One passkey: its name, changed in place, and taking it away. */
const Row: Component<{ passkey: Passkey; onChange: () => Promise<unknown> }> = (props) => {
  const care = useAccountCare();
  const [name, setName] = createSignal<string | null>(null);
  let renamer!: HTMLButtonElement;
  const { attempt, isBusy, words, fieldError } = createAttempt();
  const used = (): string =>
    props.passkey.lastUsedAt === null ? 'not used yet' : `last used ${formatMoment(Date.parse(props.passkey.lastUsedAt))}`;

  async function rename(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (!(await attempt(() => care.renamePasskey(props.passkey.id, name()!.trim())))) return;
    setName(null);
    await props.onChange();
  }
  async function remove(): Promise<void> {
    if (await attempt(() => care.removePasskey(props.passkey.id))) await props.onChange();
  }

  return (
    <li class="account__row">
      <Show
        when={name() !== null}
        fallback={
          <>
            <p class="account__name">
              <Icon name="key" />
              <bdi>{props.passkey.name}</bdi>
            </p>
            <p class="account__note">
              Since {formatMoment(Date.parse(props.passkey.createdAt))}, {used()}
            </p>
            <p class="settings__actions">
              <button
                ref={renamer}
                type="button"
                class="button button--plain button--small"
                aria-label={`Rename ${props.passkey.name}`}
                onClick={() => setName(props.passkey.name)}
              >
                Rename
              </button>
              <button
                type="button"
                class="button button--danger button--small"
                aria-label={`Remove ${props.passkey.name}`}
                aria-disabled={isBusy()}
                onClick={() => void remove()}
              >
                Remove
              </button>
            </p>
          </>
        }
      >
        <form class="account__rename" onSubmit={(event) => void rename(event)}>
          <TextField
            ref={(input) => queueMicrotask(() => input.focus())}
            label="Name of the passkey"
            error={fieldError('name')}
            value={name() ?? ''}
            onInput={(event) => setName(event.currentTarget.value)}
            maxlength={60}
            dir="auto"
            required
          />
          <p class="settings__actions">
            <button type="submit" class="button button--primary button--small" aria-disabled={isBusy()}>
              Save
            </button>
            <button type="button" class="button button--plain button--small" onClick={() => (setName(null), renamer.focus())}>
              Cancel
            </button>
          </p>
        </form>
      </Show>
      <p role="alert" class="field__note field__note--error account__problem">
        {words()}
      </p>
    </li>
  );
};

/** Passkeys: signing in by fingerprint, face or PIN of a device. */
export const PasskeysForm: Component<Props> = (props) => {
  const care = useAccountCare();
  let opener!: HTMLButtonElement;
  let heading!: HTMLHeadingElement;
  const [isAdding, setAdding] = createSignal(false);
  const [name, setName] = createSignal('');
  const [password, setPassword] = createSignal('');
  const { attempt, isBusy, words, fieldError } = createAttempt();

  async function add(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const added = await attempt(() => care.addPasskey(name().trim(), props.hasPassword ? password() : null));
    if (!added) return;
    close();
    await props.onChange();
  }
  function close(): void {
    setName('');
    setPassword('');
    setAdding(false);
    opener.focus();
  }
  /** The rows are new ones: the focus goes to their beginning, not back to the top of the page (C9.8). */
  async function changed(): Promise<void> {
    await props.onChange();
    heading.focus();
  }

  return (
    <>
      <h3 ref={heading} tabindex="-1">
        Passkeys
      </h3>
      <Show
        when={props.passkeys.length > 0}
        fallback={<p class="quiet">Sign in by fingerprint, face or PIN of a device, with nothing to remember.</p>}
      >
        <ul class="account__list" aria-label="Passkeys">
          <For each={props.passkeys}>{(passkey) => <Row passkey={passkey} onChange={changed} />}</For>
        </ul>
      </Show>
      <Show when={care.canHavePasskeys} fallback={<p class="quiet">This browser cannot make passkeys at this address.</p>}>
        <p>
          <button
            ref={opener}
            type="button"
            class="button button--plain button--small"
            aria-expanded={isAdding()}
            onClick={() => setAdding(true)}
          >
            <Icon name="key" />
            Add a passkey
          </button>
        </p>
        <Show when={isAdding()}>
          <form class="settings__form" onSubmit={(event) => void add(event)}>
            <TextField
              ref={(input) => queueMicrotask(() => input.focus())}
              label="Name of the passkey"
              hint="Such as “My phone”, so that you know it again."
              error={fieldError('name')}
              value={name()}
              onInput={(event) => setName(event.currentTarget.value)}
              maxlength={60}
              dir="auto"
              required
            />
            <Show when={props.hasPassword}>
              <TextField
                label="Your password"
                hint="To be sure that it is you."
                error={fieldError('password')}
                value={password()}
                onInput={(event) => setPassword(event.currentTarget.value)}
                type="password"
                autocomplete="current-password"
                required
              />
            </Show>
            <p class="settings__actions">
              <button type="submit" class="button button--primary button--small" aria-disabled={isBusy()}>
                {isBusy() ? 'Waiting for the device…' : 'Add passkey'}
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
      </Show>
    </>
  );
};
