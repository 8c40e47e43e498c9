import * as Y from 'yjs';
import type { CloseName } from '../../../shared/close-codes.ts';
import { type DocumentName, type Uuid, formatDocumentId } from '../../../shared/ids.ts';
import { encodeStep1, encodeUpdate } from '../../../shared/protocol.ts';
import { LOG } from '../../../shared/segment.ts';
import { type WorkQueue, makeWorkQueue } from './queue.ts';
import type { Claim, ConversationState, DocumentState, LoadedDocument, Member, UpdateRow } from '../ports.ts';
import type { Watcher } from './work.ts';

/**
 * A room: the server's cache of one document and the sessions that watch it (R1).
 *
 *   loading ──► open ──► closed          closed: nobody watches and nothing waits (R4),
 *      └───────────────────▲             or its state is in doubt and it was dropped (L7, L10)
 *
 * Its document holds committed state only; nothing but `advance` writes to it.
 */
export interface Room {
  readonly name: DocumentName;
  readonly id: string;
  readonly doc: Y.Doc;
  conversation: ConversationState;
  state: DocumentState;
  members: ReadonlyMap<Uuid, Member>;
  readonly claims: Map<number, Uuid>;
  readonly watchers: Set<Watcher>;
  /** Work in order of arrival (L1); what a batch has taken is not in it. */
  readonly queue: WorkQueue;
  /** Batches that failed in a row (L9). */
  failures: number;
  /** A batch holds work of this room. */
  busy: boolean;
  closed: boolean;
}

/** Thrown when committed rows do not fit together, or not the document's row; the room must be dropped, or not be made. */
export class BrokenDocument extends Error {
  override name = 'BrokenDocument';
}

const hasPending = (doc: Y.Doc): boolean => doc.store.pendingStructs !== null || doc.store.pendingDs !== null;

/** Makes a room from what the log holds. Throws `BrokenDocument` where that is not a whole document: nobody may write on top of it. */
export function makeRoom(name: DocumentName, loaded: LoadedDocument): Room {
  const room: Room = {
    name,
    id: formatDocumentId(name),
    doc: new Y.Doc(),
    conversation: loaded.conversation,
    state: { ...loaded.document, position: 0 },
    members: byUser(loaded.members),
    claims: new Map(),
    watchers: new Set(),
    queue: makeWorkQueue(),
    failures: 0,
    busy: false,
    closed: false,
  };
  try {
    advance(room, loaded.rows, loaded.claims, loaded.document);
  } catch (error) {
    throw error instanceof BrokenDocument ? error : new BrokenDocument(`${room.id}: ${String(error)}`);
  }
  const broken = contradiction(room, loaded);
  if (broken) throw new BrokenDocument(`${room.id}: ${broken}`);
  return room;
}

/** What of the document's row its updates do not show, in words: rows were lost, or changed by somebody else. */
function contradiction({ doc, name }: Room, { document, rows }: LoadedDocument): string | null {
  const last = rows.at(-1)?.position ?? 0;
  if (last !== document.position) return `the last row is ${last}, not ${document.position}`;
  const clock = Y.getState(doc.store, document.logClient);
  if (clock !== document.logClock) return `the log's clock is ${clock}, not ${document.logClock}`;
  const { length } = doc.getArray(LOG);
  return name.kind === 'segment' && length !== document.messages ? `the log holds ${length} messages, not ${document.messages}` : null;
}

/** Why a person may not watch the room now: they are no member, or may not read what came before they joined. Null: they may. */
export function refusalOf({ name, members, state }: Room, userId: Uuid): CloseName | null {
  const member = members.get(userId);
  if (!member) return 'notMember';
  return name.kind === 'segment' && state.firstSeq <= (member.from ?? 0) ? 'notFound' : null;
}

/** Takes a conversation's members as they stand; who watches and may not any more is let go. */
export function takeMembers(room: Room, members: readonly Member[]): void {
  room.members = byUser(members);
  for (const watcher of [...room.watchers]) {
    const refusal = refusalOf(room, watcher.userId);
    if (refusal) watcher.end(refusal);
  }
}

const byUser = (members: readonly Member[]): Map<Uuid, Member> => new Map(members.map((member) => [member.userId, member]));

/**
 * Takes committed rows that the room lacks, in order, and sends them to everybody (L3, L7); rows that it has are skipped. `state` is the
 * document's row as of the last of them. Throws `BrokenDocument` when something stays pending.
 */
export function advance(room: Room, rows: readonly UpdateRow[], claims: readonly Claim[], state: DocumentState): void {
  for (const { client, userId } of claims) room.claims.set(client, userId);
  for (const { position, update } of rows) {
    if (position <= room.state.position) continue;
    Y.applyUpdate(room.doc, update);
    if (hasPending(room.doc)) throw new BrokenDocument(`${room.id}: row ${position} leaves something pending`);
    room.state = { ...room.state, position };
    if (room.watchers.size === 0) continue;
    const message = encodeUpdate(update);
    for (const watcher of room.watchers) watcher.sendLive(message, update);
  }
  if (state.position >= room.state.position) room.state = state;
}

/** The server's sync step 1: what committed state this room holds (L11). */
export const encodeRoomStep1 = (room: Room): Uint8Array => encodeStep1(Y.encodeStateVector(room.doc));
