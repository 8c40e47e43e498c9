import type { CloseName } from '../../../shared/close-codes.ts';
import type { DocumentName, Uuid } from '../../../shared/ids.ts';
import { type Room, refusalOf } from '../room/room.ts';
import type { Watcher } from '../room/work.ts';
import type { Hold, Rooms } from '../room/rooms.ts';

/**
 * Joins a document's room as one of its members (R2), or says why not. Rights are looked at in the step in which the watcher joins: from
 * then on whatever changes them ends it. A room that does not know the person may only not have heard of them yet, so it reads once more.
 */
export async function joinRoom(rooms: Rooms, name: DocumentName, userId: Uuid, watch: (room: Room) => Watcher): Promise<Hold | CloseName> {
  const enter = (): Promise<Hold | null> => rooms.enter(name, (room) => (refusalOf(room, userId) === null ? watch(room) : null));
  const first = await enter();
  if (!first) return 'notFound';
  if (first.joined) return first;
  try {
    await rooms.refresh(first.room);
    const second = await enter();
    if (second?.joined) return second;
    second?.leave();
    return refusalOf(first.room, userId) ?? 'tryLater';
  } finally {
    first.leave();
  }
}
