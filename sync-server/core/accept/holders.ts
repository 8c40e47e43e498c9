import * as Y from 'yjs';
import { type MessageId, type Uuid, isMessageId } from '../../../shared/ids.ts';
import { laneOwner } from '../../../shared/segment.ts';
import { type RootType, itemsByKey, lastOfKey, valueOf } from './stored.ts';

/** Questions that are answered lane by lane; who asks more is worth an index of all lanes. */
const FEW = 8;

const isLiving = (item: Y.Item | null): boolean => item !== null && !item.deleted && valueOf(item) !== 0;

function* lanesOf(doc: Y.Doc): Generator<[owner: Uuid, lane: RootType]> {
  for (const [name, type] of doc.share) {
    const owner = laneOwner(name);
    if (owner !== null) yield [owner, type];
  }
}

function indexOf(doc: Y.Doc): ReadonlyMap<MessageId, Uuid> {
  const holders = new Map<MessageId, Uuid>();
  for (const [owner, lane] of lanesOf(doc)) {
    for (const [key, item] of itemsByKey(lane)) if (isMessageId(key) && isLiving(item)) holders.set(key, owner);
  }
  return holders;
}

/**
 * Answers in whose lane of a document a message lives, neither deleted nor removed; null: in none. The document must not change meanwhile.
 * However many are asked about, it costs no more than one pass over all lanes.
 */
export function makeHolders(doc: Y.Doc): (id: MessageId) => Uuid | null {
  let asked = 0;
  let index: ReadonlyMap<MessageId, Uuid> | null = null;
  return (id) => {
    if (++asked > FEW) return (index ??= indexOf(doc)).get(id) ?? null;
    for (const [owner, lane] of lanesOf(doc)) if (isLiving(lastOfKey(lane, id))) return owner;
    return null;
  };
}
