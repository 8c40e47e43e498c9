import { A } from '@solidjs/router';
import { type Component, For, Show, createSignal, onMount } from 'solid-js';
import { LIMITS } from '../../../shared/limits.ts';
import type { WaitingMessage } from '../../state/create-waiting.ts';
import { usePage } from '../context.ts';
import { BackLink } from '../controls/BackLink.tsx';
import { Blank } from '../controls/Blank.tsx';
import { Icon } from '../controls/Icon.tsx';
import { createClearable } from '../create-clearable.ts';
import { formatDay, formatHour } from '../times.ts';
import './waiting.css';

const Editor: Component<{ text: string; onSave: (text: string) => void; onCancel: () => void }> = (props) => {
  const [text, setText] = createSignal(props.text);
  let input!: HTMLTextAreaElement;
  const isSavable = (): boolean => text().trim() !== '' && text().trim().length <= LIMITS.body;
  const save = (): void => void (isSavable() && props.onSave(text().trim()));
  function onKeyDown(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === 'Escape') props.onCancel();
    if (event.key !== 'Enter' || event.shiftKey) return;
    event.preventDefault();
    save();
  }
  onMount(() => {
    input.focus();
    input.setSelectionRange(input.value.length, input.value.length);
  });
  return (
    <form
      class="waiting__editor"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <textarea
        ref={input}
        dir="auto"
        aria-label="Edit message"
        value={text()}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <p class="waiting__actions">
        <button type="submit" class="button button--primary button--small" aria-disabled={!isSavable()}>
          Save
        </button>
        <button type="button" class="button button--plain button--small" onClick={() => props.onCancel()}>
          Cancel
        </button>
      </p>
    </form>
  );
};

const Row: Component<{ message: WaitingMessage }> = (props) => {
  const { waiting } = usePage();
  const [isEditing, setEditing] = createSignal(false);
  let row!: HTMLLIElement;
  let editButton!: HTMLButtonElement;
  /** The focus goes on to a neighbour, not back to the top of the page (C9.8). */
  function remove(): void {
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    const next = neighbour?.querySelector('button') ?? row.closest<HTMLElement>('.page');
    waiting.remove(props.message.id);
    next?.focus();
  }
  function leave(): void {
    setEditing(false);
    editButton.focus();
  }
  return (
    <li ref={row} class="waiting__row" classList={{ 'waiting__row--failed': props.message.failure !== null }}>
      <p class="waiting__head">
        <Icon name={props.message.failure ? 'alert' : 'clock'} />
        <A href={`/conversations/${props.message.conversationId}`} class="waiting__to" dir="auto">
          {props.message.name}
        </A>
        <span class="quiet">
          {formatDay(props.message.at, Date.now())}, {formatHour(props.message.at)}
        </span>
      </p>
      <Show
        when={isEditing()}
        fallback={
          <>
            <p class="waiting__text" dir="auto">
              {props.message.text}
            </p>
            <Show when={props.message.failure} keyed>
              {(words) => <p class="waiting__failure">{words}</p>}
            </Show>
            <p class="waiting__actions">
              <Show when={props.message.failure}>
                <button type="button" class="button button--plain button--small" onClick={() => waiting.retry(props.message.id)}>
                  <Icon name="again" />
                  Try again
                </button>
              </Show>
              <button
                type="button"
                class="button button--plain button--small"
                onClick={() => void navigator.clipboard.writeText(props.message.text)}
              >
                <Icon name="copy" />
                Copy
              </button>
              <Show when={props.message.isEditable}>
                <button ref={editButton} type="button" class="button button--plain button--small" onClick={() => setEditing(true)}>
                  <Icon name="edit" />
                  Edit
                </button>
              </Show>
              <button type="button" class="button button--plain button--small" onClick={remove}>
                <Icon name="remove" />
                Delete
              </button>
            </p>
          </>
        }
      >
        <Editor
          text={props.message.text}
          onSave={(text) => {
            waiting.edit(props.message.id, text);
            leave();
          }}
          onCancel={leave}
        />
      </Show>
    </li>
  );
};

const AllSent: Component = () => (
  <Blank sign="checks" lead="Everything is sent.">
    <p>What you write without a network waits here until it leaves.</p>
  </Blank>
);

/** Where it is that they wait, and how safe they are there. */
const Hint: Component = () => {
  const { waiting, connection, device } = usePage();
  const isClearable = createClearable();
  const copyAll = (): void => void navigator.clipboard.writeText(waiting.entries.map(({ text }) => text).join('\n\n'));
  return (
    <Show
      when={device() === 'memory'}
      fallback={
        <p class="quiet waiting__hint">
          {connection() === 'connected'
            ? 'These are on their way.'
            : 'These are kept on this device and leave by themselves when there is a network.'}
          <Show when={connection() !== 'connected' && isClearable()}>
            {' '}
            When space runs short the browser may clear them, and a private window forgets them when it is closed.
          </Show>
        </p>
      }
    >
      <div class="waiting__hint waiting__hint--warning">
        <p>This device keeps nothing just now. Leave this tab open until these are sent, or copy them.</p>
        <p>
          <button type="button" class="button button--plain button--small" onClick={copyAll}>
            <Icon name="copy" />
            Copy all
          </button>
        </p>
      </div>
    </Show>
  );
};

/** All that is written and not sent, over all conversations: what waits can still be changed or taken back (C6.2, C6.5). */
export const WaitingPage: Component = () => {
  const { waiting } = usePage();
  return (
    <main class="pane" aria-label="Waiting to be sent">
      <header class="bar">
        <BackLink />
        <h1 class="bar__title">Waiting</h1>
        <Show when={waiting.count()}>
          <button type="button" class="button button--plain button--small bar__action" onClick={waiting.sendNow}>
            Send now
          </button>
        </Show>
      </header>
      <div class="page" tabindex="0" role="group" aria-label="Messages waiting">
        <Show when={waiting.count()} fallback={<AllSent />}>
          <Hint />
          <ul class="waiting">
            <For each={waiting.entries}>{(message) => <Row message={message} />}</For>
          </ul>
        </Show>
      </div>
    </main>
  );
};
