import * as Y from 'yjs';
import type { Uuid } from '../../../../shared/ids.ts';
import { readMessages } from '../../../../shared/segment.ts';
import { type Entry, messageKey } from '../../../../client/sync/outbox/entry.ts';
import { type MemoryStore, type StoredConversation, type StoredMessage, hasBlocked } from '../../../memory/store.ts';
import type { Tab } from '../browser/tab.ts';
import type { Ledger } from './ledger.ts';
import type { Line, Model } from './model.ts';
import { checkOwnValues } from './own-values.ts';
import type { Rights } from './rights.ts';

interface World {
  store: MemoryStore;
  ledger: Ledger;
  model: Model;
  rights: Rights;
  reached: Set<string>;
  tabs: readonly { me: Uuid; browser: number; tab: Tab }[];
}

type Shown = Pick<Line, 'id' | 'seq' | 'body'>;
const show = (list: readonly Shown[]): string => JSON.stringify(list.map(({ id, seq, body }) => [id, seq, body]));
const bySeq = (a: Shown, b: Shown): number => a.seq - b.seq;

/** What must hold when everything has healed and come to rest (Q1 to Q7, V8). */
export function checkAtRest({ store, ledger, model, rights, reached, tabs }: World): string[] {
  const wrong: string[] = [];
  for (const [id, row] of store.conversations) wrong.push(...checkDocuments(row, model.lines(id)));
  wrong.push(...checkPromises(store, ledger, tabs), ...checkOwnValues({ store, ledger, tabs }));
  for (const { me, browser, tab } of tabs) {
    const name = `a tab of browser ${browser}`;
    const entries = tab.sync.outbox.entries();
    const waiting = entries.filter((entry) => entry.state.kind === 'waiting' && !isHeldUp(ledger, me, entries, entry));
    for (const { state } of entries) if (state.kind === 'failed') reached.add(`failed: ${state.code}`);
    if (waiting.length > 0) wrong.push(`[Q3] ${name} still holds ${waiting.map((entry) => describe(tab, entry)).join()}`);
    const [id, replica] = [tab.conversationId(), tab.replica()];
    const row = id === null ? undefined : store.conversations.get(id);
    if (row && replica && !row.members.has(me)) {
      if (replica.status().kind !== 'ended') wrong.push(`[V4] ${name} is still let in (${whereabouts(tab, row.state.id)})`);
    } else if (row && replica) {
      const from = rights.from(row.state.id, me);
      const shown = replica.messages().filter(({ seq }) => seq > from);
      const expected = model.lines(row.state.id).filter(({ seq }) => seq > from && seq >= (shown[0]?.seq ?? 1));
      if (show(shown) !== show(expected))
        wrong.push(`[Q1] ${name} shows ${show(shown)}, not ${show(expected)} (${whereabouts(tab, row.state.id)})`);
      if (replica.presence.typing().length > 0) wrong.push(`[Q4] ${name} sees somebody typing`);
      const failed = replica.pending().filter(({ state }) => state.kind === 'failed').length;
      if (replica.pending().length > failed) wrong.push(`[Q3] ${name} shows as waiting what is not`);
    }
    wrong.push(...checkList(store, me, tab).map((what) => `[Q2] ${name}: ${what}`));
  }
  return wrong;
}

/** A first contact that has to wait until tomorrow, and what goes with it; a reaction to a message that has failed. */
function isHeldUp({ limited }: Ledger, me: Uuid, entries: readonly Entry[], entry: Entry): boolean {
  const opening = entries.find((one) => one.kind === 'open' && one.conversationId === entry.conversationId);
  if (opening?.kind === 'open' && limited.has(`${me} ${opening.userId}`)) return true;
  return entry.kind === 'react' && entries.some((one) => one.id === messageKey(entry.messageId) && one.state.kind === 'failed');
}

function whereabouts({ sync }: Tab, conversationId: Uuid): string {
  const replica = sync.conversations.replicas().get(conversationId);
  return [sync.connection(), sync.outbox.status(), replica ? JSON.stringify(replica.status()) : 'not open'].join(', ');
}
const describe = (tab: Tab, entry: Entry): string => `${JSON.stringify(entry)} (${whereabouts(tab, entry.conversationId)})`;

function checkDocuments(row: StoredConversation, lines: readonly Line[]): string[] {
  const wrong: string[] = [];
  for (const [n, { rows }] of row.documents) {
    const truth = new Y.Doc();
    for (const { update } of rows) Y.applyUpdate(truth, update);
    if (truth.store.pendingStructs || truth.store.pendingDs) wrong.push(`[Q5] document ${n} has something pending`);
    const expected = lines.filter(({ id }) => row.messages.get(id)?.n === n);
    if (n > 0 && row.state.kind !== 'private' && show(expected) !== show(readMessages(truth)))
      wrong.push(`[Q7] segment ${n} is not what was committed`);
    truth.destroy();
  }
  const stored = [...row.messages.values()].sort(bySeq);
  if (show(stored) !== show(lines)) wrong.push(`[Q7] the tables hold ${show(stored)} of ${show(lines)}`);
  return wrong;
}

/** What screens have said once. */
function checkPromises(store: MemoryStore, ledger: Ledger, tabs: World['tabs']): string[] {
  const wrong: string[] = [];
  for (const [id, { conversationId, author, kept, removed, texts }] of ledger.written) {
    const row = store.conversations.get(conversationId);
    const stored = row?.messages.get(id);
    const own = tabs.flatMap(({ tab }) => {
      const entries = tab.sync.outbox.entries();
      return entries.filter((one) => 'messageId' in one && one.messageId === id).map((one) => ({ one, entries }));
    });
    const hasFailed = own.some(({ one }) => one.state.kind === 'failed');
    if (!stored) {
      const waits = own.some(({ one, entries }) => isHeldUp(ledger, author, entries, one));
      if (kept && removed === 'no' && !hasFailed && !waits) wrong.push(`[Q3] ${id} of ${author} was kept and is nowhere`);
      continue;
    }
    if (stored.body !== null && removed === 'kept' && !hasFailed) wrong.push(`[V8] ${id} was deleted and still reads ${stored.body}`);
    const last = texts.at(-1)!;
    const isOneTab = texts.every(({ place }) => place === last.place);
    if (stored.body !== null && removed === 'no' && !hasFailed && last.kept && isOneTab && stored.body !== last.text)
      wrong.push(`[Q3] ${id} was to read ${last.text} and reads ${stored.body}`);
    if (
      stored.body === null &&
      holdsText(
        row!,
        texts.map(({ text }) => text),
      )
    )
      wrong.push(`[V8] the text of ${id} is still there`);
  }
  return wrong;
}

const bytesOf = (text: string): Buffer => Buffer.from(text);

function holdsText({ documents, messages }: StoredConversation, texts: readonly string[]): boolean {
  const isIn = (update: Uint8Array): boolean =>
    texts.some((text) => Buffer.from(update.buffer, update.byteOffset, update.byteLength).includes(bytesOf(text)));
  const history = [...messages.values()].flatMap((message) => message.history);
  return (
    [...documents.values()].some(({ rows }) => rows.some(({ update }) => isIn(update))) || texts.some((text) => history.includes(text))
  );
}

/** Each list is what the tables say that this person is to see (Q2). */
function checkList(store: MemoryStore, me: Uuid, tab: Tab): string[] {
  const wrong: string[] = [];
  const [here, there] = [[...tab.sync.blocks.people().keys()], [...(store.blocks.get(me) ?? [])]].map((ids) => ids.sort().join());
  if (here !== there) wrong.push(`blocks ${here}, and the tables say ${there}`);
  for (const [id, row] of store.conversations) {
    const member = row.members.get(me);
    if (row.state.kind === 'private') continue;
    const listed = tab.sync.inbox.conversations().get(id);
    if (!member || row.state.seq <= (member.hiddenAt ?? -1)) {
      if (listed) wrong.push(`${id} is listed`);
      continue;
    }
    const stored = [...row.messages.values()].filter(({ seq }) => seq > (member.from ?? 0)).sort(bySeq);
    const counts = ({ seq, senderId, body }: StoredMessage): boolean =>
      seq > Math.max(member.read, member.since) && senderId !== me && body !== null && !hasBlocked(store, me, senderId);
    const unread = stored.filter(counts).length;
    if (!listed) wrong.push(`${id} is not listed`);
    else if (listed.unreadCount !== unread) wrong.push(`${id} shows ${listed.unreadCount} unread of ${unread}`);
    else if ((listed.lastMessage?.preview ?? null) !== (stored.at(-1)?.body ?? null)) wrong.push(`${id} shows another last message`);
    else if (listed.lastReadSeq !== member.read) wrong.push(`${id} is read to ${member.read}, not ${listed.lastReadSeq}`);
    else if (Boolean(listed.request) !== Boolean(member.asked)) wrong.push(`${id} ${listed.request ? 'is' : 'is not'} a request`);
  }
  return wrong;
}
