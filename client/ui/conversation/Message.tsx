import { type Component, For, Show, createMemo, untrack } from 'solid-js';
import type { Mark } from '../../state/create-conversation.ts';
import { FAILURES, REACTION_FAILURES } from '../../state/failures.ts';
import type { ThreadMessage } from '../../state/thread.ts';
import { Icon, type IconName } from '../controls/Icon.tsx';
import { formatDay, formatExact, formatHour, formatLate, formatSpoken } from '../times.ts';
import { LinkedText } from './LinkedText.tsx';
import { sentenceOf } from './sentence.ts';

/** How far an own message has come: a shape of its own, and words. */
export const MARKS: Record<Mark, { icon: IconName; words: string }> = {
  sending: { icon: 'dots', words: 'Sending' },
  kept: { icon: 'clock', words: 'Kept, not sent yet' },
  sent: { icon: 'check', words: 'Sent' },
  delivered: { icon: 'checks', words: 'Delivered' },
  read: { icon: 'check', words: 'Read' },
  failed: { icon: 'alert', words: 'Not sent' },
};

interface Props {
  message: ThreadMessage;
  mark: Mark;
  isOffline: boolean;
  author: string;
  showsAuthor: boolean;
  /** Where it stands among all messages, and how many those are. */
  position: number;
  setSize: number;
  /** It is where Tab enters the thread; only its buttons are in the tab order (C9.7). */
  isStop: boolean;
  onRetry: () => void;
  onDiscard: () => void;
  onDiscardReactions: () => void;
  /** Null: there is nothing to be done with it. */
  onMenu: ((anchor: HTMLElement, isByKeyboard: boolean) => void) | null;
}

/** A waiting one says what it waits for (C6.2). */
const wordsOf = ({ mark, isOffline }: Pick<Props, 'mark' | 'isOffline'>): string =>
  isOffline && mark === 'kept' ? 'Waiting for network' : isOffline && mark === 'sending' ? 'Only in this tab' : MARKS[mark].words;

const timeOf = ({ at, acceptedAt }: ThreadMessage, now: number): string =>
  acceptedAt === null ? formatSpoken(at, now) : `written ${formatLate(at, acceptedAt)}, sent ${formatSpoken(acceptedAt, now)}`;

function sentence(props: Props): string {
  const { message, author } = props;
  const { text, isOwn, isEdited, startsUnread, failure } = message;
  const status = failure ? FAILURES[failure] : isOwn && text !== null ? wordsOf(props) : null;
  return sentenceOf({ author, text, isEdited, startsUnread, status, time: timeOf(message, Date.now()) });
}

const Divider: Component<{ words: string; isNew?: boolean }> = (props) => (
  <div role="separator" aria-label={props.words} class="divider" classList={{ 'divider--new': props.isNew ?? false }}>
    <span>{props.words}</span>
  </div>
);

/** Time and mark; late mail shows both times (C3.4); the clock shows only when sending takes a while (C6.1). */
const Meta: Component<Pick<Props, 'message' | 'mark' | 'isOffline'>> = (props) => (
  <span class="meta" dir="ltr">
    <Show when={props.message.isEdited}>edited </Show>
    <Show
      when={props.message.acceptedAt}
      fallback={<time dateTime={formatExact(props.message.at)}>{formatHour(props.message.at)}</time>}
      keyed
    >
      {(acceptedAt) => (
        <span>
          written <time dateTime={formatExact(props.message.at)}>{formatLate(props.message.at, acceptedAt)}</time>, sent{' '}
          <time dateTime={formatExact(acceptedAt)}>{formatHour(acceptedAt)}</time>
        </span>
      )}
    </Show>
    <Show when={props.message.isOwn && props.message.text !== null}>
      <span class={`mark mark--${props.mark}`}>
        <Icon name={MARKS[props.mark].icon} />
        <span class="unseen">{wordsOf(props)}</span>
      </span>
    </Show>
  </span>
);

interface Action {
  words: string;
  act: () => void;
}

/** What failed, why, and what can be done about it. */
const Failed: Component<{ words: string; actions: readonly Action[]; isStop: boolean }> = (props) => (
  <p class="failure" role="alert">
    <span>{props.words}</span>
    <For each={props.actions}>
      {({ words, act }) => (
        <button type="button" class="link" tabindex={props.isStop ? 0 : -1} onClick={act}>
          {words}
        </button>
      )}
    </For>
  </p>
);

/** One item of the thread: dividers before it, the bubble, and what failed. Focused it is one sentence (C9.6). */
export const Message: Component<Props> = (props) => {
  // By itself: where it stands among more and more messages changes often, and what it says does not.
  const label = createMemo(() => sentence(props));
  const isArriving = untrack(() => props.message.seq === null && !props.message.isKept);
  const actions = [
    { words: 'Try again', act: () => props.onRetry() },
    { words: 'Copy', act: () => void navigator.clipboard.writeText(props.message.text ?? '') },
    { words: 'Delete', act: () => props.onDiscard() },
  ];
  const reactionActions = [
    { words: 'Try again', act: () => props.onRetry() },
    { words: 'Dismiss', act: () => props.onDiscardReactions() },
  ];
  /** A long press on a touch screen, or the key for it; a mouse keeps the browser's own menu, and so does a text that is selected. */
  function onContextMenu(event: MouseEvent & { currentTarget: HTMLElement }): void {
    const pointer = event instanceof PointerEvent ? event.pointerType : '';
    const more = event.currentTarget.querySelector<HTMLElement>('.message__more');
    if (pointer === 'mouse' || !more || !props.onMenu || !(document.getSelection()?.isCollapsed ?? true)) return;
    event.preventDefault();
    props.onMenu(more, pointer === '');
  }
  return (
    <li
      class="message"
      classList={{
        'message--own': props.message.isOwn,
        'message--starts': props.message.startsRun,
        'message--ends': props.message.endsRun,
        'message--arriving': isArriving,
      }}
      tabindex={props.isStop ? 0 : -1}
      aria-label={label()}
      aria-posinset={props.position}
      aria-setsize={props.setSize}
      data-id={props.message.id}
      data-seq={props.message.seq ?? undefined}
      onContextMenu={(event) => onContextMenu(event)}
    >
      <Show when={props.message.startsDay}>
        <Divider words={formatDay(props.message.acceptedAt ?? props.message.at, Date.now())} />
      </Show>
      <Show when={props.message.startsUnread}>
        <Divider words="New messages" isNew />
      </Show>
      <div
        class="bubble"
        classList={{ 'bubble--deleted': props.message.text === null, 'bubble--leaving': props.message.change === 'delete' }}
      >
        <span class={props.showsAuthor && props.message.startsRun ? 'bubble__author' : 'unseen'}>
          {props.author}
          <span class="unseen">: </span>
        </span>
        <div class="bubble__body" dir="auto">
          <span class="bubble__text">{props.message.text === null ? 'Message deleted' : <LinkedText text={props.message.text} />}</span>
          <Meta message={props.message} mark={props.mark} isOffline={props.isOffline} />
        </div>
        <Show when={props.onMenu}>
          {(open) => (
            <button
              type="button"
              class="message__more"
              tabindex="-1"
              aria-haspopup="menu"
              aria-label="What can be done with this message"
              title="More"
              onClick={(event) => open()(event.currentTarget, event.detail === 0)}
            >
              <Icon name="dots" class="icon--strong" />
            </button>
          )}
        </Show>
      </div>
      <Show when={props.message.failure} keyed>
        {(failure) => <Failed words={FAILURES[failure]} actions={actions} isStop={props.isStop} />}
      </Show>
      <Show when={props.message.reactionFailure} keyed>
        {(failure) => <Failed words={REACTION_FAILURES[failure]} actions={reactionActions} isStop={props.isStop} />}
      </Show>
    </li>
  );
};
