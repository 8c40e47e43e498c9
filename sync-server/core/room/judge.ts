import * as Y from 'yjs';
import type { RandomBytes } from '../../../shared/clock.ts';
import type { Refusal } from '../../../shared/close-codes.ts';
import type { MessageId, Uuid } from '../../../shared/ids.ts';
import { LIMITS } from '../../../shared/limits.ts';
import type { ClientClock, Told } from '../../../shared/protocol.ts';
import { type BuiltDocument, openBatch } from '../accept/batch.ts';
import type { DecodedUpdate } from '../accept/decode.ts';
import type { SendResult } from '../messaging-port.ts';
import type { ConversationWrite, DocumentState, DocumentWrite, Locked, MemberChange, Permissions } from '../ports.ts';
import { type Room, takeMembers } from './room.ts';
import type { Watcher, Work } from './work.ts';
import { carryOver, rollOver } from './roll-over.ts';

/** A frame or post on its way through a batch, its frame decoded. */
export type Job =
  | { kind: 'frame'; work: Extract<Work, { kind: 'frame' }>; update: DecodedUpdate }
  | { kind: 'post'; work: Extract<Work, { kind: 'post' }> };

/** What is to be told about a job once its batch is committed (L7). */
export type Outcome =
  | { kind: 'acked'; from: Watcher; committed: readonly ClientClock[]; told: readonly Told[] }
  | { kind: 'ahead'; from: Watcher }
  | { kind: 'refused'; from: Watcher; reason: Refusal }
  | { kind: 'not-member'; from: Watcher }
  | { kind: 'posted'; done: (result: SendResult) => void; result: SendResult };

/** A document asks for compaction each time so many rows have gathered. */
const COMPACT_EVERY = 256;

/** A full private document that could not be followed is looked at again after so many rows. */
const LOOK_EVERY = 32;

/** A room's part of a batch, judged: outcomes in the order of its jobs. */
export interface Judged {
  room: Room;
  outcomes: Outcome[];
  built: BuiltDocument | null;
}

export interface Judgement {
  conversationId: Uuid;
  rooms: Judged[];
  /** Null: nothing to write. */
  write: ConversationWrite | null;
}

/** A segment filled up, and the root was not locked with it: the batch has to be tried again with the root. */
export class RootNeeded extends Error {
  override name = 'RootNeeded';
}

/**
 * Judges the jobs of one conversation's rooms under its lock (L4, L5). The rooms are caught up; they are not written. Throws `RootNeeded`
 * when a segment is full and `locked` does not hold the root's rows.
 */
export function judge(
  jobs: ReadonlyMap<Room, readonly Job[]>,
  locked: Locked,
  deps: { permissions: Permissions; now: number; random: RandomBytes },
): Judgement {
  const { conversation, usedIds } = locked;
  const rooms: Judged[] = [];
  const documents: DocumentWrite[] = [];
  const snapshot: ConversationWrite['snapshot'] = [];
  let { seq, open } = conversation;
  for (const [room, roomJobs] of jobs) {
    const judged = judgeRoom(room, roomJobs, usedIds, deps);
    rooms.push(judged);
    const { built } = judged;
    if (!built) continue;
    const write: DocumentWrite = {
      state: { ...built.state },
      update: built.update,
      claims: built.claims,
      fresh: false,
      compact: built.deleted || built.state.position % COMPACT_EVERY === 0,
    };
    documents.push(write);
    snapshot.push(...built.snapshot);
    seq += built.state.messages - room.state.messages;
    if (!built.full || write.state.n !== open || room.name.kind === 'root') continue;
    write.compact = true;
    const next = isTime(room, built.state) ? openNext(room, built, locked, deps.random) : null;
    if (!next) continue;
    write.state.closed = true;
    if (next.word) addWord(write, next.word);
    open = next.open;
    documents.push(...next.documents);
  }
  const accepted = acceptedBy(snapshot, [...jobs.keys()][0]!.members);
  const members = accepted.length > 0 ? { members: accepted } : {};
  return {
    conversationId: conversation.id,
    rooms,
    write: documents.length > 0 ? { conversationId: conversation.id, seq, open, documents, snapshot, ...members } : null,
  };
}

/** Whoever writes back has taken the request (G3). */
function acceptedBy(snapshot: ConversationWrite['snapshot'], members: Room['members']): MemberChange[] {
  const writers = new Set(snapshot.flatMap((change) => (change.kind === 'message' ? [change.senderId] : [])));
  return [...writers].filter((userId) => members.get(userId)?.asked).map((userId) => ({ kind: 'accept', userId }));
}

/** Judges one room's jobs against its live document and what the earlier of them would change. */
export function judgeRoom(
  room: Room,
  jobs: readonly Job[],
  usedIds: Set<MessageId>,
  { permissions, now }: { permissions: Permissions; now: number },
): Judged {
  const { doc, state, conversation, members, claims } = room;
  const batch = openBatch({ kind: room.name.kind, doc, state, conversation, members, claims, usedIds, permissions, now });
  const refused = new Map<Watcher, Outcome>();
  const judgeJob = (job: Job): Outcome => {
    if (job.kind === 'post') {
      const { writer, id, value, done } = job.work;
      return { kind: 'posted', done, result: members.has(writer) ? batch.post(writer, id, value) : { kind: 'not-found' } };
    }
    const { from } = job.work;
    const before = refused.get(from);
    if (before) return before;
    if (!members.has(from.userId)) return { kind: 'not-member', from };
    const verdict = batch.accept(from.userId, job.update);
    switch (verdict.kind) {
      case 'accepted':
        return { kind: 'acked', from, committed: verdict.committed, told: verdict.told };
      case 'known':
        return { kind: 'acked', from, committed: verdict.committed, told: [] };
      case 'ahead':
        return { kind: 'ahead', from };
      case 'refused': {
        const outcome: Outcome = { kind: 'refused', from, reason: verdict.reason };
        refused.set(from, outcome);
        return outcome;
      }
    }
    return verdict satisfies never;
  };
  return { room, outcomes: jobs.map(judgeJob), built: batch.build() };
}

/**
 * A segment is followed as soon as it is full. A private document that cannot be is looked at again when it has grown by another 256 KiB,
 * and now and then: looking costs a copy of it.
 */
function isTime({ name, state }: Room, after: DocumentState): boolean {
  const hasGrown = Math.floor(after.bytes / LIMITS.segmentBytes) > Math.floor(state.bytes / LIMITS.segmentBytes);
  const fillsUp = state.clients < LIMITS.segmentClients && after.clients >= LIMITS.segmentClients;
  return name.kind !== 'user' || hasGrown || fillsUp || after.position % LOOK_EVERY === 0;
}

/** What the server writes into a document beside a batch's own part of it: one struct of one clock. */
function addWord(write: DocumentWrite, word: Uint8Array): void {
  const before = write.update.byteLength;
  write.update = Y.mergeUpdates([write.update, word]);
  write.state.bytes += write.update.byteLength - before;
  write.state.logClock += 1;
}

/**
 * The document that goes on from a full one, and what the full one says of it where no root does. Null: a private document whose living
 * values alone would half fill the next one; compaction has to do.
 */
function openNext(
  room: Room,
  built: BuiltDocument,
  locked: Locked,
  random: RandomBytes,
): { open: number; documents: DocumentWrite[]; word?: Uint8Array } | null {
  if (room.name.kind === 'user') {
    const after = new Y.Doc();
    Y.applyUpdate(after, Y.encodeStateAsUpdate(room.doc));
    Y.applyUpdate(after, built.update);
    const { open, segment, word } = carryOver(locked.conversation.id, after, built.state, random);
    return segment.state.bytes <= LIMITS.segmentBytes / 2 ? { open, documents: [segment], word } : null;
  }
  const root = locked.documents.get(0);
  if (!root) throw new RootNeeded();
  return rollOver(built.state, root, random);
}

/** Brings a room's conversation and members to what stands under the lock. */
export function takeConversation(room: Room, locked: Locked): void {
  room.conversation = locked.conversation;
  if (locked.members) takeMembers(room, locked.members);
}
