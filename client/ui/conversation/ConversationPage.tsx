import { A, useParams } from '@solidjs/router';
import { type Component, Match, Show, Switch, createSignal } from 'solid-js';
import type { Conversation } from '../../../shared/api.ts';
import type { ThreadMessage } from '../../state/thread.ts';
import { usePlatform, usePage } from '../context.ts';
import { BackLink } from '../controls/BackLink.tsx';
import { Avatar } from '../controls/Avatar.tsx';
import { Blank } from '../controls/Blank.tsx';
import { Icon } from '../controls/Icon.tsx';
import { MenuButton } from '../controls/Menu.tsx';
import { countOf } from '../format.ts';
import { BlockDialog } from '../protection/BlockDialog.tsx';
import { ReportDialog, type Reported } from '../protection/ReportDialog.tsx';
import { focusRegion } from '../regions.ts';
import { Composer, type Editable } from './Composer.tsx';
import { MARKS } from './Message.tsx';
import type { MessageActs } from './message-actions.ts';
import { RequestBar } from './RequestBar.tsx';
import type { ScrollOwner } from './scroll-owner.ts';
import { Thread } from './Thread.tsx';
import './conversation.css';

/** Header, thread and composer of one conversation. */
const ConversationPane: Component<{ id: string; conversation: Conversation }> = (props) => {
  const page = usePage();
  const platform = usePlatform();
  const view = page.createConversation(props.id);
  const [scroll, setScroll] = createSignal<ScrollOwner | null>(null);
  const row = () => page.list.row(props.id);
  const name = (): string => row()?.name ?? '';
  const isGroup = (): boolean => props.conversation.kind === 'group';
  const nameOf = (userId: string | null): string => props.conversation.members.find(({ id }) => id === userId)?.displayName ?? 'Somebody';
  const subtitle = (): string => {
    const typing = view.typing();
    if (typing.length > 0) return isGroup() ? `${typing.map(nameOf).join(', ')} typing…` : 'typing…';
    const { handle = null, isGone = false } = row() ?? {};
    if (isGone) return 'Nobody is here any more';
    return handle ? `@${handle}` : `${props.conversation.members.length} people`;
  };

  const [hasSent, setSent] = createSignal(false);
  /** How far the last own message has come, once each, after one was sent here (C9.3). */
  function progress(): string {
    const last = hasSent() ? view.last(({ isOwn, text }) => isOwn && text !== null) : undefined;
    const mark = last && view.mark(last);
    return mark === 'sent' || mark === 'delivered' || mark === 'read' ? MARKS[mark].words : '';
  }
  /** Edited by Up in the empty composer (C1). */
  function lastOwn(): Editable | null {
    const last = view.last(({ isOwn, text, failure, change }) => isOwn && text !== null && !failure && change !== 'delete');
    return last?.text == null ? null : { id: last.id, text: last.text };
  }
  const isRequest = (): boolean => row()?.isRequest ?? false;
  /** Of a direct conversation with somebody who is still there. */
  const otherId = (): string | null => (row()?.isGone ? null : (row()?.otherId ?? null));
  const isBlocked = (): boolean => {
    const id = otherId();
    return id !== null && page.protection.isBlocked(id);
  };
  const canWrite = (): boolean => !view.ended() && !row()?.isGone && !isRequest() && !isBlocked();
  const [isBlocking, setBlocking] = createSignal(false);
  const [reported, setReported] = createSignal<Reported | null>(null);
  const [toEdit, setToEdit] = createSignal<Editable | null>(null);
  const report = ({ id, authorId, text }: ThreadMessage): void => void setReported({ id, author: nameOf(authorId), text: text ?? '' });
  const acts: MessageActs = {
    report,
    copy: ({ text }) => void navigator.clipboard.writeText(text ?? ''),
    get edit() {
      return canWrite() ? ({ id, text }: ThreadMessage) => void setToEdit({ id, text: text ?? '' }) : null;
    },
    remove: ({ id, failure }) => (failure ? view.discard(id) : view.remove(id)),
  };
  const newestOfOthers = (): ThreadMessage | undefined => view.last(({ isOwn, text }) => !isOwn && text !== null);
  function unblock(): void {
    const id = otherId();
    if (id !== null) void page.protection.setBlocked(id, false);
    queueMicrotask(() => focusRegion('composer'));
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
        <BackLink />
        <Avatar id={row()?.avatarId ?? props.id} name={name()} url={row()?.avatarUrl} isGone={row()?.isGone} size="small" />
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
        <Show when={otherId()}>
          <MenuButton
            label="More"
            actions={[
              isBlocked()
                ? { words: 'Unblock', icon: 'block', act: unblock }
                : { words: 'Block…', icon: 'block', isDangerous: true, act: () => setBlocking(true) },
            ]}
          />
        </Show>
      </header>
      <Thread
        id={props.id}
        view={view}
        onScrollOwner={setScroll}
        acts={acts}
        isAttended={page.isAttended() && !isRequest()}
        isOffline={page.connection() !== 'connected'}
        canLoad={page.connection() !== 'offline'}
        isGroup={isGroup()}
        nameOf={nameOf}
      />
      <Switch
        fallback={
          <Composer
            name={name()}
            draft={page.personal.draft(props.id)}
            isWaiting={page.connection() !== 'connected'}
            onDraft={(text) => page.personal.setDraft(props.id, text)}
            onPause={page.personal.flushDrafts}
            onTyped={view.typed}
            sendKey={platform.preferences().sendKey}
            onSend={send}
            lastOwn={lastOwn}
            toEdit={toEdit()}
            onEdit={view.edit}
            onScroll={(pages) => scroll()?.byPages(pages)}
            onEscape={() => scroll()?.toBottom()}
          />
        }
      >
        <Match when={view.ended()}>
          {(words) => (
            <p role="alert" class="conversation__ended">
              {words()}
            </p>
          )}
        </Match>
        <Match when={row()?.isGone}>
          <p class="stand-in stand-in--quiet">This account was deleted. Nobody is there to read what you would write.</p>
        </Match>
        <Match when={isRequest() && row()}>
          {(asking) => (
            <RequestBar
              row={asking()}
              onReport={newestOfOthers() ? () => report(newestOfOthers()!) : null}
              onAccepted={() => queueMicrotask(() => focusRegion('composer'))}
            />
          )}
        </Match>
        <Match when={isBlocked()}>
          <section class="stand-in" aria-label="Blocked" data-region="composer">
            <p class="stand-in__lead" dir="auto">
              You have blocked <strong>{name()}</strong>.
            </p>
            <p class="stand-in__actions">
              <button type="button" class="button button--plain button--small" onClick={unblock}>
                Unblock
              </button>
            </p>
          </section>
        </Match>
      </Switch>
      <Show when={otherId()}>
        {(id) => <BlockDialog userId={id()} name={name()} isOpen={isBlocking()} onClose={() => setBlocking(false)} />}
      </Show>
      <ReportDialog conversationId={props.id} message={reported()} onClose={() => setReported(null)} />
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
            <BackLink />
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
