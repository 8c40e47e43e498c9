import { A } from '@solidjs/router';
import { type Component, Match, Show, Switch } from 'solid-js';
import type { RestoredNotice } from '../../state/create-restored.ts';
import { usePlatform, useMe, usePage } from '../context.ts';
import { Avatar } from '../controls/Avatar.tsx';
import { Icon } from '../controls/Icon.tsx';
import { createClearable } from '../create-clearable.ts';
import { countOf } from '../format.ts';
import { formatMoment } from '../times.ts';
import { ConversationLinks } from './ConversationLinks.tsx';
import { createListKeys } from './create-list-keys.ts';
import { PeopleResults } from './PeopleResults.tsx';
import './conversation-list.css';

/** "1 message not sent, 3 waiting". */
function wordsFor(count: number, failed: number): string {
  if (failed === 0) return `${countOf(count, 'message')} waiting to be sent`;
  return `${countOf(failed, 'message')} not sent${count > failed ? `, ${count - failed} waiting` : ''}`;
}

/** What happened, and what becomes of it without the person's doing. */
const restoredWords = ({ backTo }: RestoredNotice): string =>
  `The server went back to a backup${backTo === null ? '' : ` of ${formatMoment(backTo)}`}. ` +
  'What you sent since then is being sent again; what others sent comes back with their devices.';

/** At the foot, where it moves nothing: what waits to be sent, what became of the server, and a newer version of the app. */
const Notices: Component = () => {
  const { waiting, connection, restored } = usePage();
  const failed = (): number => waiting.entries.filter(({ failure }) => failure !== null).length;
  const platform = usePlatform();
  const isClearable = createClearable();
  const isAtRisk = (): boolean => isClearable() && connection() !== 'connected' && !waiting.isMemoryOnly();
  return (
    <div class="notices">
      <Show when={waiting.count()}>
        {(count) => (
          <A href="/waiting" class="notice" classList={{ 'notice--failed': failed() > 0 }}>
            <Icon name={failed() > 0 ? 'alert' : 'clock'} />
            <span class="notice__words">
              <span>{wordsFor(count(), failed())}</span>
              <Show when={isAtRisk()}>
                <span class="notice__more">The browser may clear this to make room</span>
              </Show>
            </span>
          </A>
        )}
      </Show>
      <Show when={restored.notice()}>
        {(notice) => (
          <p class="notice" role="status">
            <Icon name="alert" />
            <span class="notice__words">{restoredWords(notice())}</span>
            <button type="button" class="link" onClick={restored.dismiss}>
              Understood
            </button>
          </p>
        )}
      </Show>
      <Show when={platform.isUpdateReady()}>
        <p class="notice">
          <Icon name="update" />
          <span class="notice__words">A new version is ready.</span>
          <button type="button" class="link" onClick={platform.applyUpdate}>
            Restart
          </button>
        </p>
      </Show>
    </div>
  );
};

/** Who one is, the search for people, and the conversations. */
export const ConversationListPane: Component = () => {
  const { list, people } = usePage();
  const me = useMe();
  let input!: HTMLInputElement;
  createListKeys(() => list.rows);

  function leaveSearch(): void {
    people.setQuery('');
    input.focus();
  }

  return (
    <aside class="list-pane" aria-label="Conversations and people">
      <header class="bar">
        <A href="/settings" class="me" title="Settings">
          <Avatar id={me().id} name={me().displayName} url={me().avatarUrl} size="small" />
          <span class="bar__name">
            <strong dir="auto">{me().displayName}</strong>
            <span class="quiet">@{me().handle}</span>
          </span>
          <Icon name="settings" />
          <span class="unseen">Settings</span>
        </A>
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
      <Notices />
    </aside>
  );
};
