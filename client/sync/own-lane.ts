import * as Y from 'yjs';
import type { Uuid } from '../../shared/ids.ts';
import { laneName } from '../../shared/segment.ts';
import type { StructId } from './outbox/entry.ts';

/** The newest value of a key of the own lane, with the struct that set it. `null`: a tombstone, as what was neutralised leaves. */
export interface OwnValue<T> extends StructId {
  readonly value: T | null;
}

const last = (item: Y.Item): StructId => ({ client: item.id.client, clock: item.id.clock + item.length - 1 });

const isStruct = (item: Y.Item, { client, clock }: StructId): boolean =>
  item.id.client === client && clock >= item.id.clock && clock < item.id.clock + item.length;

/** What a key of a person's lane holds; null: nothing was ever set. */
export function newestOf(doc: Y.Doc, owner: Uuid, key: string): OwnValue<unknown> | null {
  const item = doc.getMap(laneName(owner))._map.get(key);
  return item ? { ...last(item), value: item.deleted ? null : (item.content.getContent().at(-1) as unknown) } : null;
}

/** The struct of this client at or after this clock that set a key, even when others have written over it since. */
export function setBy(doc: Y.Doc, owner: Uuid, key: string, from: StructId): StructId | null {
  for (let item = doc.getMap(laneName(owner))._map.get(key) ?? null; item; item = item.left) {
    const struct = last(item);
    if (struct.client === from.client && struct.clock >= from.clock) return struct;
  }
  return null;
}

/** Under which key of a lane a struct stands, newest values first. */
export function keyOf(doc: Y.Doc, owner: Uuid, struct: StructId): string | null {
  for (const [key, newest] of doc.getMap(laneName(owner))._map)
    for (let item: Y.Item | null = newest; item; item = item.left) if (isStruct(item, struct)) return key;
  return null;
}

/** The next struct that is written here. */
export const nextStruct = (doc: Y.Doc): StructId => ({ client: doc.clientID, clock: Y.getState(doc.store, doc.clientID) });
