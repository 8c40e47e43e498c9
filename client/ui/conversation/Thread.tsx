import { type Component, For, Show, createEffect, createMemo, createSelector, createSignal, mapArray, on, onCleanup } from 'solid-js';
import type { ConversationView } from '../../state/create-conversation.ts';
import type { ThreadMessage } from '../../state/thread.ts';
import { usePlaces } from '../context.ts';
import { Icon } from '../controls/Icon.tsx';
import { AnchoredMenu, type Anchored } from '../controls/Menu.tsx';
import { focusRegion } from '../regions.ts';
import { arrange } from '../roving.ts';
import { copiedText } from './copied-text.ts';
import { createArrival } from './create-arrival.ts';
import { createSelection } from './create-selection.ts';
import { createThreadFocus } from './create-thread-focus.ts';
import { Message } from './Message.tsx';
import { type MessageActs, actionsFor, hasMenu } from './message-actions.ts';
import { type ScrollOwner, createScrollOwner } from './scroll-owner.ts';

interface Props {
  id: string;
  view: ConversationView;
  onScrollOwner: (owner: ScrollOwner) => void;
  acts: MessageActs;
  isAttended: boolean;
  isOffline: boolean;
  /** There is a network, as far as anybody knows. */
  canLoad: boolean;
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

/** The messages, the place in them, and what of them was read. Only the rows about the screen are in the document (C5.9). */
export const Thread: Component<Props> = (props) => {
  const { view } = props;
  const places = usePlaces();
  const hasSome = (): boolean => view.ids().length > 0;
  const setSize = createMemo(() => view.countBefore() + view.ids().length);
  const authorOf = (message: ThreadMessage): string => (message.isOwn ? 'You' : props.nameOf(message.authorId));

  const content = (
    <ol
      class="thread__list"
      aria-label="Messages"
      data-region="timeline"
      onKeyDown={(event) => focus.onKeyDown(event)}
      onFocusIn={(event) => focus.onFocusIn(event)}
      onFocusOut={(event) => focus.onFocusOut(event)}
      onCopy={onCopy}
    />
  ) as HTMLOListElement;
  const box = (
    <div
      class="thread__box"
      classList={{ 'thread__box--loaded': view.isLoaded() || hasSome() }}
      tabindex="-1"
      role="group"
      aria-label="History"
    >
      {content}
      <Show when={view.isLoaded() && !hasSome()}>
        <p class="quiet thread__none">No messages yet. Say hello.</p>
      </Show>
    </div>
  ) as HTMLDivElement;

  const [focused, setFocused] = createSignal<string | null>(null);
  const selected = createSelection(content);
  const pinned = createMemo(() => [focused(), ...selected()].flatMap((id) => (id === null ? [] : (view.indexOf(id) ?? []))));
  const scroll = createScrollOwner({ box, content, ids: view.ids, indexOf: view.indexOf, pinned, onLook: look });
  const focus = createThreadFocus({ content, view, scroll, focused, setFocused, onLeave: () => focusRegion('composer') });

  const [menu, setMenu] = createSignal<Anchored | null>(null);
  const isStop = createSelector(focus.stop);
  const messages = view.window(scroll.shown);
  const row = (message: ThreadMessage): HTMLElement =>
    (
      <Message
        message={message}
        mark={view.mark(message)}
        isOffline={props.isOffline}
        author={authorOf(message)}
        showsAuthor={props.isGroup && !message.isOwn}
        position={view.countBefore() + (view.indexOf(message.id) ?? 0) + 1}
        setSize={setSize()}
        isStop={isStop(message.id)}
        onRetry={() => view.retry(message.id)}
        onDiscard={() => view.discard(message.id)}
        onDiscardReactions={() => view.discardReactions(message.id)}
        onMenu={
          hasMenu(message)
            ? (anchor, isByKeyboard) => setMenu({ anchor, isByKeyboard, label: 'Message', actions: actionsFor(message, props.acts) })
            : null
        }
      />
    ) as HTMLElement;
  const rows = createMemo(mapArray(messages, row));
  createEffect(() => {
    const { before, end } = scroll.gaps();
    arrange(content, rows());
    rows().forEach((element, i) => (element.style.marginBlockStart = `${before[i] ?? 0}px`));
    content.style.paddingBlockEnd = `${end}px`;
    scroll.settle();
  });

  const arrival = createArrival({ box, view, scroll, canLoad: () => props.canLoad });
  let wentDownAt: number | null = null;
  let hasArrived = false;

  function look(): void {
    if (!hasArrived) return;
    focus.mend();
    if (props.isAttended && !arrival.isUnderWay()) {
      const seq = scroll.lastSeen()?.dataset.seq;
      if (seq !== undefined) view.markRead(Number(seq));
    }
    if (box.scrollTop < OLDER_PX && view.hasOlder()) view.loadOlder();
  }
  /** First press: to the first unread one. Second press: to the end (C5.1). */
  function goDown(): void {
    const newest = view.unread().at(-1) ?? null;
    if (newest === null || newest === wentDownAt) scroll.toBottom();
    else arrival.toUnread();
    wentDownAt = newest;
  }
  function onCopy(event: ClipboardEvent): void {
    const selection = document.getSelection();
    const id = focused();
    let text: string | null = null;
    if (selection && !selection.isCollapsed) {
      const between = (from: number, to: number): readonly ThreadMessage[] =>
        view
          .ids()
          .slice(from, to + 1)
          .flatMap((_, i) => view.at(from + i) ?? []);
      text = copiedText({ range: selection.getRangeAt(0), content, messages: between, indexOf: view.indexOf, authorOf });
    } else if (id !== null) text = view.at(view.indexOf(id) ?? -1)?.text ?? null;
    if (text === null) return;
    event.preventDefault();
    event.clipboardData?.setData('text/plain', text);
  }
  /** Where reading goes on: at the first unread one, else where it was, else at the end (C4.2, C5.7). */
  function arrive(): void {
    const place = places.get(props.id);
    if (view.firstUnread() !== null || view.hasOlderUnread()) arrival.toUnread();
    else if (place) arrival.toAnchor(place);
  }
  /** An own message takes its writer to the end (C5.2). */
  const ownLast = createMemo(() => {
    const last = view.at(view.ids().length - 1);
    return last?.isOwn && last.seq === null ? last.id : null;
  });

  props.onScrollOwner(scroll);
  createEffect(
    on(view.isLoaded, (loaded) => {
      if (!loaded) return;
      arrive();
      hasArrived = true;
      look();
    }),
  );
  createEffect(on(ownLast, (id) => id && scroll.toBottom(), { defer: true }));
  createEffect(on(() => props.isAttended, look, { defer: true }));
  onCleanup(() => {
    const place = scroll.anchor();
    if (place) places.set(props.id, place);
    else places.delete(props.id);
  });

  return (
    <div class="thread">
      {box}
      <AnchoredMenu menu={menu()} onClose={() => setMenu(null)} />
      <Show when={!view.isLoaded() && !hasSome()}>
        <Missing isOffline={props.isOffline} />
      </Show>
      <button type="button" class="thread__down" classList={{ 'thread__down--gone': scroll.isAtBottom() }} onClick={goDown}>
        <Show when={view.unread().length} fallback={<span class="unseen">To the newest message</span>}>
          {(count) => <span class="badge">{count()} new</span>}
        </Show>
        <Icon name="down" />
      </button>
    </div>
  );
};
