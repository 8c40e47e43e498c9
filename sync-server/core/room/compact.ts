import * as Y from 'yjs';
import type { UpdateRow } from '../ports.ts';

/** Many update rows as one with the same meaning, by way of a live document, so that deleted text is gone (L13). */
export function compact(rows: readonly UpdateRow[]): Uint8Array {
  const doc = new Y.Doc();
  for (const { update } of rows) Y.applyUpdate(doc, update);
  if (doc.store.pendingStructs || doc.store.pendingDs) throw new Error('the rows leave something pending');
  return Y.encodeStateAsUpdate(doc);
}
