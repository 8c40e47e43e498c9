import { type Component, Show, createSignal, onCleanup } from 'solid-js';
import type { Problem } from '../../state/attempt.ts';
import { useAccount, useMe } from '../context.ts';
import { Avatar } from '../controls/Avatar.tsx';
import { Icon } from '../controls/Icon.tsx';
import { smallerPicture } from './smaller-picture.ts';

/** One's own picture: chosen, looked at, then taken; or away again. */
export const PictureForm: Component = () => {
  const account = useAccount();
  const me = useMe();
  const [chosen, setChosen] = createSignal<{ file: File; url: string } | null>(null);
  const [words, setWords] = createSignal('');
  const [isBusy, setBusy] = createSignal(false);
  let input!: HTMLInputElement;

  function choose(file: File | null): void {
    const before = chosen();
    if (before) URL.revokeObjectURL(before.url);
    setWords('');
    setChosen(file && { file, url: URL.createObjectURL(file) });
    input.value = '';
  }
  async function change(make: () => Promise<Problem | null>): Promise<void> {
    if (isBusy()) return;
    setBusy(true);
    const problem = await make();
    setBusy(false);
    if (!problem) choose(null);
    setWords(problem?.words ?? '');
  }
  onCleanup(() => choose(null));

  return (
    <div class="picture">
      <Avatar id={me().id} name={me().displayName} url={chosen()?.url ?? me().avatarUrl} size="large" />
      <div class="picture__side">
        <input
          ref={input}
          type="file"
          accept="image/*"
          class="unseen"
          tabindex="-1"
          aria-label="Picture file"
          onChange={(event) => choose(event.currentTarget.files?.[0] ?? null)}
        />
        <p class="settings__actions">
          <Show
            when={chosen()}
            fallback={
              <>
                <button type="button" class="button button--plain button--small" onClick={() => input.click()}>
                  <Icon name="picture" />
                  {me().avatarUrl ? 'Change picture' : 'Add picture'}
                </button>
                <Show when={me().avatarUrl}>
                  <button
                    type="button"
                    class="button button--plain button--small"
                    aria-disabled={isBusy()}
                    onClick={() => void change(account.removePicture)}
                  >
                    <Icon name="remove" />
                    Remove picture
                  </button>
                </Show>
              </>
            }
            keyed
          >
            {({ file }) => (
              <>
                <button
                  type="button"
                  class="button button--primary button--small"
                  aria-disabled={isBusy()}
                  onClick={() => void change(async () => account.setPicture(await smallerPicture(file)))}
                >
                  {isBusy() ? 'Sending…' : 'Use picture'}
                </button>
                <button type="button" class="button button--plain button--small" onClick={() => choose(null)}>
                  Cancel
                </button>
              </>
            )}
          </Show>
        </p>
        <p role="alert" class="field__note field__note--error">
          {words()}
        </p>
      </div>
    </div>
  );
};
