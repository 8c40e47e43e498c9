import { type Accessor, createEffect, createMemo, createSignal, on, onCleanup } from 'solid-js';
import type { Me, User } from '../../shared/api.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Uuid } from '../../shared/ids.ts';
import type { Api } from '../sync/api.ts';
import type { Sync } from '../sync/open-sync.ts';
import { type ConnectionStatus, createConnectionStatus } from './create-connection-status.ts';
import { type ConversationList, createConversationList } from './create-conversation-list.ts';
import { type ConversationView, createConversation } from './create-conversation.ts';
import { type DeviceStatus, createDeviceStatus } from './create-device-status.ts';
import { createChanges } from './create-observed.ts';
import { type People, type Profile, createPeople } from './create-people.ts';
import { type Personal, createPersonal } from './create-personal.ts';
import { type Protection, createProtection } from './create-protection.ts';
import { type RestoredView, createRestored } from './create-restored.ts';
import { type Waiting, createWaiting } from './create-waiting.ts';

/** Everything that the page of a signed-in person is made of. */
export interface Page {
  me: Me;
  list: ConversationList;
  people: People;
  protection: Protection;
  /** What waits to be sent, over all conversations. */
  waiting: Waiting;
  restored: RestoredView;
  connection: Accessor<ConnectionStatus>;
  /** Whether this device keeps what is written. */
  device: Accessor<DeviceStatus>;
  /** No WebSocket gets through: it goes on over HTTP, a little slower. */
  isSlow: Accessor<boolean>;
  /** Somebody is in front of the page. */
  isAttended: Accessor<boolean>;
  createProfile: (handle: Accessor<string>) => Accessor<Profile | null>;
  /** Opens a conversation of the list, for as long as its owner lives. */
  createConversation: (id: Uuid) => ConversationView;
  personal: Personal;
}

export interface PageOptions {
  api: Api;
  me: Me;
  clock: Clock;
  sync: Sync;
  isVisible: Accessor<boolean>;
  hasFocus: Accessor<boolean>;
  isOnline: Accessor<boolean>;
  /** The device keeps again what is given to it, after it did not. */
  onKeepsAgain: () => void;
}

/** The page of one person; everything it opened ends with its owner. */
export function createPage({ api, me, clock, sync, isVisible, hasFocus, isOnline, onKeepsAgain }: PageOptions): Page {
  const others = (): User[] => [
    ...[...sync.inbox.conversations().values()].flatMap(({ members }) => members),
    ...sync.blocks.people().values(),
  ];
  const people = createPeople({ api, clock, others });
  const list = createConversationList({ sync, me: me.id, clock, person: people.known });
  const [shown, setShown] = createSignal<ConversationView | null>(null);
  const changes = createChanges(sync.subscribe);
  const connection = createMemo(() => (changes(), sync.connection()));
  const isAttended = (): boolean => isVisible() && hasFocus();
  const isLive = (): boolean => shown()?.isLive() ?? true;

  const waiting = createWaiting({ sync, nameOf: (id) => list.row(id)?.name ?? '' });
  createEffect(on(waiting.isMemoryOnly, (now, before) => void (before && !now && onKeepsAgain())));
  createEffect(() => sync.setOnline(isOnline()));
  createEffect(() => (isVisible() ? sync.wake() : sync.drafts.flush()));
  onCleanup(sync.close);

  return {
    me,
    list,
    people,
    protection: createProtection({ sync, api, me: me.id, person: people.known }),
    isAttended,
    isSlow: () => connection() === 'http',
    waiting,
    device: createDeviceStatus(waiting.isMemoryOnly, clock),
    restored: createRestored(sync),
    connection: createConnectionStatus({ connection, isLive, clock }),
    createProfile: people.createProfile,
    createConversation(id) {
      const view = createConversation({
        replica: sync.conversations.open(id),
        me: me.id,
        clock,
        readTo: list.readTo(id),
        unreadCount: list.rows.find((row) => row.id === id)?.unread ?? 0,
        others: () => (list.conversation(id)?.members ?? []).filter((member) => member.id !== me.id),
        isAttended,
        onRead: (seq) => list.noteRead(id, seq),
      });
      setShown(view);
      onCleanup(() => setShown((now) => (now === view ? null : now)));
      return view;
    },
    personal: createPersonal(sync),
  };
}
