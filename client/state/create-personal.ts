import { type Accessor, createMemo } from 'solid-js';
import type { Uuid } from '../../shared/ids.ts';
import type { ConversationMarks, Setting } from '../../shared/user-document.ts';
import type { Sync } from '../sync/open-sync.ts';
import { createChanges } from './create-observed.ts';

/** What a person has for themselves, on all their devices: drafts, what conversations are marked with, settings. */
export interface Personal {
  /** Text begun in a conversation and not sent, here or on another device; the newest. */
  draft: (conversationId: Uuid) => string;
  setDraft: (conversationId: Uuid, text: string) => void;
  /** Nobody writes any more: what was begun goes to the other devices now. */
  flushDrafts: () => void;
  /** What a conversation is marked with; runs its reader again only when that is something else. */
  createMarks: (conversationId: Uuid) => Accessor<ConversationMarks>;
  mark: (conversationId: Uuid, marks: ConversationMarks) => void;
  setting: (name: string) => Setting;
  set: (name: string, value: Setting) => void;
}

const isSame = (a: ConversationMarks, b: ConversationMarks): boolean =>
  a.mute === b.mute && a.pin === b.pin && a.archive === b.archive && a.unreadFrom === b.unreadFrom;

/** The private document as signals. */
export function createPersonal({ drafts, personal, subscribe }: Pick<Sync, 'drafts' | 'personal' | 'subscribe'>): Personal {
  const changes = createChanges(subscribe);
  return {
    draft: (id) => (changes(), drafts.get(id)),
    setDraft: drafts.set,
    flushDrafts: drafts.flush,
    createMarks: (id) => createMemo(() => (changes(), personal.marks(id)), {}, { equals: isSame }),
    mark: (id, marks) => void personal.mark(id, marks),
    setting: (name) => (changes(), personal.setting(name)),
    set: (name, value) => void personal.set(name, value),
  };
}
