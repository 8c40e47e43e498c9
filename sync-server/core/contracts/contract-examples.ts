import { systemRandom } from '../../../shared/clock.ts';
import { type MessageId, type Uuid, makeMessageId, makeUuid } from '../../../shared/ids.ts';
import type { DocumentState, DocumentWrite, Locked, Member, NewConversation, SnapshotChange, UpdateLog } from '../ports.ts';

/** What the contract suites write. The log does not read updates, so theirs are any bytes. */
const NOW = 1_790_000_000_000;

export const anId = (): Uuid => makeUuid(NOW, systemRandom);
export const aMessageId = (): MessageId => makeMessageId(NOW, systemRandom);
export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** A document's first write. */
export function firstWrite(n: number, changes: Partial<DocumentState> = {}): DocumentWrite {
  const state = { n, position: 1, firstSeq: n, logClient: 4_294_967_295, logClock: 2, messages: 0, bytes: 3, clients: 0, closed: false };
  return { state: { ...state, ...changes }, update: bytes(n, 0, 255), claims: [], fresh: true, compact: false };
}

/** A conversation of two people with its root and one segment. */
export function aConversation(changes: Partial<NewConversation> = {}): NewConversation {
  const members = [anId(), anId()].sort().map((userId): Member => ({ userId, role: 'member', since: 0 }));
  const documents = [firstWrite(0), firstWrite(1)];
  return { id: anId(), kind: 'direct', title: null, createdAt: NOW, members, documents, ...changes };
}

/** The snapshot of a new message. */
export function aMessage(
  senderId: Uuid,
  seq: number,
  changes: Partial<Extract<SnapshotChange, { kind: 'message' }>> = {},
): Extract<SnapshotChange, { kind: 'message' }> {
  const rest = { n: 1, body: `message ${seq}`, replyTo: null, extras: null, acceptedAt: NOW + seq, editedAt: null };
  return { kind: 'message', id: aMessageId(), seq, senderId, ...rest, ...changes };
}

/** What one appended row brings with it. */
export interface Append {
  n?: number;
  /** The position up to which the caller holds the rows. */
  held?: number;
  update?: Uint8Array;
  write?: Partial<DocumentWrite>;
  state?: Partial<DocumentState>;
  snapshot?: SnapshotChange[];
}

/** Appends one row to a document in a transaction of its own, after whatever stands there; answers what it saw under the lock. */
export async function append(log: UpdateLog, conversationId: Uuid, options: Append = {}): Promise<Locked> {
  const { n = 1, held = 0, update = bytes(7), write, state, snapshot = [] } = options;
  let seen: Locked | undefined;
  await log.transact([{ conversationId, documents: [{ n, position: held }], messageIds: [], membersVersion: -1 }], (locked) => {
    seen = locked.get(conversationId)!;
    const before = seen.documents.get(n)!.state;
    const next = { ...before, position: before.position + 1, bytes: before.bytes + update.byteLength, ...state };
    const seq = snapshot.reduce((seq, change) => (change.kind === 'message' ? Math.max(seq, change.seq) : seq), seen.conversation.seq);
    const documents = [{ state: next, update, claims: [], fresh: false, compact: false, ...write }];
    return [{ conversationId, seq, open: seen.conversation.open, documents, snapshot }];
  });
  return seen!;
}
