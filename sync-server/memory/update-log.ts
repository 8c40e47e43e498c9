import type { Uuid } from '../../shared/ids.ts';
import type { Clock } from '../../shared/clock.ts';
import type { ConversationWrite, DocumentWrite, Hint, Locked, Member, UpdateLog, Want } from '../core/ports.ts';
import {
  type MemoryStore,
  type StoredConversation,
  type StoredDocument,
  type StoredMember,
  applyChange,
  applyMember,
  lockRows,
  membersOf,
  nextChange,
  notify,
} from './store.ts';

/** The moments at which a transaction or a read gives way to others; a test may hold it there, or make it fail by throwing. */
export type Moment = 'asked' | 'locked' | 'written' | 'committed' | 'read';
export type Pause = (moment: Moment) => Promise<void>;

const nextTurn: Pause = () => new Promise((resolve) => setImmediate(resolve));

/** The update log in memory. Every read takes its snapshot at one moment and hands it over at a later one (L12). */
export function makeMemoryLog(store: MemoryStore, { clock, pause = nextTurn }: { clock: Clock; pause?: Pause }): UpdateLog {
  async function later<T>(value: T): Promise<T> {
    const snapshot = structuredClone(value);
    await pause('read');
    return snapshot;
  }

  const underLock = <T>(ids: readonly Uuid[], task: (rows: Map<Uuid, StoredConversation>) => Promise<T>): Promise<T> =>
    lockRows(store, ids, task);

  return {
    read: (conversationId, n, position) => {
      const row = store.conversations.get(conversationId);
      const document = row?.documents.get(n);
      if (!row || !document) return later(null);
      return later({ conversation: row.state, document: document.state, ...after(document, position), members: membersOf(store, row) });
    },
    async transact(wants, build) {
      await pause('asked');
      await underLock(
        wants.map(({ conversationId }) => conversationId),
        async (rows) => {
          const locked = structuredClone(new Map(wants.flatMap((want) => lockedOf(store, rows.get(want.conversationId), want))));
          await pause('locked');
          const writes = build(locked);
          if (writes.length === 0) return;
          await pause('written');
          for (const write of writes) checkFits(rows.get(write.conversationId), write);
          for (const write of writes) commit(store, rows.get(write.conversationId)!, write, clock.now());
          notify(store, hintOf(writes));
          for (const { conversationId, members } of writes) if (members) notify(store, { kind: 'members', conversationId });
        },
      );
      await pause('committed');
    },
    async create({ id, kind, title, history = 'all', by, createdAt, members, documents }) {
      await pause('asked');
      if (store.conversations.has(id) || store.gone.has(id)) return false;
      const row: StoredConversation = {
        state: { id, kind, seq: 0, open: 1, membersVersion: 1 },
        title,
        history,
        createdAt,
        members: new Map(members.map((member) => [member.userId, newMember(member, kind === 'direct', by ?? null, createdAt)])),
        changed: nextChange(store),
        lastAt: createdAt,
        former: new Set(),
        declined: [],
        documents: new Map(),
        messages: new Map(),
        lock: Promise.resolve(),
      };
      for (const document of documents) {
        checkFollows(row, document);
        writeDocument(row, document, createdAt);
      }
      store.conversations.set(id, row);
      notify(store, hintOf([{ conversationId: id, documents }]));
      await pause('committed');
      return true;
    },
    ahead: (documents) =>
      later(
        documents
          .filter(({ conversationId, n, position, membersVersion }) => {
            const row = store.conversations.get(conversationId);
            return (row?.documents.get(n)?.state.position ?? 0) > position || (row?.state.membersVersion ?? 0) > membersVersion;
          })
          .map(({ conversationId, n }) => ({ conversationId, n })),
      ),
    due(forMs, limit) {
      const due = [...store.conversations].flatMap(([conversationId, { documents }]) =>
        [...documents].flatMap(([n, { compactDueAt }]) =>
          compactDueAt !== null && compactDueAt <= clock.now() - forMs ? [{ conversationId, n, compactDueAt }] : [],
        ),
      );
      due.sort((a, b) => a.compactDueAt - b.compactDueAt);
      return later(due.slice(0, limit).map(({ conversationId, n }) => ({ conversationId, n })));
    },
    compact: (conversationId, n, merge) =>
      underLock([conversationId], async (rows) => {
        const document = rows.get(conversationId)?.documents.get(n);
        const last = document?.rows.at(-1);
        if (!document || !last) return;
        const update = merge(structuredClone(document.rows));
        await pause('written');
        document.rows = [{ position: last.position, update }];
        document.state = { ...document.state, bytes: update.byteLength };
        document.compactDueAt = null;
      }),
    putOff(conversationId, n, forMs) {
      const document = store.conversations.get(conversationId)?.documents.get(n);
      if (document && document.compactDueAt !== null) document.compactDueAt = clock.now() + forMs;
      return later(undefined);
    },
  };
}

/** The row of a first member. A direct request is on nobody's list before its first message. */
const newMember = (member: Member, isDirect: boolean, by: Uuid | null, now: number): StoredMember => ({
  ...member,
  read: member.since,
  delivered: member.since,
  changed: 0,
  hiddenAt: member.asked && isDirect ? 0 : null,
  askedBy: member.asked ? by : null,
  askedAt: now,
});

const after = ({ rows, claims }: StoredDocument, position: number) => ({
  rows: rows.filter((row) => row.position > position),
  claims: claims.filter((claim) => claim.position > position).map(({ client, userId }) => ({ client, userId })),
});

function lockedOf(store: MemoryStore, row: StoredConversation | undefined, want: Want): [Uuid, Locked][] {
  if (!row) return [];
  const documents: Locked['documents'] = new Map();
  for (const { n, position } of want.documents) {
    const document = row.documents.get(n);
    if (document) documents.set(n, { state: document.state, ...after(document, position) });
  }
  const members = row.state.membersVersion === want.membersVersion ? null : membersOf(store, row);
  return [
    [row.state.id, { conversation: row.state, documents, members, usedIds: new Set(want.messageIds.filter((id) => row.messages.has(id))) }],
  ];
}

/** Throws before anything is written when a row does not follow the last one (L9). */
function checkFits(row: StoredConversation | undefined, { documents, snapshot }: ConversationWrite): void {
  if (!row) throw new Error('a write to a conversation that was not locked');
  for (const document of documents) checkFollows(row, document);
  const added = new Set(snapshot.flatMap((change) => (change.kind === 'message' ? [change.id] : [])));
  for (const change of snapshot)
    if (change.kind !== 'message' && !added.has(change.id) && !row.messages.has(change.id)) throw new Error(`no message ${change.id}`);
}

function checkFollows(row: StoredConversation, { state, fresh }: DocumentWrite): void {
  const before = row.documents.get(state.n);
  if (fresh === (before !== undefined)) throw new Error(`document ${state.n}: ${fresh ? 'exists already' : 'does not exist'}`);
  if (state.position !== (before?.state.position ?? 0) + 1)
    throw new Error(`document ${state.n}: position ${state.position} is not the next`);
}

function commit(store: MemoryStore, row: StoredConversation, write: ConversationWrite, now: number): void {
  const { seq, open, documents, snapshot, members, about = {} } = write;
  row.state = { ...row.state, seq, open, membersVersion: row.state.membersVersion + (members ? 1 : 0) };
  Object.assign(row, about);
  row.lastAt = snapshot.findLast((change) => change.kind === 'message')?.acceptedAt ?? row.lastAt;
  const isListed = snapshot.some(({ kind }) => kind !== 'reactions') || documents.some(({ state }) => state.n === 0) || members;
  if (isListed) row.changed = nextChange(store);
  for (const change of members ?? []) applyMember(store, row, change, now);
  for (const document of documents) writeDocument(row, document, now);
  for (const change of snapshot) applyChange(row, change);
}

function writeDocument(row: StoredConversation, { state, update, claims, compact }: DocumentWrite, now: number): void {
  const { n, position } = state;
  const before = row.documents.get(n);
  const document = before ?? { state, rows: [], claims: [], compactDueAt: null };
  document.state = state;
  document.rows.push({ position, update });
  document.claims.push(...claims.map((claim) => ({ ...claim, position })));
  if (compact) document.compactDueAt ??= now;
  row.documents.set(n, document);
}

const hintOf = (writes: readonly Pick<ConversationWrite, 'conversationId' | 'documents'>[]): Hint => ({
  kind: 'updates',
  documents: writes.flatMap(({ conversationId, documents }) =>
    documents.map(({ state }): [Uuid, number, number] => [conversationId, state.n, state.position]),
  ),
});
