import * as Y from 'yjs';
import type { Uuid } from '../../../shared/ids.ts';
import type { Room } from '../room/room.ts';

/**
 * Whether somebody's replica holds more of what others wrote, or the server, than the room does (A2). They have it from a server that had
 * committed it: the room is behind, or the database went back to a backup. Client ids that the room does not know may be their own.
 */
export function isAhead(
  { doc, state, claims }: Pick<Room, 'doc' | 'state' | 'claims'>,
  userId: Uuid,
  held: ReadonlyMap<number, number>,
): boolean {
  for (const [client, clock] of held) {
    if (claims.get(client) === userId) continue;
    const isKnown = client === state.logClient || doc.store.clients.has(client);
    if (isKnown && clock > Y.getState(doc.store, client)) return true;
  }
  return false;
}
