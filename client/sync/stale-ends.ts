import type { Clock } from '../../shared/clock.ts';
import { CLOSE } from '../../shared/close-codes.ts';
import type { SegmentReplica } from './segment-replica.ts';

interface Options {
  clock: Clock;
  segments: ReadonlyMap<number, SegmentReplica>;
  /** Whether this person is let into the conversation. */
  isIn: () => boolean;
  /** Opens a segment anew. */
  reopen: (n: number) => void;
  onChange: () => void;
}

/** By then every node has heard of a removal, and has ended the root as well. */
const AGAIN_MS = 5_000;

/**
 * Segments that were closed to somebody as no member, though they are one: rights were looked at between their leaving and their coming back,
 * and the root knows nothing of it. They are opened again.
 */
export function watchStaleEnds({ clock, segments, isIn, reopen, onChange }: Options): { look: () => void; close: () => void } {
  let cancel: (() => void) | null = null;
  function stale(): number[] {
    if (!isIn()) return [];
    return [...segments.values()].flatMap((segment) => {
      const status = segment.status();
      return status.kind === 'ended' && status.code === CLOSE.notMember.code ? [segment.n] : [];
    });
  }
  return {
    look() {
      if (cancel || stale().length === 0) return;
      cancel = clock.after(AGAIN_MS, () => {
        cancel = null;
        for (const n of stale()) reopen(n);
        onChange();
      });
    },
    close: () => cancel?.(),
  };
}
