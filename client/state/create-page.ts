import { type Accessor, createSignal, onCleanup } from 'solid-js';
import type { Me } from '../../shared/api.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Uuid } from '../../shared/ids.ts';
import type { Api } from '../sync/api.ts';
import type { Conversations } from '../sync/conversations.ts';
import { type ConnectionStatus, createConnectionStatus } from './create-connection-status.ts';
import { type ConversationList, createConversationList } from './create-conversation-list.ts';
import { type ConversationView, createConversation } from './create-conversation.ts';
import { type People, createPeople, createProfile } from './create-people.ts';

/** Everything that the page of a signed-in person is made of. */
export interface Page {
  me: Me;
  list: ConversationList;
  people: People;
  connection: Accessor<ConnectionStatus>;
  /** Somebody is in front of the page. */
  isAttended: Accessor<boolean>;
  createProfile: (handle: Accessor<string>) => ReturnType<typeof createProfile>;
  /** Opens a conversation of the list, for as long as its owner lives. */
  createConversation: (id: Uuid) => ConversationView;
  /** Text begun in a conversation and not sent. */
  draft: (id: Uuid) => string;
  setDraft: (id: Uuid, text: string) => void;
}

export interface PageOptions {
  api: Api;
  me: Me;
  clock: Clock;
  conversations: Conversations;
  isVisible: Accessor<boolean>;
  hasFocus: Accessor<boolean>;
  isOnline: Accessor<boolean>;
  onSignedOut: () => void;
}

/** The page of one person; everything it opened ends with its owner. */
export function createPage({ api, me, clock, conversations, isVisible, hasFocus, isOnline, onSignedOut }: PageOptions): Page {
  const list = createConversationList({ api, me: me.id, clock, isWorthwhile: () => isVisible() && isOnline(), onSignedOut });
  const [shown, setShown] = createSignal<ConversationView | null>(null);
  const drafts = new Map<Uuid, string>();
  const isAttended = (): boolean => isVisible() && hasFocus();
  const isLive = (): boolean => list.isReached() && (shown()?.isLive() ?? true);
  onCleanup(conversations.close);

  return {
    me,
    list,
    isAttended,
    people: createPeople(api, clock),
    connection: createConnectionStatus({ isOnline, isLive, clock }),
    createProfile: (handle) => createProfile(api, handle),
    createConversation(id) {
      const conversation = list.conversation(id);
      const view = createConversation({
        replica: conversations.open(id),
        me: me.id,
        clock,
        readTo: conversation?.lastReadSeq ?? 0,
        others: () => (list.conversation(id)?.members ?? []).filter((member) => member.id !== me.id),
        isAttended,
        onRead: (seq) => list.noteRead(id, seq),
        onProgress: () => void list.refresh(),
      });
      setShown(view);
      onCleanup(() => setShown((now) => (now === view ? null : now)));
      return view;
    },
    draft: (id) => drafts.get(id) ?? '',
    setDraft: (id, text) => void drafts.set(id, text),
  };
}
