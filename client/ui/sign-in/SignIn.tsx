import { useLocation } from '@solidjs/router';
import { type Component, Show, createEffect, createSignal, onCleanup } from 'solid-js';
import type { Problem } from '../../state/attempt.ts';
import { useAccount, useEntrance } from '../context.ts';
import { Emblem } from '../controls/Icon.tsx';
import { TextField } from '../controls/TextField.tsx';
import { createAsked } from '../create-asked.ts';
import { PasskeyButton } from './PasskeyButton.tsx';
import { WelcomeWords } from './WelcomeWords.tsx';
import './sign-in.css';

/** The way in: a new account, or the one there is. What was written stays when the form changes. */
export const SignIn: Component = () => {
  const account = useAccount();
  const entrance = useEntrance();
  const place = useLocation();
  const state = account.state();
  const invite = (): string | null => (place.pathname === '/join' && place.hash.length > 1 ? place.hash.slice(1) : null);
  const welcome = createAsked(invite, entrance.welcome);
  const mayRegister = (): boolean => !['closed', 'ended'].includes(welcome.latest()?.kind ?? 'open');
  const [wantsNew, setNew] = createSignal(invite() !== null || !(state.kind === 'signed-out' && state.returning));
  const isNew = (): boolean => wantsNew() && mayRegister();
  const [handle, setHandle] = createSignal('');
  const [displayName, setDisplayName] = createSignal('');
  const [password, setPassword] = createSignal('');
  const [problem, setProblem] = createSignal<Problem | null>(null);
  const [isBusy, setBusy] = createSignal(false);
  const fieldError = (name: string): string | undefined => problem()?.fields.get(name);
  const words = (): string | undefined => (problem()?.fields.size === 0 ? problem()?.words : undefined);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (isBusy()) return;
    setBusy(true);
    setProblem(await (isNew() ? account.signUp(handle(), displayName(), password(), invite()) : account.signIn(handle(), password())));
    setBusy(false);
  }
  function change(): void {
    setNew((before) => !before);
    setProblem(null);
  }

  // While one signs in, the browser suggests passkeys where the handle is written.
  createEffect(() => {
    if (isNew()) return;
    const leaving = new AbortController();
    onCleanup(() => leaving.abort());
    void entrance.suggestPasskeys(leaving.signal, setProblem);
  });

  return (
    <main class="entrance">
      <form class="entrance__form" onSubmit={(event) => void submit(event)}>
        <Emblem />
        <h1>{isNew() ? 'Welcome to Homing' : 'Welcome back'}</h1>
        <WelcomeWords welcome={welcome.latest() ?? null} isNew={isNew()} />
        <TextField
          label="Handle"
          hint={isNew() ? '3 to 30 letters, digits, dots or dashes.' : ''}
          error={fieldError('handle')}
          value={handle()}
          onInput={(event) => setHandle(event.currentTarget.value)}
          autocomplete={isNew() ? 'username' : 'username webauthn'}
          autocapitalize="none"
          spellcheck={false}
          required
        />
        <Show when={isNew()}>
          <TextField
            label="Display name"
            hint="As it stands beside your messages."
            error={fieldError('displayName')}
            value={displayName()}
            onInput={(event) => setDisplayName(event.currentTarget.value)}
            autocomplete="name"
            maxlength={60}
            dir="auto"
            required
          />
        </Show>
        <TextField
          label="Password"
          hint={isNew() ? 'At least 10 characters.' : ''}
          error={fieldError('password')}
          value={password()}
          onInput={(event) => setPassword(event.currentTarget.value)}
          type="password"
          autocomplete={isNew() ? 'new-password' : 'current-password'}
          required
        />
        <p role="alert" class="entrance__problem">
          {words()}
        </p>
        <button type="submit" class="button button--primary" aria-disabled={isBusy()}>
          {isNew() ? 'Sign up' : 'Sign in'}
        </button>
        <Show when={!isNew() && entrance.canUsePasskeys}>
          <PasskeyButton onProblem={setProblem} />
        </Show>
        <Show when={mayRegister()}>
          <p class="entrance__other">
            {isNew() ? 'Already have an account?' : 'New here?'}{' '}
            <button type="button" class="link" onClick={change}>
              {isNew() ? 'Sign in' : 'Sign up'}
            </button>
          </p>
        </Show>
      </form>
    </main>
  );
};
