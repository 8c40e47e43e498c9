import { A, useParams } from '@solidjs/router';
import { type Component, Show, createSignal } from 'solid-js';
import type { Conversation } from '../../../shared/api.ts';
import { usePlatform, usePage } from '../context.ts';
import { Avatar } from '../controls/Avatar.tsx';
import { Blank } from '../controls/Blank.tsx';
import { Icon } from '../controls/Icon.tsx';
import { countOf } from '../format.ts';
import { Composer, type Editable } from './Composer.tsx';
import { MARKS } from './Message.tsx';
import type { ScrollOwner } from './scroll-owner.ts';
import { Thread } from './Thread.tsx';
import './conversation.css';

/** Header, thread and composer of one conversation. */
const ConversationPane: Component<{ id: string; conversation: Conversation }> = (props) => {
  const page = usePage();
  const platform = usePlatform();
  const view = page.createConversation(props.id);
  const [scroll, setScroll] = createSignal<ScrollOwner | null>(null);
  const row = () => page.list.rows.find(({ id }) => id === props.id);
  const name = (): string => row()?.name ?? '';
  const isGroup = (): boolean => props.conversation.kind === 'group';
  const nameOf = (userId: string | null): string => props.conversation.members.find(({ id }) => id === userId)?.displayName ?? 'Somebody';
  const subtitle = (): string => {
    const typing = view.typing();
    if (typing.length > 0) return isGroup() ? `${typing.map(nameOf).join(', ')} typing…` : 'typing…';
    const handle = row()?.handle;
    return handle ? `@${handle}` : `${props.conversation.members.length} people`;
  };

  const [hasSent, setSent] = createSignal(false);
  /** How far the last own message has come, once each, after one was sent here (C9.3). */
  function progress(): string {
    const last = hasSent() ? view.messages.findLast(({ isOwn, text }) => isOwn && text !== null) : undefined;
    const mark = last && view.mark(last);
    return mark === 'sent' || mark === 'delivered' || mark === 'read' ? MARKS[mark].words : '';
  }
  /** Edited by Up in the empty composer (C1). */
  function lastOwn(): Editable | null {
    const last = view.messages.findLast(({ isOwn, text, failure, change }) => isOwn && text !== null && !failure && change !== 'delete');
    return last?.text == null ? null : { id: last.id, text: last.text };
  }
  function send(text: string): void {
    view.send(text);
    setSent(true);
    // Something of this person's is now here that would be missed (C11.6).
    void platform.storage.persist();
  }

  return (
    <main class="pane conversation" aria-label={`Conversation with ${name()}`}>
      <header class="bar" data-region="header">
        <A href="/" class="round bar__back" aria-label="Back to conversations">
          <Icon name="back" />
        </A>
        <Avatar id={row()?.avatarId ?? props.id} name={name()} url={row()?.avatarUrl} size="small" />
        <div class="bar__name">
          <h1 dir="auto">
            <Show when={row()?.handle} fallback={name()} keyed>
              {(handle) => <A href={`/people/${handle}`}>{name()}</A>}
            </Show>
          </h1>
          <p class="quiet" classList={{ bar__typing: view.typing().length > 0 }}>
            {subtitle()}
          </p>
        </div>
        <Show when={page.connection() !== 'connected' && view.waiting() > 0}>
          <A href="/waiting" class="bar__waiting" aria-label={`${countOf(view.waiting(), 'message')} waiting to be sent`}>
            <Icon name="clock" />
            {view.waiting()}
          </A>
        </Show>
      </header>
      <Thread
        id={props.id}
        view={view}
        onScrollOwner={setScroll}
        isAttended={page.isAttended()}
        isOffline={page.connection() !== 'connected'}
        canLoad={page.connection() !== 'offline'}
        isGroup={isGroup()}
        nameOf={nameOf}
      />
      <Show
        when={view.ended()}
        fallback={
          <Composer
            name={name()}
            draft={page.draft(props.id)}
            isWaiting={page.connection() !== 'connected'}
            onDraft={(text) => page.setDraft(props.id, text)}
            onTyped={view.typed}
            sendKey={platform.preferences().sendKey}
            onSend={send}
            lastOwn={lastOwn}
            onEdit={view.edit}
            onScroll={(pages) => scroll()?.byPages(pages)}
            onEscape={() => scroll()?.toBottom()}
          />
        }
        keyed
      >
        {(words) => (
          <p role="alert" class="conversation__ended">
            {words}
          </p>
        )}
      </Show>
      <p role="status" class="unseen">
        {progress()}
      </p>
      <div class="unseen" aria-live="polite">
        <Show when={view.announcement()} keyed>
          {({ text }) => <p>{text}</p>}
        </Show>
      </div>
    </main>
  );
};

/** The conversation of the address, or words that there is none. */
export const ConversationPage: Component = () => {
  const page = usePage();
  const params = useParams<{ id: string }>();
  const conversation = () => page.list.conversation(params.id);
  return (
    <Show
      when={conversation() && params.id}
      fallback={
        <main class="pane" aria-label="Conversation">
          <header class="bar">
            <A href="/" class="round bar__back" aria-label="Back to conversations">
              <Icon name="back" />
            </A>
            <h1 class="bar__title">Conversation</h1>
          </header>
          <Blank sign="search" lead="There is no such conversation.">
            <A href="/" class="button button--plain button--small">
              To the conversations
            </A>
          </Blank>
        </main>
      }
      keyed
    >
      {(id) => <ConversationPane id={id} conversation={conversation()!} />}
    </Show>
  );
};
