import { A, useParams } from '@solidjs/router';
import { type Component, Match, Show, Switch, createEffect, createMemo, createSelector, createSignal, mapArray } from 'solid-js';
import type { ConversationRow } from '../../state/create-conversation-list.ts';
import { usePage } from '../context.ts';
import { Avatar } from '../controls/Avatar.tsx';
import { Icon } from '../controls/Icon.tsx';
import { RowSkeletons } from '../controls/Skeleton.tsx';
import { arrange, stepFrom } from '../roving.ts';
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

interface RowProps {
  row: ConversationRow;
  position: number;
  setSize: number;
  /** It is where Tab enters the list (C9.7). */
  isStop: boolean;
}

const Row: Component<RowProps> = (props) => (
  <li aria-posinset={props.position} aria-setsize={props.setSize}>
    <A
      href={`/conversations/${props.row.id}`}
      class="row"
      classList={{ 'row--unread': props.row.unread > 0 }}
      tabindex={props.isStop ? 0 : -1}
      data-id={props.row.id}
    >
      <Avatar id={props.row.avatarId} name={props.row.name} url={props.row.avatarUrl} isGone={props.row.isGone} />
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

/** So many rows are a screen of the list. */
const PAGE_ROWS = 8;

/** The rows as one tab stop: at the one focused last, else at the open one, else at the first. */
const Rows: Component = () => {
  const { list } = usePage();
  const params = useParams<{ id?: string }>();
  const [focused, setFocused] = createSignal<string | null>(null);
  const indexes = createMemo(() => new Map(list.rows.map(({ id }, i) => [id, i])));
  const stop = createMemo(() => [focused(), params.id].find((id) => id && indexes().has(id)) ?? list.rows[0]?.id);
  // Asks two rows, not all of them, when another one is the stop.
  const isStop = createSelector(stop);
  const idOf = (target: EventTarget | null): string | undefined =>
    target instanceof Element ? target.closest<HTMLElement>('a[data-id]')?.dataset.id : undefined;

  function onKeyDown(event: KeyboardEvent): void {
    const at = indexes().get(idOf(event.target) ?? '');
    if (at === undefined) return;
    const to = stepFrom(event, at, list.rows.length, (direction) => at + direction * PAGE_ROWS);
    if (to === null) return;
    event.preventDefault();
    content.children[to]?.querySelector('a')?.focus();
  }

  const content = (
    <ul onKeyDown={onKeyDown} onFocusIn={(event) => setFocused(idOf(event.target) ?? null)} onFocusOut={() => setFocused(null)} />
  ) as HTMLUListElement;
  const rows = createMemo(
    mapArray(
      () => list.rows,
      (row) =>
        (<Row row={row} position={(indexes().get(row.id) ?? 0) + 1} setSize={list.rows.length} isStop={isStop(row.id)} />) as HTMLLIElement,
    ),
  );
  createEffect(() => arrange(content, rows()));
  return content;
};

/** The way to what strangers ask: apart, with no more than a quiet number (G3). */
const RequestsLink: Component = () => {
  const { list } = usePage();
  return (
    <Show when={list.requests.length > 0}>
      <A href="/requests" class="row row--requests">
        <span class="avatar avatar--gone">
          <Icon name="person" />
        </span>
        <span class="row__name">Message requests</span>
        <span class="row__preview" dir="auto">
          {list.requests.map(({ name }) => name).join(', ')}
        </span>
        <span class="row__count">{list.requests.length}</span>
      </A>
    </Show>
  );
};

/** The conversations, the newest first. */
export const ConversationLinks: Component = () => {
  const { list } = usePage();
  return (
    <nav class="rows" aria-label="Conversations" data-region="conversations">
      <Show when={list.isLoaded()} fallback={<RowSkeletons count={6} />}>
        <RequestsLink />
        <Rows />
        <Show when={list.rows.length === 0 && list.requests.length === 0}>
          <p class="quiet quiet--centred">Nobody here yet. Find people by their name or handle.</p>
        </Show>
      </Show>
    </nav>
  );
};
