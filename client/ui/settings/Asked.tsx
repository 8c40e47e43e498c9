import { type Accessor, type JSX, Show } from 'solid-js';
import type { Outcome } from '../../state/attempt.ts';

interface Props<T> {
  outcome: Outcome<T> | undefined;
  onAgain: () => void;
  children: (value: Accessor<T>) => JSX.Element;
}

/** What was asked of the server, once it is here; or why it is not, and asking again. */
export function Asked<T>(props: Props<T>): JSX.Element {
  const done = (): { value: T } | null => (props.outcome?.kind === 'done' ? props.outcome : null);
  const problem = (): string | null => (props.outcome?.kind === 'failed' ? props.outcome.problem.words : null);
  return (
    <>
      <Show when={done()}>{(found) => props.children(() => found().value)}</Show>
      <Show when={problem()}>
        {(words) => (
          <p role="alert" class="quiet">
            {words()}{' '}
            <button type="button" class="link" onClick={() => props.onAgain()}>
              Try again
            </button>
          </p>
        )}
      </Show>
    </>
  );
}
