import { type Component, Show, createEffect, createSignal, on, onCleanup, onMount } from 'solid-js';
import type { MessageId } from '../../../shared/ids.ts';
import { LIMITS } from '../../../shared/limits.ts';
import type { Preferences } from '../context.ts';
import { Icon } from '../controls/Icon.tsx';

/** An own message that is changed in the place where one writes. */
export interface Editable {
  id: MessageId;
  text: string;
}

interface Props {
  /** Whom one writes to. */
  name: string;
  /** What was begun here before, or on another device since. */
  draft: string;
  /** The connection is away; writing and sending go on. */
  isWaiting: boolean;
  sendKey: Preferences['sendKey'];
  onDraft: (text: string) => void;
  /** Nobody writes any more, for now. */
  onPause: () => void;
  onTyped: () => void;
  onSend: (text: string) => void;
  /** The last own message that can be changed. */
  lastOwn: () => Editable | null;
  /** One that was chosen to be changed; each time a new object. */
  toEdit: Editable | null;
  onEdit: (id: MessageId, text: string) => void;
  /** Scrolls the history, also while one writes (C2). */
  onScroll: (pages: number) => void;
  /** The last of its steps: to the newest message. The text stays (C1). */
  onEscape: () => void;
}

/** From so many units before the limit on, it is shown. */
const NEAR_LIMIT = 500;

/** Who has not touched a key for so long goes on elsewhere, if there is something newer there. */
const WRITING_MS = 20_000;

/** Safari ends a composition before it tells of the key that ended it, and marks that key so. */
const IN_COMPOSITION = 229;

/**
 * Where a message is written. Enter sends, or Ctrl+Enter where that was chosen; Shift+Enter makes a line, and an input method keeps its Enter.
 * Up in the empty field takes up the last own message; Escape leaves it, and only then goes further (C1).
 */
export const Composer: Component<Props> = (props) => {
  const [text, setText] = createSignal(props.draft);
  const [editing, setEditing] = createSignal<Editable | null>(null);
  /** Ends what counts as writing: meanwhile nothing takes the place of what somebody writes here. Null: nobody does. */
  let endWriting: ReturnType<typeof setTimeout> | null = null;
  let input!: HTMLTextAreaElement;
  const left = (): number => LIMITS.body - text().trim().length;
  const isSendable = (): boolean => text().trim() !== '' && left() >= 0;

  function write(next: string): void {
    setText(next);
    if (editing()) return;
    writes(next !== '');
    props.onDraft(next);
    if (next.trim() !== '') props.onTyped();
  }
  function send(): void {
    const changed = editing();
    if (isSendable()) {
      if (!changed) props.onSend(text().trim());
      else if (text().trim() !== changed.text) props.onEdit(changed.id, text().trim());
      setEditing(null);
      // What was begun before the change is still there.
      write(changed ? props.draft : '');
    }
    input.focus();
  }
  function takeUp(message: Editable): void {
    setEditing(message);
    setText(message.text);
    input.focus();
    input.setSelectionRange(message.text.length, message.text.length);
  }
  function leaveEditing(): void {
    setEditing(null);
    setText(props.draft);
    input.focus();
  }
  function writes(isWriting: boolean): void {
    if (endWriting !== null) clearTimeout(endWriting);
    endWriting = isWriting ? setTimeout(pause, WRITING_MS) : null;
  }
  function pause(): void {
    writes(false);
    props.onPause();
    takeDraft(props.draft);
  }
  function takeDraft(draft: string): void {
    if (endWriting === null && !editing()) setText(draft);
  }
  /** What a key does here; null leaves it to the browser. */
  function actOf(event: KeyboardEvent): (() => void) | null {
    const isCommand = event.ctrlKey || event.metaKey;
    switch (event.key) {
      case 'Enter':
        return event.shiftKey || (props.sendKey === 'ctrl-enter' && !isCommand) ? null : send;
      case 'ArrowUp': {
        const last = isCommand || event.shiftKey || event.altKey || text() !== '' || editing() ? null : props.lastOwn();
        return last && (() => takeUp(last));
      }
      case 'PageUp':
        return () => props.onScroll(-1);
      case 'PageDown':
        return () => props.onScroll(1);
      case 'Escape':
        return editing() ? leaveEditing : props.onEscape;
      default:
        return null;
    }
  }
  function onKeyDown(event: KeyboardEvent): void {
    const act = event.isComposing || event.keyCode === IN_COMPOSITION ? null : actOf(event);
    if (!act) return;
    event.preventDefault();
    act();
  }

  createEffect(
    on(
      () => props.toEdit,
      (message) => message && takeUp(message),
      { defer: true },
    ),
  );
  createEffect(on(() => props.draft, takeDraft, { defer: true }));
  onCleanup(() => writes(false));
  onMount(() => {
    // On a touch screen the focus would open the keyboard over what one came to read.
    if (!matchMedia('(hover: none)').matches) input.focus({ preventScroll: true });
  });

  return (
    <form
      class="composer"
      aria-label="Composer"
      data-region="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Show when={editing()}>
        <div class="composer__editing">
          <Icon name="edit" />
          <p>Editing your message</p>
          <button type="button" class="round" aria-label="Leave it as it was" title="Leave it as it was (Esc)" onClick={leaveEditing}>
            <Icon name="close" />
          </button>
        </div>
      </Show>
      <p role="status" class="unseen">
        {editing() ? 'Editing your last message. Escape leaves it as it was.' : ''}
      </p>
      <div class="composer__field" data-text={text()}>
        <textarea
          ref={input}
          rows="1"
          dir="auto"
          aria-label={editing() ? 'Edit message' : 'Message'}
          aria-describedby="composer-limit"
          aria-invalid={left() < 0 ? true : undefined}
          enterkeyhint={props.sendKey === 'enter' ? 'send' : 'enter'}
          placeholder={props.isWaiting ? 'Message, sent when back online' : `Message ${props.name}`}
          value={text()}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onBlur={pause}
        />
      </div>
      <p id="composer-limit" class="composer__limit" classList={{ 'composer__limit--over': left() < 0 }}>
        <Show when={left() < NEAR_LIMIT}>{left() < 0 ? `${-left()} too many characters` : `${left()} characters left`}</Show>
      </p>
      <button
        type="submit"
        class="composer__send"
        classList={{ 'composer__send--idle': !isSendable() }}
        aria-label={editing() ? 'Save' : 'Send'}
        title={editing() ? 'Save' : 'Send'}
      >
        <Icon name={editing() ? 'check' : 'send'} />
      </button>
    </form>
  );
};
