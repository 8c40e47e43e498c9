import { A, useNavigate, useParams } from '@solidjs/router';
import { type Component, Show, createSignal } from 'solid-js';
import type { User } from '../../../shared/api.ts';
import { useMe, usePage } from '../context.ts';
import { BackLink } from '../controls/BackLink.tsx';
import { Avatar } from '../controls/Avatar.tsx';
import { Blank } from '../controls/Blank.tsx';
import { BlockDialog } from '../protection/BlockDialog.tsx';
import './profile.css';

/** Nobody to show: still asked for, or words that there is none. */
const Missing: Component<{ words: string | null }> = (props) => (
  <Show
    when={props.words}
    fallback={
      <div class="profile" aria-hidden="true">
        <span class="skeleton profile__picture" />
        <span class="skeleton profile__line" />
      </div>
    }
  >
    {(words) => (
      <Blank sign="person" lead={words()}>
        <p>Look for people by their name or handle in the list.</p>
      </Blank>
    )}
  </Show>
);

/** One person, and the way to write to them. */
export const ProfilePage: Component = () => {
  const page = usePage();
  const me = useMe();
  const params = useParams<{ handle: string }>();
  const navigate = useNavigate();
  const profile = page.createProfile(() => params.handle);
  const [words, setWords] = createSignal('');
  const [isBlocking, setBlocking] = createSignal(false);
  const user = (): User | null => {
    const found = profile();
    return found && 'user' in found ? found.user : null;
  };
  const isBlocked = (): boolean => {
    const found = user();
    return found !== null && page.protection.isBlocked(found.id);
  };
  const missing = (): string | null => {
    const found = profile();
    return found && 'problem' in found ? found.problem.words : null;
  };

  async function write(userId: string): Promise<void> {
    const opened = await page.list.openDirect(userId);
    if ('id' in opened) navigate(`/conversations/${opened.id}`);
    else setWords(opened.problem.words);
  }

  return (
    <main class="pane" aria-label="Profile">
      <header class="bar">
        <BackLink words="Back" />
        <h1 class="bar__title">Profile</h1>
      </header>
      <Show when={user()} fallback={<Missing words={missing()} />}>
        {(person) => (
          <section class="profile">
            <Avatar id={person().id} name={person().displayName} url={person().avatarUrl} size="large" />
            <h2 dir="auto">{person().displayName}</h2>
            <p class="quiet">@{person().handle}</p>
            <Show when={person().bio}>
              <p class="profile__bio" dir="auto">
                {person().bio}
              </p>
            </Show>
            <Show
              when={person().id !== me().id}
              fallback={
                <A href="/settings" class="button button--plain">
                  Edit your profile
                </A>
              }
            >
              <Show
                when={isBlocked()}
                fallback={
                  <button type="button" class="button button--primary" onClick={() => void write(person().id)}>
                    Send message
                  </button>
                }
              >
                <p class="profile__blocked">You have blocked {person().displayName}.</p>
              </Show>
              {/* One button, so that the focus stays where it is. */}
              <button
                type="button"
                class="button"
                classList={{ 'button--danger button--small': !isBlocked(), 'button--plain': isBlocked() }}
                onClick={() => (isBlocked() ? void page.protection.setBlocked(person().id, false) : setBlocking(true))}
              >
                {isBlocked() ? 'Unblock' : 'Block'}
              </button>
              <BlockDialog userId={person().id} name={person().displayName} isOpen={isBlocking()} onClose={() => setBlocking(false)} />
            </Show>
            <p role="alert">{words()}</p>
          </section>
        )}
      </Show>
    </main>
  );
};
