import { type LaneEntry, readLaneEntry, readLaneKey } from '../../../shared/segment.ts';
import type { SnapshotChange } from '../ports.ts';
import type { BatchInput } from './input.ts';
import type { Decided, Judge } from './judge.ts';
import type { Overlay, Slot } from './overlay.ts';

/** What a key shows after the batch; null when its value is a tombstone. */
const shown = ({ key, last }: Slot): LaneEntry | null => (last && !last.deleted ? readLaneEntry(key, last.value) : null);

const changedByBatch = ({ entries, last }: Slot): boolean => entries.some((entry) => entry === last);

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
    const entry = shown(slot);
    const [body, replyTo, editedAt, extras = null] = entry?.kind === 'message' ? entry.value : (['', null, null] as const);
    const seq = state.firstSeq + state.messages + messages.length;
    messages.push({ kind: 'message', id, seq, n: state.n, senderId: slot.lane.owner, body, replyTo, extras, acceptedAt: now, editedAt });
  }
  for (const lane of overlay.lanes()) {
    for (const slot of lane.slots.values()) {
      if (slot.diedBy !== null) deletions.push({ kind: 'deletion', id: slot.key, deletedAt: now, by: slot.diedBy });
      if (!changedByBatch(slot)) continue;
      const entry = shown(slot);
      if (entry?.kind === 'message' && !decided.logged.has(entry.id)) {
        const [body, replyTo, editedAt, extras = null] = entry.value;
        edits.push({ kind: 'edit', id: entry.id, body, replyTo, extras, editedAt });
      }
      const target = readLaneKey(slot.key);
      if (target?.kind === 'reactions' && judge.isAlive(target.id))
        edits.push({ kind: 'reactions', id: target.id, userId: lane.owner, emoji: entry?.kind === 'reactions' ? entry.emoji : [] });
    }
  }
  return [...messages, ...edits, ...deletions];
}
