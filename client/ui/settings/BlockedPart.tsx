import { A } from '@solidjs/router';
import { type Component, For, Show, createSignal } from 'solid-js';
import type { User } from '../../../shared/api.ts';
import { usePage } from '../context.ts';
import { Avatar } from '../controls/Avatar.tsx';
import './account.css';

/** Whom this person has blocked, and taking that back; with or without a network. */
export const BlockedPart: Component = () => {
  const { protection } = usePage();
  const [said, setSaid] = createSignal('');
  let heading!: HTMLHeadingElement;

  async function unblock({ id, displayName }: User): Promise<void> {
    await protection.setBlocked(id, false);
    setSaid(`${displayName} is not blocked any more.`);
    // The row is gone: the focus goes to the beginning of the list, not back to the top of the page (C9.8).
    heading.focus();
  }

  return (
    <section class="settings__part" aria-labelledby="blocked">
      <h2 ref={heading} id="blocked" tabindex="-1">
        Blocked people
      </h2>
      <Show when={protection.blocked().length > 0} fallback={<p class="quiet">You have blocked nobody.</p>}>
        <ul class="account__list" aria-label="Blocked people">
          <For each={protection.blocked()}>
            {(user) => (
              <li class="account__row account__row--person">
                <Avatar id={user.id} name={user.displayName} url={user.avatarUrl} size="small" />
                <A href={`/people/${user.handle}`} class="account__name" dir="auto">
                  {user.displayName}
                </A>
                <p class="account__note">@{user.handle}</p>
                <button
                  type="button"
                  class="button button--plain button--small"
                  aria-label={`Unblock ${user.displayName}`}
                  onClick={() => void unblock(user)}
                >
                  Unblock
                </button>
              </li>
            )}
          </For>
        </ul>
      </Show>
      <p role="status" class="account__note">
        {said()}
      </p>
    </section>
  );
};
