import * as Y from 'yjs';
import type { UpdateRow } from '../ports.ts';
import { BrokenDocument } from './room.ts';

/**
 * Many update rows as one with the same meaning, by way of a live document, so that deleted text is gone (L13). Throws `BrokenDocument`
 * where they are not a whole one.
 */
export function compact(rows: readonly UpdateRow[]): Uint8Array {
  const doc = new Y.Doc();
  try {
    for (const { update } of rows) Y.applyUpdate(doc, update);
  } catch (error) {
    throw new BrokenDocument('a row is no update', { cause: error });
  }
  if (doc.store.pendingStructs || doc.store.pendingDs) throw new BrokenDocument('the rows leave something pending');
  return Y.encodeStateAsUpdate(doc);
}
