import type { Clock } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { laneName, readLaneEntry } from '../../../shared/segment.ts';
import type { ConversationWrite, Locked, Logger, SnapshotChange, UpdateLog } from '../ports.ts';
import { writeAsServer } from '../room/server-write.ts';
import type { Members } from './members.ts';
import type { Departures } from './relations.ts';

/** Segments that are looked for at once. */
const TRACES = 64;

/**
 * Sees to what people whose accounts were deleted leave behind (G5): they leave their groups, their direct conversations take nothing
 * new, and where the operator's policy says so their texts and reactions go, segment by segment, each in one transaction of the log's own.
 * Every step finds what is left to do in the tables, so whichever node goes on, after whatever crash, ends with the same.
 */
export function makeDepartures(deps: { log: UpdateLog; source: Departures; members: Members; clock: Clock; logger: Logger }) {
  const { log, source, members, clock, logger } = deps;
  let running = false;

  /** One that fails does not hold up the others; all of them have to be done in the end. */
  async function each<T>(things: readonly T[], see: (thing: T) => Promise<void>): Promise<void> {
    const failures: unknown[] = [];
    for (const thing of things) await see(thing).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  const leave = async (userId: Uuid): Promise<void> =>
    each(await source.memberships(userId), async ({ conversationId, kind }) => {
      if (kind === 'group') await members.remove(userId, conversationId, userId);
      else await members.touch(conversationId);
    });

  async function erase(userId: Uuid): Promise<void> {
    for (;;) {
      const traces = await source.traces(userId, TRACES);
      if (traces.length === 0) return;
      let erased = 0;
      await each(traces, async ({ conversationId, n }) => void (erased += await eraseFrom(userId, conversationId, n)));
      if (erased === 0) throw new Error('the tables hold what no lane shows');
    }
  }

  /** Deletes what one lane holds, under the server's own delete set, and says so in the tables. */
  async function eraseFrom(userId: Uuid, conversationId: Uuid, n: number): Promise<number> {
    const want = { conversationId, documents: [{ n, position: 0 }], messageIds: [], membersVersion: -1 };
    let erased = 0;
    await log.transact([want], (locked) => {
      const under = locked.get(conversationId);
      const writes = under ? eraseLane(under, n, userId, clock.now()) : [];
      erased = writes.reduce((sum, { snapshot }) => sum + snapshot.length, 0);
      return writes;
    });
    return erased;
  }

  async function depart({ userId, removes }: { userId: Uuid; removes: boolean }): Promise<void> {
    await leave(userId);
    if (removes) await erase(userId);
    await source.finish(userId);
    logger.info({ userId, removes }, 'a deleted account is gone from its conversations');
  }

  return {
    /** Does what is due; one run at a time on a node. */
    async run(): Promise<void> {
      if (running) return;
      running = true;
      try {
        for (const person of await source.due()) {
          await depart(person).catch((error: unknown) =>
            logger.error({ userId: person.userId, error: String(error) }, 'a deleted account could not be seen to'),
          );
        }
      } finally {
        running = false;
      }
    },
  };
}

function eraseLane({ conversation, documents }: Locked, n: number, userId: Uuid, now: number): ConversationWrite[] {
  const document = documents.get(n);
  if (!document) return [];
  const snapshot: SnapshotChange[] = [];
  const written = writeAsServer(document.state, document.rows, (doc) => {
    const lane = doc.getMap(laneName(userId));
    for (const [key, value] of [...lane.entries()]) {
      const entry = readLaneEntry(key, value);
      if (entry?.kind === 'message') snapshot.push({ kind: 'deletion', id: entry.id, deletedAt: now, by: userId });
      if (entry?.kind === 'reactions' && entry.emoji.length > 0) snapshot.push({ kind: 'reactions', id: entry.id, userId, emoji: [] });
      if (entry?.kind === 'message' || entry?.kind === 'reactions') lane.delete(key);
    }
  });
  if (snapshot.length === 0) return [];
  const { id, seq, open } = conversation;
  return [{ conversationId: id, seq, open, documents: [{ ...written, compact: true }], snapshot }];
}
