import { type Component, Show } from 'solid-js';
import { useAccountCare } from '../context.ts';
import { createAsked } from '../create-asked.ts';
import { Asked } from './Asked.tsx';
import { PasskeysForm } from './PasskeysForm.tsx';
import { PasswordForm } from './PasswordForm.tsx';
import './account.css';

/** How this person signs in: password and passkeys. */
export const WaysInPart: Component = () => {
  const care = useAccountCare();
  const waysIn = createAsked(() => true, care.waysIn);
  return (
    <section class="settings__part" aria-labelledby="ways-in">
      <h2 id="ways-in">Signing in</h2>
      <Asked outcome={waysIn.latest()} onAgain={() => void waysIn.again()}>
        {(found) => (
          <>
            <PasskeysForm passkeys={found().passkeys} hasPassword={found().hasPassword} onChange={waysIn.again} />
            <Show when={found().hasPassword} fallback={<p class="quiet">You sign in without a password.</p>}>
              <PasswordForm />
            </Show>
          </>
        )}
      </Asked>
    </section>
  );
};
