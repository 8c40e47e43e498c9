import { A } from '@solidjs/router';
import { type Component, For, Match, Show, Switch } from 'solid-js';
import type { ConversationRow } from '../../state/create-conversation-list.ts';
import { usePage } from '../context.ts';
import { Avatar } from '../controls/Avatar.tsx';
import { Icon } from '../controls/Icon.tsx';
import { RowSkeletons } from '../controls/Skeleton.tsx';
import { formatExact, formatShort } from '../times.ts';

/** Whether something of one's own has not left, as a shape and as words. */
const RowMark: Component<{ row: ConversationRow }> = (props) => (
  <Switch>
    <Match when={props.row.hasFailed}>
      <span class="row__mark row__mark--failed">
        <Icon name="alert" />
        <span class="unseen">Not sent: </span>
      </span>
    </Match>
    <Match when={props.row.isWaiting}>
      <span class="row__mark">
        <Icon name="clock" />
        <span class="unseen">Waiting to be sent: </span>
      </span>
    </Match>
  </Switch>
);

const Row: Component<{ row: ConversationRow }> = (props) => (
  <li>
    <A href={`/conversations/${props.row.id}`} class="row" classList={{ 'row--unread': props.row.unread > 0 }}>
      <Avatar id={props.row.avatarId} name={props.row.name} url={props.row.avatarUrl} />
      <span class="row__name" dir="auto">
        {props.row.name}
      </span>
      <Show when={props.row.lastAt} keyed>
        {(at) => (
          <time class="row__time" dateTime={formatExact(at)}>
            {formatShort(at, Date.now())}
          </time>
        )}
      </Show>
      <span class="row__preview" dir="auto">
        <RowMark row={props.row} />
        {props.row.preview ?? 'No messages yet'}
      </span>
      <Show when={props.row.unread}>
        <span class="badge">
          {props.row.unread}
          <span class="unseen"> unread</span>
        </span>
      </Show>
    </A>
  </li>
);

/** The conversations, the newest first. */
export const ConversationLinks: Component = () => {
  const { list } = usePage();
  return (
    <nav class="rows" aria-label="Conversations">
      <Show when={list.isLoaded()} fallback={<RowSkeletons count={6} />}>
        <ul>
          <For each={list.rows}>{(row) => <Row row={row} />}</For>
        </ul>
        <Show when={list.rows.length === 0}>
          <p class="quiet quiet--centred">Nobody here yet. Find people by their name or handle.</p>
        </Show>
      </Show>
    </nav>
  );
};
