import { type Component, Match, Show, Switch } from 'solid-js';
import { useAccount, usePage } from '../context.ts';
import { Avatar } from '../controls/Avatar.tsx';
import { Icon } from '../controls/Icon.tsx';
import { ConversationLinks } from './ConversationLinks.tsx';
import { PeopleResults } from './PeopleResults.tsx';
import './conversation-list.css';

/** Who one is, the search for people, and the conversations. */
export const ConversationListPane: Component = () => {
  const account = useAccount();
  const { me, people } = usePage();
  let input!: HTMLInputElement;

  function leaveSearch(): void {
    people.setQuery('');
    input.focus();
  }

  return (
    <aside class="list-pane" aria-label="Conversations and people">
      <header class="bar">
        <Avatar id={me.id} name={me.displayName} size="small" />
        <p class="bar__name">
          <strong dir="auto">{me.displayName}</strong>
          <span class="quiet">@{me.handle}</span>
        </p>
        <button type="button" class="round" aria-label="Sign out" title="Sign out" onClick={() => void account.signOut()}>
          <Icon name="leave" />
        </button>
      </header>
      <div class="search">
        <Icon name="search" />
        <input
          ref={input}
          type="search"
          aria-label="Find people"
          placeholder="Find people"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          value={people.query()}
          onInput={(event) => people.setQuery(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Escape' && leaveSearch()}
        />
        <Show when={people.query()}>
          <button type="button" class="search__clear" aria-label="Leave search" onClick={leaveSearch}>
            <Icon name="close" />
          </button>
        </Show>
      </div>
      <Switch fallback={<PeopleResults search={people.search()} onChosen={() => people.setQuery('')} />}>
        <Match when={people.search().kind === 'none'}>
          <ConversationLinks />
        </Match>
      </Switch>
    </aside>
  );
};
