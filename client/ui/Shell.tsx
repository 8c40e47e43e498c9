import { useLocation } from '@solidjs/router';
import { type Component, type ParentProps, Show, createEffect, onCleanup } from 'solid-js';
import { ConnectionPill } from './ConnectionPill.tsx';
import { usePlatform, usePage } from './context.ts';
import { DevicePill } from './DevicePill.tsx';
import { ConversationListPane } from './conversation-list/ConversationListPane.tsx';
import { createRegions } from './regions.ts';

/** Pages that are about the person or about people, and have nothing to wait for. */
const isApart = (path: string): boolean => /^\/(?:settings|people|waiting)\b/.test(path);

const Awaited: Component = () => (
  <main class="pane" aria-busy="true">
    <h1 class="unseen">Homing</h1>
  </main>
);

/** The list beside what was chosen from it; on a phone, one or the other. One number of unread ones in title and badge (C4.5). */
export const Shell: Component<ParentProps> = (props) => {
  const page = usePage();
  const platform = usePlatform();
  const location = useLocation();
  createRegions();
  createEffect(() => {
    const unread = page.list.unread();
    document.title = unread > 0 ? `(${unread}) Homing` : 'Homing';
    platform.showBadge(unread);
  });
  createEffect(() => {
    if (page.waiting.onlyHere() === 0) return;
    // The browser asks before the tab, and what is only in it, goes.
    const ask = (event: Event): void => event.preventDefault();
    addEventListener('beforeunload', ask);
    onCleanup(() => removeEventListener('beforeunload', ask));
  });
  return (
    <div class="shell" classList={{ 'shell--list': location.pathname === '/' }}>
      <ConversationListPane />
      <Show when={page.list.isLoaded() || isApart(location.pathname)} fallback={<Awaited />}>
        {props.children}
      </Show>
      <div class="pills">
        <DevicePill status={page.device()} onlyHere={page.waiting.onlyHere()} />
        <ConnectionPill status={page.connection()} isSlow={page.isSlow()} />
      </div>
    </div>
  );
};
