import { type Component, createSignal } from 'solid-js';
import type { Problem } from '../../state/attempt.ts';
import { useEntrance } from '../context.ts';
import { Icon } from '../controls/Icon.tsx';

/** Signs in with a passkey of this device, or of a phone beside it; nothing is typed. */
export const PasskeyButton: Component<{ onProblem: (problem: Problem | null) => void }> = (props) => {
  const entrance = useEntrance();
  const [isBusy, setBusy] = createSignal(false);

  async function signIn(): Promise<void> {
    if (isBusy()) return;
    setBusy(true);
    props.onProblem(null);
    props.onProblem(await entrance.signInByPasskey());
    setBusy(false);
  }

  return (
    <button type="button" class="button button--plain entrance__passkey" aria-disabled={isBusy()} onClick={() => void signIn()}>
      <Icon name="key" />
      Sign in with a passkey
    </button>
  );
};
