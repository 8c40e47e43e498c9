import * as Y from 'yjs';
import type { MessageId, Uuid } from '../../../shared/ids.ts';
import { type MessageValue, laneName, readLaneEntry, readLog } from '../../../shared/segment.ts';
import type { StructId } from '../outbox/entry.ts';

/** What became of an own message that was sent, with the struct that says so. `0`: deleted. */
export interface OwnEntry extends StructId {
  readonly messageId: MessageId;
  readonly value: MessageValue | 0;
}

/** A value as a lane may hold it for a message; null for anything else. */
export function readOwnValue(messageId: string, value: unknown): MessageValue | 0 | null {
  const entry = readLaneEntry(messageId, value);
  return entry?.kind === 'message' ? entry.value : entry?.kind === 'deletion' ? 0 : null;
}

/** The own messages of a segment that have a seq, in its order. What was neutralised or removed by others is left out. */
export function readOwnEntries(doc: Y.Doc, me: Uuid): OwnEntry[] {
  const lane = doc.getMap(laneName(me))._map;
  return readLog(doc).flatMap((messageId) => {
    const item = lane.get(messageId);
    if (!item || item.deleted) return [];
    const value = readOwnValue(messageId, item.content.getContent().at(-1));
    return value === null ? [] : [{ messageId, value, client: item.id.client, clock: item.id.clock + item.length - 1 }];
  });
}

/** The document holds this struct. */
export const holds = (doc: Y.Doc, { client, clock }: StructId): boolean => Y.getState(doc.store, client) > clock;
