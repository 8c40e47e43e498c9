import * as Y from 'yjs';
import type { RandomBytes } from '../../../shared/clock.ts';
import { openSegment } from '../../../shared/conversation.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { createSegment, laneName } from '../../../shared/segment.ts';
import { createPrivate, nameNext } from '../../../shared/user-document.ts';
import type { DocumentState, DocumentWrite, UpdateRow } from '../ports.ts';
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

/**
 * The write that opens a person's next private document with the living values of the full one (D8), and what the full one says of it, as an
 * update of its own. `after` is the full one with all that this batch writes to it, at `state`; it is written to.
 */
export function carryOver(
  owner: Uuid,
  after: Y.Doc,
  state: DocumentState,
  random: RandomBytes,
): { open: number; segment: DocumentWrite; word: Uint8Array } {
  const open = state.n + 1;
  const segment = writeAsServer(freshState(open, 0, random), [], (doc) => {
    createPrivate(doc, open);
    const lane = doc.getMap(laneName(owner));
    after.getMap(laneName(owner)).forEach((value, key) => void lane.set(key, value));
  });
  after.clientID = state.logClient;
  const words: Uint8Array[] = [];
  after.on('update', (update: Uint8Array) => words.push(update));
  nameNext(after, open);
  return { open, segment, word: Y.mergeUpdates(words) };
}
