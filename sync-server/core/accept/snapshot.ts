import { type LaneEntry, readLaneKey } from '../../../shared/segment.ts';
import type { SnapshotChange } from '../ports.ts';
import type { BatchInput } from './input.ts';
import type { Decided, Judge } from './judge.ts';
import type { Entry, Overlay, Slot } from './overlay.ts';

/** This batch's entry that stands last in a key; none where the batch changed nothing that shows. */
const newest = ({ entries, last }: Slot): Entry | undefined => entries.findLast((entry) => entry === last);

/** What an entry shows after the batch; null for a tombstone. */
const shown = (entry: Entry | undefined): LaneEntry | null => (entry && !entry.deleted ? entry.meaning : null);

/**
 * What a batch changes in the message tables: one change for each key, its newest value, as the document shows it after the update. A
 * message that is gone again before it was stored comes without its text. Messages come first, deletions last.
 */
export function snapshotOf(input: BatchInput, overlay: Overlay, decided: Decided, judge: Judge): SnapshotChange[] {
  const { state, now } = input;
  const messages: SnapshotChange[] = [];
  const edits: SnapshotChange[] = [];
  const deletions: SnapshotChange[] = [];

  for (const [id, slot] of decided.logged) {
    const entry = shown(newest(slot));
    const [body, replyTo, editedAt, extras = null] = entry?.kind === 'message' ? entry.value : (['', null, null] as const);
    const seq = state.firstSeq + state.messages + messages.length;
    messages.push({ kind: 'message', id, seq, n: state.n, senderId: slot.lane.owner, body, replyTo, extras, acceptedAt: now, editedAt });
  }
  for (const lane of overlay.lanes()) {
    for (const slot of lane.slots.values()) {
      if (slot.diedBy !== null) deletions.push({ kind: 'deletion', id: slot.key, deletedAt: now, by: slot.diedBy });
      const changed = newest(slot);
      if (!changed) continue;
      const entry = shown(changed);
      if (entry?.kind === 'message' && !decided.logged.has(entry.id)) {
        const [body, replyTo, editedAt, extras = null] = entry.value;
        edits.push({ kind: 'edit', id: entry.id, body, replyTo, extras, editedAt });
      }
      const target = changed.meaning ?? readLaneKey(slot.key);
      if (target?.kind === 'reactions' && judge.isAlive(target.id))
        edits.push({ kind: 'reactions', id: target.id, userId: lane.owner, emoji: entry?.kind === 'reactions' ? entry.emoji : [] });
    }
  }
  return [...messages, ...edits, ...deletions];
}
