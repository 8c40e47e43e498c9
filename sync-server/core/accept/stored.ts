import type { writeAny } from 'lib0/encoding';
import * as Y from 'yjs';

/** The name of one clock of one client. */
export interface Id {
  readonly client: number;
  readonly clock: number;
}

/** What can stand as a value in a document. */
export type Plain = Parameters<typeof writeAny>[1];

/** A root type of a document, or none of that name. */
export type RootType = ReturnType<Y.Doc['share']['get']>;

/** The stored item that covers a clock; null where the document does not reach. */
export function storedAt(doc: Y.Doc, id: Id): Y.Item | Y.GC | null {
  const structs = doc.store.clients.get(id.client);
  if (!structs || id.clock >= Y.getState(doc.store, id.client)) return null;
  return structs[Y.findIndexSS(structs, id.clock)] ?? null;
}

/** The last item of a map's key, living or a tombstone: Yjs keeps it there, and the ones before it to its left. */
export const lastOfKey = (type: RootType, key: string): Y.Item | null => type?.['_map'].get(key) ?? null;

/** The last item of every key. */
export const itemsByKey = (type: RootType): Iterable<[key: string, item: Y.Item]> => type?.['_map'] ?? [];

/** The living items of an array, in order. */
export const itemsOf = (type: RootType): Y.Item[] => (type ? Y.getTypeChildren(type).filter((item) => !item.deleted) : []);

/** The one value of a living item of a map; undefined for a tombstone. */
export const valueOf = (item: Y.Item): Plain => (!item.deleted && item.content instanceof Y.ContentAny ? item.content.arr[0] : undefined);
