import type { MessageId, Uuid } from '../../shared/ids.ts';
import type { Pending } from './pending.ts';
import type { SegmentReplica } from './segment-replica.ts';

/** At most so much of one document is unacknowledged: a reconnect sends it all in one frame, and that has a limit (W6). */
const UNDECIDED_MESSAGES = 64;
const UNDECIDED_UNITS = 8_192;

interface Options {
  id: Uuid;
  pending: Pending;
  segments: ReadonlyMap<number, SegmentReplica>;
  /** The segment that takes new messages, when root and segment are live. */
  open: SegmentReplica | null;
  /** The newest segment that told `closed` to a message. */
  closedTo: ReadonlyMap<MessageId, number>;
}

/**
 * Moves what waits into the open segment, in the order written and each once: what is in a log leaves `pending`; what a segment has not
 * decided stays with it; what a closed segment did not take is set again in the next one.
 */
export function moveWaiting({ id, pending, segments, open, closedTo }: Options): void {
  const all = [...segments.values()];
  for (const entry of pending.of(id)) if (all.some((segment) => segment.isLogged(entry.id))) pending.remove(entry.id);
  if (!open) return;

  const waiting = pending.of(id).filter((entry) => entry.state.kind === 'waiting');
  const undecided = waiting.filter((entry) => all.some((segment) => segment.isUndecided(entry.id)));
  let units = undecided.reduce((sum, entry) => sum + entry.value[0].length, 0);
  let count = undecided.length;
  for (const entry of waiting) {
    if (undecided.includes(entry)) continue;
    if (open.n <= (closedTo.get(entry.id) ?? 0)) return;
    units += entry.value[0].length;
    count += 1;
    if (count > 1 && (count > UNDECIDED_MESSAGES || units > UNDECIDED_UNITS)) return;
    open.place(entry.id, entry.value);
  }
}
