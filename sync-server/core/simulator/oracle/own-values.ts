import { equalityDeep } from 'lib0/function';
import * as Y from 'yjs';
import type { Uuid } from '../../../../shared/ids.ts';
import { laneName } from '../../../../shared/segment.ts';
import { draftKey, marksKey } from '../../../../shared/user-document.ts';
import { privateKey, reactKey } from '../../../../client/sync/outbox/entry.ts';
import type { MemoryStore, StoredConversation, StoredMessage } from '../../../memory/store.ts';
import type { Tab } from '../browser/tab.ts';
import type { Ledger } from './ledger.ts';

interface World {
  store: MemoryStore;
  ledger: Ledger;
  tabs: readonly { me: Uuid; browser: number; tab: Tab }[];
}

/** What people have on messages and for themselves is the same on every screen, and what was asked for (Q1, Q3). */
export function checkOwnValues(world: World): string[] {
  return [...checkReactions(world), ...checkWishedReactions(world), ...checkReads(world), ...checkPrivate(world)];
}

const storedReactions = ({ reactions }: StoredMessage): string[] =>
  [...reactions].flatMap(([userId, emoji]) => emoji.map((one) => `${one} ${userId}`)).sort();

/** Of what is closed to somebody since they came back they have what they had. */
function checkReactions({ store, tabs }: World): string[] {
  const wrong: string[] = [];
  for (const { me, browser, tab } of tabs) {
    const row = store.conversations.get(tab.conversationId() ?? '');
    const member = row?.members.get(me);
    if (!row || !member || tab.replica()?.status().kind !== 'live') continue;
    for (const { id, seq, body, reactions } of tab.replica()!.messages()) {
      const stored = row.messages.get(id);
      if (body === null || !stored || seq <= (member.from ?? 0)) continue;
      const shown = [...reactions].flatMap(([emoji, users]) => users.map((userId) => `${emoji} ${userId}`)).sort();
      if (shown.join() !== storedReactions(stored).join())
        wrong.push(`[Q1] a tab of browser ${browser} shows ${shown.join()} on ${id}, not ${storedReactions(stored).join()}`);
    }
  }
  return wrong;
}

/** What was asked for in one tab that is still there, and has not failed. */
function checkWishedReactions({ store, ledger, tabs }: World): string[] {
  const wrong: string[] = [];
  for (const [key, { place, value }] of ledger.reactions) {
    const [id, author] = key.split(' ') as [string, Uuid];
    const tab = tabs.find((one) => one.tab.place === place)?.tab;
    const row = [...store.conversations.values()].find(({ messages }) => messages.has(id));
    const message = row?.messages.get(id);
    if (!tab || !row?.members.has(author) || message?.body == null || tab.sync.outbox.get(reactKey(id))) continue;
    const stored = message.reactions.get(author) ?? [];
    if (stored.toSorted().join() !== [...value].sort().join())
      wrong.push(`[Q3] ${author} is to have ${[...value].join()} on ${id} and has ${stored.join()}`);
  }
  return wrong;
}

/** What was read in a tab that is still there has been read, whatever was told of afterwards. */
function checkReads({ store, ledger, tabs }: World): string[] {
  return ledger.reads.flatMap(({ conversationId, author, place, seq }) => {
    const member = store.conversations.get(conversationId)?.members.get(author);
    const isThere = tabs.some(({ tab }) => tab.place === place);
    return member && isThere && member.read < seq ? [`[V6] ${author} had read to ${seq} and has to ${member.read}`] : [];
  });
}

/** The newest of a person's private documents, as the log has it. */
function privateValues(row: StoredConversation | undefined, owner: Uuid): ReadonlyMap<string, unknown> {
  const doc = new Y.Doc();
  for (const { update } of row?.documents.get(row.state.open)?.rows ?? []) Y.applyUpdate(doc, update);
  return new Map(Object.entries(doc.getMap(laneName(owner)).toJSON()));
}

function checkPrivate({ store, ledger, tabs }: World): string[] {
  const wrong: string[] = [];
  for (const me of new Set(tabs.map((one) => one.me))) {
    const own = tabs.filter((one) => one.me === me);
    const stored = privateValues(store.conversations.get(me), me);
    for (const { state } of store.conversations.values()) {
      const [draft, marks] = [draftKey(state.id), marksKey(state.id)];
      const hasFailed = (key: string): boolean => own.some(({ tab }) => tab.sync.outbox.get(privateKey(key))?.state.kind === 'failed');
      for (const { browser, tab } of own) {
        const text = tab.sync.drafts.get(state.id);
        if (!hasFailed(draft) && text !== (stored.get(draft) ?? ''))
          wrong.push(`[Q1] a tab of browser ${browser} has begun ${text}, not ${String(stored.get(draft))}`);
        const [shown, kept] = [tab.sync.personal.marks(state.id), stored.get(marks) ?? {}];
        if (!hasFailed(marks) && !equalityDeep(shown, kept))
          wrong.push(`[Q1] a tab of browser ${browser} has marked ${JSON.stringify(shown)}, not ${JSON.stringify(kept)}`);
      }
      const wish = ledger.drafts.get(`${state.id} ${me}`);
      if (wish && own.some(({ tab }) => tab.place === wish.place) && !hasFailed(draft) && wish.value !== (stored.get(draft) ?? ''))
        wrong.push(`[Q3] ${me} has begun ${wish.value}, and kept is ${String(stored.get(draft))}`);
    }
  }
  return wrong;
}
