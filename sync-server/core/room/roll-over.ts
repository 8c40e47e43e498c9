import * as Y from 'yjs';
import type { RandomBytes } from '../../../shared/clock.ts';
import { openSegment } from '../../../shared/conversation.ts';
import { createSegment, laneName } from '../../../shared/segment.ts';
import type { ConversationState, DocumentState, DocumentWrite, UpdateRow } from '../ports.ts';
import { freshState, writeAsServer } from './server-write.ts';

/** The segment after this one, `gap` seqs after its last, and what the root says of it. */
export function nextSegment(
  before: DocumentState,
  random: RandomBytes,
  gap = 0,
): { open: number; segment: DocumentWrite; nameIn: (root: Y.Doc) => void } {
  const open = before.n + 1;
  const firstSeq = before.firstSeq + before.messages;
  const from = firstSeq + gap;
  const segment = writeAsServer(freshState(open, from, random), [], (doc) => createSegment(doc, open, from));
  return { open, segment, nameIn: (root) => openSegment(root, open, from) };
}

/** The writes that open the next segment: the segment itself and, in a conversation, the root that names it (D4). */
export function rollOver(
  full: DocumentState,
  root: { state: DocumentState; rows: readonly UpdateRow[] },
  random: RandomBytes,
): { open: number; documents: DocumentWrite[] } {
  const { open, segment, nameIn } = nextSegment(full, random);
  return { open, documents: [segment, writeAsServer(root.state, root.rows, nameIn)] };
}

/** The write that closes a segment for new messages and changes nothing else of it. */
export function closeSegment(state: DocumentState): DocumentWrite {
  const update = Y.encodeStateAsUpdate(new Y.Doc());
  const closed = { ...state, position: state.position + 1, bytes: state.bytes + update.byteLength, closed: true };
  return { state: closed, update, claims: [], fresh: false, compact: true };
}

/** The write that opens a person's next private document with the living values of the full one, given as key and value (D8). */
export function carryOver(
  conversation: ConversationState,
  full: DocumentState,
  living: ReadonlyMap<string, unknown>,
  random: RandomBytes,
): { open: number; documents: DocumentWrite[] } {
  const open = full.n + 1;
  const next = writeAsServer(freshState(open, 0, random), [], (doc) => {
    const lane = doc.getMap(laneName(conversation.id));
    for (const [key, value] of living) lane.set(key, value);
  });
  return { open, documents: [next] };
}
