import { type Accessor, type JSX, Show, createEffect, on } from 'solid-js';
import type { Outcome } from '../../state/attempt.ts';
import { usePage } from '../context.ts';

interface Props<T> {
  outcome: Outcome<T> | undefined;
  onAgain: () => void;
  children: (value: Accessor<T>) => JSX.Element;
}

/** What was asked of the server, once it is here; or why it is not, and asking again: by itself when there is a network again. */
export function Asked<T>(props: Props<T>): JSX.Element {
  const done = (): { value: T } | null => (props.outcome?.kind === 'done' ? props.outcome : null);
  const problem = (): string | null => (props.outcome?.kind === 'failed' ? props.outcome.problem.words : null);
  const { connection } = usePage();
  createEffect(on(connection, (now) => now !== 'offline' && problem() !== null && props.onAgain(), { defer: true }));

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
