import type { Uuid } from '../../../shared/ids.ts';
import type { Want } from '../ports.ts';
import type { Job } from './judge.ts';
import type { Room } from './room.ts';

/** Rooms with the work that goes into one transaction. */
export type Batch = Map<Room, Job[]>;

/** A batch's rooms by the conversation whose lock they need. */
export function byConversation(batch: Batch): Map<Uuid, Batch> {
  const grouped = new Map<Uuid, Batch>();
  for (const [room, jobs] of batch) {
    const { conversationId } = room.name;
    const group = grouped.get(conversationId) ?? new Map<Room, Job[]>();
    grouped.set(conversationId, group.set(room, jobs));
  }
  return grouped;
}

/** What a batch has to know under the lock; with roots where a segment fills up (D4). */
export function wantsOf(batch: Batch, withRoots: boolean): Want[] {
  return [...byConversation(batch)].map(([conversationId, group]) => {
    const documents = [...group.keys()].map(({ name, state }) => ({ n: name.n, position: state.position }));
    const root = withRoots ? [{ n: 0, position: 0 }] : [];
    const versions = new Set([...group.keys()].map(({ conversation }) => conversation.membersVersion));
    const [version] = versions;
    return {
      conversationId,
      documents: [...documents.filter(({ n }) => !withRoots || n !== 0), ...root],
      messageIds: [...group.values()].flatMap((jobs) =>
        jobs.flatMap((job) => (job.kind === 'post' ? [job.work.id] : [...job.update.messageIds])),
      ),
      membersVersion: versions.size === 1 && version !== undefined ? version : -1,
    };
  });
}
