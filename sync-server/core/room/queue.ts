import type { Uuid } from '../../../shared/ids.ts';
import { LIMITS } from '../../../shared/limits.ts';
import type { Work } from './work.ts';

/** What of a batch is left: its work is judged in one go, so that its size is the time for which a node does nothing else. */
export interface Budget {
  works: number;
  bytes: number;
}

/** Work of one room in order of arrival (L1). It is bounded as a whole and for each person, so that nobody fills it alone. */
export interface WorkQueue {
  readonly length: number;
  /** Whether so many bytes of this person's could be added now. */
  hasRoomFor(userId: Uuid, bytes: number): boolean;
  /** Adds work at the end; false: there is no room for it. */
  add(work: Work): boolean;
  /** Takes the first of it while the budget lasts, and counts it off: the last one may go beyond the bytes. */
  take(most: number, budget: Budget): Work[];
  takeAll(): Work[];
  /** Puts what was taken back to the front, whatever waits. */
  putBack(works: readonly Work[]): void;
}

const writerOf = (work: Work): Uuid => (work.kind === 'frame' ? work.from.userId : work.writer);
const sizeOf = (work: Work): number => (work.kind === 'frame' ? work.update.byteLength : work.value[0].length);

/** What waits in all rooms of a node. */
export interface Load {
  works: number;
  bytes: number;
}

/** `node` is counted in as well, so that very many rooms together wait within bounds. */
export function makeWorkQueue(node: Load = { works: 0, bytes: 0 }): WorkQueue {
  const works: Work[] = [];
  const all = { works: 0, bytes: 0 };
  const shares = new Map<Uuid, { works: number; bytes: number }>();

  function count(work: Work, sign: 1 | -1): void {
    const writer = writerOf(work);
    const share = shares.get(writer) ?? { works: 0, bytes: 0 };
    for (const each of [all, share, node]) {
      each.works += sign;
      each.bytes += sign * sizeOf(work);
    }
    if (share.works > 0) shares.set(writer, share);
    else shares.delete(writer);
  }

  const queue: WorkQueue = {
    get length() {
      return works.length;
    },
    hasRoomFor(userId, bytes) {
      const share = shares.get(userId) ?? { works: 0, bytes: 0 };
      return (
        node.works < LIMITS.nodeQueueWorks &&
        node.bytes + bytes <= LIMITS.nodeQueueBytes &&
        all.works < LIMITS.queueWorks &&
        all.bytes + bytes <= LIMITS.queueBytes &&
        share.works < LIMITS.queueWorks / LIMITS.queueShares &&
        share.bytes + bytes <= LIMITS.queueBytes / LIMITS.queueShares
      );
    },
    add(work) {
      if (!queue.hasRoomFor(writerOf(work), sizeOf(work))) return false;
      works.push(work);
      count(work, 1);
      return true;
    },
    take(most, budget) {
      let taken = 0;
      for (; taken < Math.min(most, works.length) && budget.works > 0 && budget.bytes > 0; taken++) {
        budget.works--;
        budget.bytes -= sizeOf(works[taken]!);
      }
      const first = works.splice(0, taken);
      for (const work of first) count(work, -1);
      return first;
    },
    takeAll: () => queue.take(Infinity, { works: Infinity, bytes: Infinity }),
    putBack(taken) {
      works.unshift(...taken);
      for (const work of taken) count(work, 1);
    },
  };
  return queue;
}
