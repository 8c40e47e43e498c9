import { type Accessor, type Component, For, type Setter, Show, createEffect, on, onCleanup, onMount } from 'solid-js';
import type { ConversationView } from '../../state/create-conversation.ts';
import { usePlaces } from '../context.ts';
import { Icon } from '../controls/Icon.tsx';
import { Message } from './Message.tsx';
import { type ScrollOwner, createScrollOwner } from './scroll-owner.ts';

interface Props {
  id: string;
  view: ConversationView;
  scroll: Accessor<ScrollOwner | null>;
  setScroll: Setter<ScrollOwner | null>;
  isAttended: boolean;
  isOffline: boolean;
  isGroup: boolean;
  nameOf: (userId: string | null) => string;
}

/** So near to the beginning older messages are asked for. */
const OLDER_PX = 900;

/** The shape of messages that are still on their way, or words that they are not on this device. */
const Missing: Component<{ isOffline: boolean }> = (props) => (
  <Show
    when={props.isOffline}
    fallback={
      <div class="thread__skeletons" aria-hidden="true">
        <For each={['start', 'start', 'end', 'start', 'end', 'end']}>{(side) => <span class={`skeleton thread__skeleton--${side}`} />}</For>
      </div>
    }
  >
    <p class="quiet thread__none">
      This conversation is not on this device yet. It comes when there is a network; what you write now is kept.
    </p>
  </Show>
);

/** The messages, the place in them, and what of them was read. */
export const Thread: Component<Props> = (props) => {
  const places = usePlaces();
  let box!: HTMLDivElement;
  let content!: HTMLOListElement;
  const { scroll } = props;
  const itemOf = (seq: number): HTMLElement | null => content.querySelector(`[data-seq="${seq}"]`);
  const hasSome = (): boolean => props.view.messages.length > 0;

  function look(): void {
    if (!props.view.isLoaded()) return;
    if (props.isAttended) {
      const seq = scroll()?.lastSeen()?.dataset.seq;
      if (seq !== undefined) props.view.markRead(Number(seq));
    }
    if (box.scrollTop < OLDER_PX && props.view.hasOlder()) props.view.loadOlder();
  }
  /** First press: to the first unread one. Second press: to the end (C5.1). */
  function goDown(): void {
    const [first] = props.view.unread();
    const item = first === undefined ? null : itemOf(first);
    if (item) scroll()?.toItem(item);
    else scroll()?.toBottom();
  }
  /** Where reading goes on: at the first unread one, else where it was, else at the end (C4.2, C5.7). */
  function arrive(): void {
    const [first] = props.view.unread();
    const item = first === undefined ? null : itemOf(first);
    const place = places.get(props.id);
    if (item) scroll()?.toItem(item);
    else if (place) scroll()?.restore(place);
  }
  /** An own message takes its writer to the end (C5.2). */
  const ownLast = (): string | null => {
    const last = props.view.messages.at(-1);
    return last?.isOwn && last.seq === null ? last.id : null;
  };

  onMount(() => {
    props.setScroll(createScrollOwner(box, content, look));
    createEffect(
      on(props.view.isLoaded, (loaded) => {
        if (loaded) arrive();
        look();
      }),
    );
    createEffect(on(ownLast, (id) => id && scroll()?.toBottom(), { defer: true }));
    createEffect(on(() => props.isAttended, look, { defer: true }));
  });
  onCleanup(() => {
    const place = scroll()?.anchor();
    if (place) places.set(props.id, place);
    else places.delete(props.id);
  });

  return (
    <div class="thread">
      <div
        ref={box}
        class="thread__box"
        classList={{ 'thread__box--loaded': props.view.isLoaded() || hasSome() }}
        tabindex="0"
        role="group"
        aria-label="History"
      >
        <ol ref={content} class="thread__list" aria-label="Messages">
          <For each={props.view.messages}>
            {(message) => (
              <Message
                message={message}
                mark={props.view.mark(message)}
                isOffline={props.isOffline}
                author={message.isOwn ? 'You' : props.nameOf(message.authorId)}
                showsAuthor={props.isGroup && !message.isOwn}
                onRetry={() => props.view.retry(message.id)}
                onDiscard={() => props.view.discard(message.id)}
              />
            )}
          </For>
        </ol>
        <Show when={props.view.isLoaded() && !hasSome()}>
          <p class="quiet thread__none">No messages yet. Say hello.</p>
        </Show>
      </div>
      <Show when={!props.view.isLoaded() && !hasSome()}>
        <Missing isOffline={props.isOffline} />
      </Show>
      <button type="button" class="thread__down" classList={{ 'thread__down--gone': scroll()?.isAtBottom() ?? true }} onClick={goDown}>
        <Show when={props.view.unread().length} fallback={<span class="unseen">To the newest message</span>}>
          {(count) => <span class="badge">{count()} new</span>}
        </Show>
        <Icon name="down" />
      </button>
    </div>
  );
};
