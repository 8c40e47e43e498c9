import { type Component, Show } from 'solid-js';
import type { Mark } from '../../state/create-conversation.ts';
import type { ThreadMessage } from '../../state/thread.ts';
import { Icon, type IconName } from '../controls/Icon.tsx';
import { formatDay, formatExact, formatHour } from '../times.ts';

const MARKS: Record<Mark, { icon: IconName; words: string }> = {
  sending: { icon: 'clock', words: 'Sending' },
  sent: { icon: 'check', words: 'Sent' },
  delivered: { icon: 'checks', words: 'Delivered' },
  read: { icon: 'check', words: 'Read' },
  failed: { icon: 'alert', words: 'Not sent' },
};

const FAILURES: Record<NonNullable<ThreadMessage['failure']>, string> = {
  closed: 'Not sent.',
  duplicate: 'Not sent.',
  removed: 'Not sent: it was removed.',
  blocked: 'Not sent: this person takes no messages from you.',
  role: 'Not sent: you may not write here.',
  quota: 'Not sent: there is no room left.',
};

interface Props {
  message: ThreadMessage;
  mark: Mark;
  author: string;
  showsAuthor: boolean;
  onRetry: () => void;
  onDiscard: () => void;
}

const Divider: Component<{ words: string; isNew?: boolean }> = (props) => (
  <div role="separator" aria-label={props.words} class="divider" classList={{ 'divider--new': props.isNew ?? false }}>
    <span>{props.words}</span>
  </div>
);

/** Time and mark; the clock shows only when sending takes a while (C6.1). */
const Meta: Component<Pick<Props, 'message' | 'mark'>> = (props) => (
  <span class="meta" dir="ltr">
    <Show when={props.message.isEdited}>edited </Show>
    <time dateTime={formatExact(props.message.at)}>{formatHour(props.message.at)}</time>
    <Show when={props.message.acceptedAt} keyed>
      {(at) => <>, sent {formatHour(at)}</>}
    </Show>
    <Show when={props.message.isOwn && props.message.text !== null}>
      <span class={`mark mark--${props.mark}`}>
        <Icon name={MARKS[props.mark].icon} />
        <span class="unseen">{MARKS[props.mark].words}</span>
      </span>
    </Show>
  </span>
);

/** One item of the thread: dividers before it, the bubble, and what failed. */
export const Message: Component<Props> = (props) => (
  <li
    class="message"
    classList={{
      'message--own': props.message.isOwn,
      'message--starts': props.message.startsRun,
      'message--ends': props.message.endsRun,
      'message--pending': props.message.seq === null,
    }}
    data-seq={props.message.seq ?? undefined}
  >
    <Show when={props.message.startsDay}>
      <Divider words={formatDay(props.message.at, Date.now())} />
    </Show>
    <Show when={props.message.startsUnread}>
      <Divider words="New messages" isNew />
    </Show>
    <div class="bubble" classList={{ 'bubble--deleted': props.message.text === null }}>
      <span class={props.showsAuthor && props.message.startsRun ? 'bubble__author' : 'unseen'}>
        {props.author}
        <span class="unseen">: </span>
      </span>
      <div class="bubble__body" dir="auto">
        <span class="bubble__text">{props.message.text ?? 'Message deleted'}</span>
        <Meta message={props.message} mark={props.mark} />
      </div>
    </div>
    <Show when={props.message.failure} keyed>
      {(failure) => (
        <p class="failure" role="alert">
          {FAILURES[failure]}{' '}
          <button type="button" class="link" onClick={() => props.onRetry()}>
            Try again
          </button>{' '}
          <button type="button" class="link" onClick={() => props.onDiscard()}>
            Delete
          </button>
        </p>
      )}
    </Show>
  </li>
);
