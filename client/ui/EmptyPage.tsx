import { type Component, Show } from 'solid-js';
import { useMe, usePage } from './context.ts';
import { Emblem } from './controls/Icon.tsx';

/** What stands beside the list while nothing is chosen; to those who know nobody here it says how to begin. */
export const EmptyPage: Component = () => {
  const { list } = usePage();
  const me = useMe();
  return (
    <main class="pane">
      <h1 class="unseen">Homing</h1>
      <div class="blank">
        <Emblem />
        <Show when={list.rows.length === 0} fallback={<p>Choose a conversation, or find somebody to write to.</p>}>
          <p class="blank__lead">Hello, {me().displayName}.</p>
          <p>
            Find people by their name or handle. Others find you as <strong>@{me().handle}</strong>.
          </p>
        </Show>
      </div>
    </main>
  );
};
