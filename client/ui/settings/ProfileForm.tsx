import { type Component, createSignal } from 'solid-js';
import type { Problem } from '../../state/attempt.ts';
import { useAccount, useMe, usePage } from '../context.ts';
import { TextArea, TextField } from '../controls/TextField.tsx';

/** Name and bio. What was written stays while there is no network; only saving waits for one (C6.8). */
export const ProfileForm: Component = () => {
  const account = useAccount();
  const page = usePage();
  const me = useMe();
  const [displayName, setDisplayName] = createSignal(me().displayName);
  const [bio, setBio] = createSignal(me().bio);
  const [problem, setProblem] = createSignal<Problem | null>(null);
  const [isSaved, setSaved] = createSignal(false);
  const [isBusy, setBusy] = createSignal(false);
  const isChanged = (): boolean => displayName().trim() !== me().displayName || bio().trim() !== me().bio;
  const isOffline = (): boolean => page.connection() === 'offline';
  const fieldError = (name: string): string | undefined => problem()?.fields.get(name);
  function words(): string {
    if (isOffline() && isChanged()) return 'You can save this when there is a network.';
    if (isSaved() && !isChanged()) return 'Saved.';
    return problem()?.fields.size === 0 ? (problem()?.words ?? '') : '';
  }

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (isBusy() || !isChanged() || isOffline()) return;
    setBusy(true);
    const failed = await account.changeProfile({ displayName: displayName().trim(), bio: bio().trim() });
    setProblem(failed);
    setSaved(failed === null);
    setBusy(false);
  }

  return (
    <form class="settings__form" onSubmit={(event) => void submit(event)}>
      <TextField
        label="Display name"
        error={fieldError('displayName')}
        value={displayName()}
        onInput={(event) => setDisplayName(event.currentTarget.value)}
        autocomplete="name"
        maxlength={60}
        dir="auto"
        required
      />
      <TextArea
        label="About you"
        hint="A few words for your profile."
        error={fieldError('bio')}
        value={bio()}
        onInput={(event) => setBio(event.currentTarget.value)}
        maxlength={500}
        dir="auto"
      />
      <p class="settings__actions">
        <button type="submit" class="button button--primary button--small" aria-disabled={!isChanged() || isBusy() || isOffline()}>
          Save
        </button>
        <span role="status" class="quiet">
          {words()}
        </span>
      </p>
    </form>
  );
};
