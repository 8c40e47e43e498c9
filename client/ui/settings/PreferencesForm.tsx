import { type Component, Show } from 'solid-js';
import { usePlatform } from '../context.ts';
import { Choice } from '../controls/Choice.tsx';

/** How the app looks and how one writes, on this device; it holds at once and in every tab. */
export const PreferencesForm: Component = () => {
  const { preferences, prefer } = usePlatform();
  return (
    <section class="settings__part" aria-labelledby="preferences">
      <h2 id="preferences">Look and writing</h2>
      <Choice
        label="Theme"
        value={preferences().theme}
        choices={[
          ['system', 'As the device'],
          ['light', 'Light'],
          ['dark', 'Dark'],
        ]}
        onChoose={(theme) => prefer({ theme })}
      />
      <Choice
        label="Send with"
        value={preferences().sendKey}
        choices={[
          ['enter', 'Enter'],
          ['ctrl-enter', 'Ctrl+Enter'],
        ]}
        onChoose={(sendKey) => prefer({ sendKey })}
      />
      <p class="quiet settings__note">
        <Show when={preferences().sendKey === 'enter'} fallback="Enter makes a new line; Ctrl or Command with Enter sends.">
          Shift+Enter makes a new line.
        </Show>
      </p>
    </section>
  );
};
