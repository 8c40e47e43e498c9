import * as Y from 'yjs';
import type { RandomBytes } from '../../../shared/clock.ts';
import type { DocumentState, DocumentWrite, UpdateRow } from '../ports.ts';

/** A random client id: 32 bits, as Yjs takes them. */
export function makeClientId(random: RandomBytes): number {
  const [a, b, c, d] = random(4);
  return ((a! << 24) | (b! << 16) | (c! << 8) | d!) >>> 0;
}

/** The row of a document that does not exist yet. */
export const freshState = (n: number, firstSeq: number, random: RandomBytes): DocumentState => ({
  n,
  position: 0,
  firstSeq,
  logClient: makeClientId(random),
  logClock: 0,
  messages: 0,
  bytes: 0,
  clients: 0,
  closed: false,
});

/**
 * What the server writes itself into a document, under the document's one server client id: rows are the whole document so far.
 * Throws when the rows and the stored clock disagree: then the state is not the one under the lock.
 */
export function writeAsServer(state: DocumentState, rows: readonly UpdateRow[], write: (doc: Y.Doc) => void): DocumentWrite {
  const doc = new Y.Doc();
  for (const { update } of rows) Y.applyUpdate(doc, update);
  if (Y.getState(doc.store, state.logClient) !== state.logClock) throw new Error(`segment ${state.n}: rows and log clock disagree`);
  doc.clientID = state.logClient;
  const before = Y.encodeStateVector(doc);
  doc.transact(() => write(doc));
  const update = Y.encodeStateAsUpdate(doc, before);
  return {
    state: {
      ...state,
      position: state.position + 1,
      logClock: Y.getState(doc.store, state.logClient),
      bytes: state.bytes + update.byteLength,
    },
    update,
    claims: [],
    fresh: state.position === 0,
    compact: false,
  };
}
