import { useLocation } from '@solidjs/router';
import { type Component, Show, createSignal } from 'solid-js';
import { useEntrance } from '../context.ts';
import { createAttempt } from '../create-attempt.ts';
import { Emblem } from '../controls/Icon.tsx';
import { TextField } from '../controls/TextField.tsx';
import './sign-in.css';

/** A new password, by a link that the operator gave. What the link carries stands behind the `#` and is in no request's address. */
export const ResetPage: Component = () => {
  const entrance = useEntrance();
  const place = useLocation();
  const [password, setPassword] = createSignal('');
  const [handle, setHandle] = createSignal<string | null>(null);
  const { attempt, isBusy, words, fieldError } = createAttempt();

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const done = await attempt(() => entrance.reset(place.hash.slice(1), password()));
    setHandle(done?.value ?? null);
  }

  return (
    <main class="entrance">
      <Show
        when={handle()}
        fallback={
          <form class="entrance__form" onSubmit={(event) => void submit(event)}>
            <Emblem />
            <h1>A new password</h1>
            <TextField
              label="New password"
              hint="At least 10 characters."
              error={fieldError('password')}
              value={password()}
              onInput={(event) => setPassword(event.currentTarget.value)}
              type="password"
              autocomplete="new-password"
              required
            />
            <p role="alert" class="entrance__problem">
              {words()}
            </p>
            <button type="submit" class="button button--primary" aria-disabled={isBusy()}>
              Set password
            </button>
          </form>
        }
      >
        {(whose) => (
          <div class="entrance__form">
            <Emblem />
            <h1>All set</h1>
            <p role="status">
              <bdi>@{whose()}</bdi> has a new password, and is signed out everywhere else. Its passkeys are gone.
            </p>
            {/* A page of its own: what this browser had open is over. */}
            <a href="/" rel="external" class="button button--primary">
              Go on
            </a>
          </div>
        )}
      </Show>
    </main>
  );
};
