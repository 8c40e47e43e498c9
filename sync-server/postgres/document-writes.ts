import type { ConversationWrite, DocumentWrite, Hint, NewConversation } from '../core/ports.ts';
import type { Transaction } from './connect.ts';
import { HINT_CHANNEL, encodeHint } from './hints.ts';
import { jsonRows, toBase64 } from './json-rows.ts';
import { insertMembers, memberStatements } from './member-writes.ts';
import { snapshotStatements } from './snapshot.ts';

/** The documents of one conversation that a transaction writes. */
type Part = { conversationId: string; documents: readonly DocumentWrite[] };

/**
 * L6: everything a batch comes to, over all its conversations in a handful of statements that leave together. Throws, so that the
 * transaction is rolled back, when a row is not as the caller's state says.
 */
export async function writeConversations(tx: Transaction, writes: readonly ConversationWrite[]): Promise<void> {
  await sendAll([
    updateConversations(tx, writes),
    ...documentStatements(tx, writes),
    ...snapshotStatements(tx, writes),
    ...memberStatements(tx, writes),
    notify(tx, [{ kind: 'updates', documents: hinted(writes) }, ...membersHints(writes)]),
  ]);
}

const membersHints = (writes: readonly ConversationWrite[]): Hint[] =>
  writes.flatMap(({ conversationId, members }) => (members ? [{ kind: 'members', conversationId }] : []));

/** The members and first documents of a conversation whose row was inserted in this transaction. */
export async function writeNew(tx: Transaction, { id, kind, members, documents, by }: NewConversation): Promise<void> {
  const rows = members.map(({ userId, role, since, from = 0, asked }) => {
    const hidden = asked && kind === 'direct' ? 0 : null;
    return { conversationId: id, userId, role, since, from, askedBy: (asked && by) ?? null, hidden };
  });
  await sendAll([
    insertMembers(tx, rows),
    ...documentStatements(tx, [{ conversationId: id, documents }]),
    notify(tx, [{ kind: 'updates', documents: hinted([{ conversationId: id, documents }]) }]),
  ]);
}

/** Sends all statements before it waits for the first (postgres.js writes them to the connection in this order). */
async function sendAll(statements: readonly PromiseLike<unknown>[]): Promise<void> {
  await Promise.all(statements);
}

const updateConversations = (tx: Transaction, writes: readonly ConversationWrite[]) => tx`
  update conversations c set seq = x.seq, open = x.open, last_at = coalesce(to_timestamp(x."lastAt" / 1000.0), c.last_at),
    title = coalesce(x.title, c.title), history = coalesce(x.history, c.history),
    members_version = c.members_version + x."membersChange",
    changed = case when x.listed then pg_current_xact_id() else c.changed end
  from json_to_recordset(${jsonRows(writes.map(toConversationRow))}::text::json) as x(
    id uuid, seq int8, open int, "lastAt" int8, title text, history text, "membersChange" int, listed boolean)
  where c.id = x.id`;

/** `listed`: people's lists show something of it (I3). */
function toConversationRow({ conversationId, seq, open, documents, snapshot, members, about }: ConversationWrite) {
  const last = snapshot.findLast((change) => change.kind === 'message');
  const listed = members !== undefined || snapshot.some(({ kind }) => kind !== 'reactions') || documents.some(({ state }) => state.n === 0);
  return { id: conversationId, seq, open, lastAt: last?.acceptedAt ?? null, ...about, membersChange: members ? 1 : 0, listed };
}

function documentStatements(tx: Transaction, parts: readonly Part[]): PromiseLike<unknown>[] {
  const documents = parts.flatMap(({ conversationId, documents }) =>
    documents.map(({ state, fresh, compact }) => ({ ...state, conversationId, fresh, compact })),
  );
  const fresh = documents.filter((document) => document.fresh);
  const known = documents.filter((document) => !document.fresh);
  const updates = parts.flatMap(({ conversationId, documents }) =>
    documents.map(({ state: { n, position }, update }) => ({ conversationId, n, position, bytes: toBase64(update) })),
  );
  const claims = parts.flatMap(({ conversationId, documents }) =>
    documents.flatMap(({ state: { n, position }, claims }) => claims.map((claim) => ({ ...claim, conversationId, n, position }))),
  );
  if (fresh.some(({ position }) => position !== 1)) throw new Error('the first update of a document has position 1');
  return [
    ...(fresh.length > 0 ? [insertDocuments(tx, fresh)] : []),
    ...(known.length > 0 ? [updateDocuments(tx, known)] : []),
    tx`
      insert into updates (conversation_id, n, position, bytes)
      select "conversationId", n, position, decode(bytes, 'base64')
      from json_to_recordset(${jsonRows(updates)}::text::json) as x("conversationId" uuid, n int, position int8, bytes text)`,
    ...(claims.length > 0
      ? [
          tx`
            insert into claims (conversation_id, n, client, user_id, position)
            select "conversationId", n, client, "userId", position
            from json_to_recordset(${jsonRows(claims)}::text::json) as x("conversationId" uuid, n int, client int8, "userId" uuid, position int8)`,
        ]
      : []),
  ];
}

type DocumentRow = DocumentWrite['state'] & { conversationId: string; compact: boolean };

const recordset = (tx: Transaction, rows: readonly DocumentRow[]) => tx`
  json_to_recordset(${jsonRows(rows.map((row) => ({ ...row })))}::text::json) as x("conversationId" uuid, n int, position int8, "firstSeq" int8,
    "logClient" int8, "logClock" int8, messages int, bytes int8, clients int, closed boolean, compact boolean)`;

const insertDocuments = (tx: Transaction, rows: readonly DocumentRow[]) => tx`
  insert into documents
    (conversation_id, n, position, first_seq, log_client, log_clock, messages, bytes, clients, closed_at, compact_asked_at)
  select "conversationId", n, position, "firstSeq", "logClient", "logClock", messages, bytes, clients,
    case when closed then now() end, case when compact then now() end
  from ${recordset(tx, rows)}`;

async function updateDocuments(tx: Transaction, rows: readonly DocumentRow[]): Promise<void> {
  const { count } = await tx`
    update documents d set position = x.position, log_client = x."logClient", log_clock = x."logClock", messages = x.messages, bytes = x.bytes, clients = x.clients,
      closed_at = case when x.closed then coalesce(d.closed_at, now()) end,
      compact_asked_at = coalesce(d.compact_asked_at, case when x.compact then now() end)
    from ${recordset(tx, rows)}
    where d.conversation_id = x."conversationId" and d.n = x.n and d.position = x.position - 1`;
  if (count !== rows.length) throw new Error('a document is not at the position before its update');
}

/** NOTIFY reaches the listeners with the commit, or not at all. */
export const notify = (tx: Transaction, hints: readonly Hint[]) => tx`
  select pg_notify(${HINT_CHANNEL}, payload) from unnest(${hints.flatMap(encodeHint)}::text[]) as payload`;

const hinted = (writes: readonly Part[]) =>
  writes.flatMap(({ conversationId, documents }) =>
    documents.map(({ state }): [string, number, number] => [conversationId, state.n, state.position]),
  );
