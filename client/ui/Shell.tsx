import { useLocation } from '@solidjs/router';
import { type Component, type ParentProps, Show, createEffect } from 'solid-js';
import { ConnectionPill } from './ConnectionPill.tsx';
import { usePage } from './context.ts';
import { ConversationListPane } from './conversation-list/ConversationListPane.tsx';

/** The list beside what was chosen from it; on a phone, one or the other. */
export const Shell: Component<ParentProps> = (props) => {
  const page = usePage();
  const location = useLocation();
  createEffect(() => {
    const unread = page.list.unread();
    document.title = unread > 0 ? `(${unread}) Homing` : 'Homing';
  });
  return (
    <div class="shell" classList={{ 'shell--list': location.pathname === '/' }}>
      <ConversationListPane />
      <Show when={page.list.isLoaded()} fallback={<div class="pane" />}>
        {props.children}
      </Show>
      <ConnectionPill status={page.connection()} />
    </div>
  );
};
