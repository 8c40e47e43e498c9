import { A } from '@solidjs/router';
import { type Component, For, Show } from 'solid-js';
import { usePage } from '../context.ts';
import { BackLink } from '../controls/BackLink.tsx';
import { Avatar } from '../controls/Avatar.tsx';
import { Blank } from '../controls/Blank.tsx';
import { formatExact, formatShort } from '../times.ts';

/** What strangers ask, apart from the conversations (G3). */
export const RequestsPage: Component = () => {
  const { list } = usePage();
  return (
    <main class="pane" aria-label="Message requests">
      <header class="bar">
        <BackLink />
        <h1 class="bar__title">Message requests</h1>
      </header>
      <div class="page" tabindex="0" role="group" aria-label="Requests">
        <Show
          when={list.requests.length > 0}
          fallback={
            <Blank sign="person" lead="Nobody asks to write to you.">
              <p>When somebody writes whom you do not know, it waits here until you accept.</p>
            </Blank>
          }
        >
          <p class="quiet requests__hint">From people you do not know. They do not learn that you have looked until you accept.</p>
          <ul class="requests">
            <For each={list.requests}>
              {(row) => (
                <li>
                  <A href={`/conversations/${row.id}`} class="row">
                    <Avatar id={row.avatarId} name={row.name} url={row.avatarUrl} isGone={row.isGone} />
                    <span class="row__name" dir="auto">
                      {row.name}
                    </span>
                    <Show when={row.lastAt} keyed>
                      {(at) => (
                        <time class="row__time" dateTime={formatExact(at)}>
                          {formatShort(at, Date.now())}
                        </time>
                      )}
                    </Show>
                    <span class="row__preview" dir="auto">
                      {row.preview ?? 'Added you to a group'}
                    </span>
                  </A>
                </li>
              )}
            </For>
          </ul>
        </Show>
      </div>
    </main>
  );
};
