import { type Component, For, Show, createSignal } from 'solid-js';
import type { Session } from '../../../shared/account-api.ts';
import { useAccountCare } from '../context.ts';
import { createAsked } from '../create-asked.ts';
import { createAttempt } from '../create-attempt.ts';
import { formatMoment } from '../times.ts';
import { Asked } from './Asked.tsx';
import './account.css';

const thisFirst = (found: readonly Session[]): Session[] => [
  ...found.filter(({ isCurrent }) => isCurrent),
  ...found.filter(({ isCurrent }) => !isCurrent),
];

/** Where this person is signed in, and ending that elsewhere. */
export const SessionsPart: Component = () => {
  const care = useAccountCare();
  const sessions = createAsked(() => true, care.sessions);
  const [said, setSaid] = createSignal('');
  let heading!: HTMLHeadingElement;
  const { attempt, words } = createAttempt();
  const countOthers = (found: readonly Session[]): number => found.filter(({ isCurrent }) => !isCurrent).length;

  async function end(what: Session | 'others'): Promise<void> {
    const done = await attempt(() => (what === 'others' ? care.endOtherSessions() : care.endSession(what.id)));
    setSaid(done ? (what === 'others' ? 'All other sessions have ended.' : `${what.device} is signed out.`) : '');
    await sessions.again();
    // The rows are new ones: the focus goes to their beginning, not back to the top of the page (C9.8).
    heading.focus();
  }

  return (
    <section class="settings__part" aria-labelledby="sessions">
      <h2 ref={heading} id="sessions" tabindex="-1">
        Where you are signed in
      </h2>
      <Asked outcome={sessions.latest()} onAgain={() => void sessions.again()}>
        {(found) => (
          <>
            <ul class="account__list" aria-label="Sessions">
              <For each={thisFirst(found())}>
                {(session) => (
                  <li class="account__row">
                    <p class="account__name">
                      <bdi>{session.device}</bdi>
                      <Show when={session.isCurrent}>
                        <span class="account__mark">This device</span>
                      </Show>
                    </p>
                    <p class="account__note">
                      Since {formatMoment(Date.parse(session.createdAt))}, last used {formatMoment(Date.parse(session.lastUsedAt))}
                    </p>
                    <Show when={!session.isCurrent}>
                      <button
                        type="button"
                        class="button button--plain button--small"
                        aria-label={`Sign out ${session.device}`}
                        onClick={() => void end(session)}
                      >
                        Sign out
                      </button>
                    </Show>
                  </li>
                )}
              </For>
            </ul>
            <Show when={countOthers(found()) > 1}>
              <p>
                <button type="button" class="button button--danger button--small" onClick={() => void end('others')}>
                  Sign out everywhere else
                </button>
              </p>
            </Show>
          </>
        )}
      </Asked>
      <p role="status" class="account__note">
        {words() || said()}
      </p>
    </section>
  );
};
