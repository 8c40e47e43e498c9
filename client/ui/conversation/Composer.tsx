import { type Component, Show, createSignal, onMount } from 'solid-js';
import { LIMITS } from '../../../shared/limits.ts';
import { Icon } from '../controls/Icon.tsx';

interface Props {
  /** Whom one writes to. */
  name: string;
  /** What was begun here before. */
  draft: string;
  /** The connection is away; writing and sending go on. */
  isWaiting: boolean;
  onDraft: (text: string) => void;
  onTyped: () => void;
  onSend: (text: string) => void;
  /** Scrolls the history, also while one writes (C2). */
  onScroll: (pages: number) => void;
  /** The last of its steps: to the newest message. The text stays (C1). */
  onEscape: () => void;
}

/** From so many units before the limit on, it is shown. */
const NEAR_LIMIT = 500;

/** Where a message is written. Enter sends, Shift+Enter makes a line, and an input method keeps its Enter (C1). */
export const Composer: Component<Props> = (props) => {
  const [text, setText] = createSignal(props.draft);
  let input!: HTMLTextAreaElement;
  const left = (): number => LIMITS.body - text().trim().length;
  const isSendable = (): boolean => text().trim() !== '' && left() >= 0;

  function write(next: string): void {
    setText(next);
    props.onDraft(next);
    if (next.trim() !== '') props.onTyped();
  }
  function send(): void {
    if (isSendable()) {
      props.onSend(text().trim());
      write('');
    }
    input.focus();
  }
  function onKeyDown(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const act = {
      Enter: event.shiftKey ? null : send,
      PageUp: () => props.onScroll(-1),
      PageDown: () => props.onScroll(1),
      Escape: () => props.onEscape(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  onMount(() => {
    // On a touch screen the focus would open the keyboard over what one came to read.
    if (!matchMedia('(hover: none)').matches) input.focus({ preventScroll: true });
  });

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div class="composer__field" data-text={text()}>
        <textarea
          ref={input}
          rows="1"
          dir="auto"
          aria-label="Message"
          aria-describedby="composer-limit"
          aria-invalid={left() < 0 ? true : undefined}
          placeholder={props.isWaiting ? 'Message, sent when back online' : `Message ${props.name}`}
          value={text()}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
      </div>
      <p id="composer-limit" class="composer__limit" classList={{ 'composer__limit--over': left() < 0 }}>
        <Show when={left() < NEAR_LIMIT}>{left() < 0 ? `${-left()} too many characters` : `${left()} characters left`}</Show>
      </p>
      <button type="submit" class="composer__send" classList={{ 'composer__send--idle': !isSendable() }} aria-label="Send" title="Send">
        <Icon name="send" />
      </button>
    </form>
  );
};
