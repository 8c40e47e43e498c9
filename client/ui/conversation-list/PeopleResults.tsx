import { A } from '@solidjs/router';
import { type Component, For, Match, Switch } from 'solid-js';
import type { User } from '../../../shared/api.ts';
import type { PeopleSearch } from '../../state/create-people.ts';
import { Avatar } from '../controls/Avatar.tsx';

const found = (search: PeopleSearch): readonly User[] | null => (search.kind === 'found' && search.users.length > 0 ? search.users : null);

function wordsFor(search: PeopleSearch): string {
  if (search.kind === 'too-short') return 'Write at least three letters of a name or handle.';
  if (search.kind === 'failed') return search.problem.words;
  return search.kind === 'found' ? 'Nobody of that name.' : '';
}

/** The people a search found. */
export const PeopleResults: Component<{ search: PeopleSearch; onChosen: () => void }> = (props) => (
  <section class="rows" aria-label="People" data-region="conversations">
    <Switch
      fallback={
        <p class="quiet quiet--centred" role="status">
          {wordsFor(props.search)}
        </p>
      }
    >
      <Match when={found(props.search)}>
        {(users) => (
          <ul>
            <For each={users()}>
              {(user) => (
                <li>
                  <A href={`/people/${user.handle}`} class="row" onClick={() => props.onChosen()}>
                    <Avatar id={user.id} name={user.displayName} url={user.avatarUrl} />
                    <span class="row__name" dir="auto">
                      {user.displayName}
                    </span>
                    <span class="row__preview">@{user.handle}</span>
                  </A>
                </li>
              )}
            </For>
          </ul>
        )}
      </Match>
    </Switch>
  </section>
);
