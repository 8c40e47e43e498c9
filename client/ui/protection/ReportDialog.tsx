import { type Component, Show, createEffect, createSignal, on } from 'solid-js';
import type { MessageId, Uuid } from '../../../shared/ids.ts';
import { usePage } from '../context.ts';
import { Choice } from '../controls/Choice.tsx';
import { Dialog } from '../controls/Dialog.tsx';
import { TextArea } from '../controls/TextField.tsx';
import { createAttempt } from '../create-attempt.ts';

/** A message that somebody is about to report. */
export interface Reported {
  id: MessageId;
  author: string;
  text: string;
}

const REASONS = [
  ['Spam', 'Spam'],
  ['Harassment', 'Harassment'],
  ['Other', 'Other'],
] as const;
type Reason = (typeof REASONS)[number][0];
/** What the server takes of a reason, less the longest of ours. */
const WORDS_AT_MOST = 900;

interface Props {
  conversationId: Uuid;
  /** Null: the dialog is closed. */
  message: Reported | null;
  onClose: () => void;
}

/** Asks the operator to look at a message, with a reason; what was written stays while there is no network (C6.8). */
export const ReportDialog: Component<Props> = (props) => {
  const { protection, connection } = usePage();
  const { attempt, isBusy, words } = createAttempt();
  const [reason, setReason] = createSignal<Reason>('Spam');
  const [more, setMore] = createSignal('');
  const [isDone, setDone] = createSignal(false);
  let done!: HTMLButtonElement;
  const isOffline = (): boolean => connection() === 'offline';

  createEffect(
    on(
      () => props.message,
      () => (setReason('Spam'), setMore(''), setDone(false)),
      { defer: true },
    ),
  );

  async function submit(event: SubmitEvent, { id }: Reported): Promise<void> {
    event.preventDefault();
    if (isOffline()) return;
    const said = more().trim() === '' ? reason() : `${reason()}: ${more().trim()}`;
    if (!(await attempt(() => protection.report(props.conversationId, id, said)))) return;
    setDone(true);
    done.focus();
  }

  return (
    <Dialog title={isDone() ? 'Reported' : 'Report this message'} isOpen={props.message !== null} onClose={() => props.onClose()}>
      <Show when={props.message} keyed>
        {(message) => (
          <Show
            when={!isDone()}
            fallback={
              <>
                <p role="status">Thank you. Whoever runs this server has a copy of the message now, and will look at it.</p>
                <p class="dialog__actions">
                  <button ref={done} type="button" class="button button--primary button--small" onClick={() => props.onClose()}>
                    Done
                  </button>
                </p>
              </>
            }
          >
            <form class="dialog__form" onSubmit={(event) => void submit(event, message)}>
              <blockquote class="dialog__quote" dir="auto">
                {message.text}
              </blockquote>
              <p class="quiet">
                Whoever runs this server gets this message with a few around it, and your name. {message.author} is not told.
              </p>
              <Choice label="What is wrong with it?" value={reason()} choices={REASONS} onChoose={setReason} />
              <TextArea
                label="In your own words"
                hint="If you like."
                maxlength={WORDS_AT_MOST}
                value={more()}
                onInput={(event) => setMore(event.currentTarget.value)}
              />
              <p role="alert" class="dialog__note">
                {isOffline() ? 'There is no network. You can send this when there is one.' : words()}
              </p>
              <p class="dialog__actions">
                <button type="button" class="button button--plain button--small" onClick={() => props.onClose()}>
                  Cancel
                </button>
                <button type="submit" class="button button--primary button--small" aria-disabled={isBusy() || isOffline()}>
                  Report
                </button>
              </p>
            </form>
          </Show>
        )}
      </Show>
    </Dialog>
  );
};
