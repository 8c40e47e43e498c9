import { type Component, For, Show, createEffect, createSignal, on, onMount } from 'solid-js';
import type { ConversationView } from '../../state/create-conversation.ts';
import { Icon } from '../controls/Icon.tsx';
import { Message } from './Message.tsx';
import { type ScrollOwner, createScrollOwner } from './scroll-owner.ts';

interface Props {
  view: ConversationView;
  isAttended: boolean;
  isGroup: boolean;
  nameOf: (userId: string | null) => string;
}

/** So near to the beginning older messages are asked for. */
const OLDER_PX = 900;

/** The messages, the place in them, and what of them was read. */
export const Thread: Component<Props> = (props) => {
  let box!: HTMLDivElement;
  let content!: HTMLOListElement;
  const [scroll, setScroll] = createSignal<ScrollOwner | null>(null);
  const itemOf = (seq: number): HTMLElement | null => content.querySelector(`[data-seq="${seq}"]`);

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
  /** An own message takes its writer to the end (C5.2). */
  const ownLast = (): string | null => {
    const last = props.view.messages.at(-1);
    return last?.isOwn && last.seq === null ? last.id : null;
  };

  onMount(() => {
    setScroll(createScrollOwner(box, content, look));
    createEffect(
      on(props.view.isLoaded, (loaded) => {
        const [first] = props.view.unread();
        const item = loaded && first !== undefined ? itemOf(first) : null;
        if (item) scroll()?.toItem(item);
        look();
      }),
    );
    createEffect(on(ownLast, (id) => id && scroll()?.toBottom(), { defer: true }));
    createEffect(on(() => props.isAttended, look, { defer: true }));
  });

  return (
    <div class="thread">
      <div
        ref={box}
        class="thread__box"
        classList={{ 'thread__box--loaded': props.view.isLoaded() }}
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
                author={message.isOwn ? 'You' : props.nameOf(message.authorId)}
                showsAuthor={props.isGroup && !message.isOwn}
                onRetry={() => props.view.retry(message.id)}
                onDiscard={() => props.view.discard(message.id)}
              />
            )}
          </For>
        </ol>
        <Show when={props.view.isLoaded() && props.view.messages.length === 0}>
          <p class="quiet thread__none">No messages yet. Say hello.</p>
        </Show>
      </div>
      <button type="button" class="thread__down" classList={{ 'thread__down--gone': scroll()?.isAtBottom() ?? true }} onClick={goDown}>
        <Show when={props.view.unread().length} fallback={<span class="unseen">To the newest message</span>}>
          {(count) => <span class="badge">{count()} new</span>}
        </Show>
        <Icon name="down" />
      </button>
    </div>
  );
};
