import { type Component, Match, Switch } from 'solid-js';
import type { Welcome } from '../../state/entrance.ts';

/** What whoever stands at the door should know about getting in. */
export const WelcomeWords: Component<{ welcome: Welcome | null; isNew: boolean }> = (props) => {
  const invited = (): (Welcome & { kind: 'invited' }) | null => (props.welcome?.kind === 'invited' ? props.welcome : null);
  const ended = (): (Welcome & { kind: 'ended' }) | null => (props.welcome?.kind === 'ended' ? props.welcome : null);
  return (
    <p class="entrance__lead" role="status">
      <Switch
        fallback={props.isNew ? 'Messages that stay with you, with and without a network.' : 'Your conversations are where you left them.'}
      >
        <Match when={invited()}>
          {(found) => (
            <>
              <bdi>{found().by ?? 'Whoever runs this server'}</bdi> invites you to join.
            </>
          )}
        </Match>
        <Match when={ended()}>{(found) => <>{found().words} Ask for a new invite.</>}</Match>
        <Match when={props.welcome?.kind === 'closed'}>New accounts are by invitation here.</Match>
      </Switch>
    </p>
  );
};
