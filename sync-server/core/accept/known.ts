import { equalityDeep } from 'lib0/function';
import * as Y from 'yjs';
import type { DecodedUpdate, Span, Struct } from './decode.ts';
import type { Entry, Lane, Overlay, Stretch } from './overlay.ts';
import type { Id } from './stored.ts';

const sameId = (a: Id | null, b: Id | null): boolean => (a && b ? a.client === b.client && a.clock === b.clock : a === b);

/** Whether a value that came again says what a living stretch says: same place, same content. */
function repeats(struct: Struct, stretch: Stretch, lane: Lane): boolean {
  if (!sameId(struct.origin, stretch.origin)) return false;
  if (struct.origin === null && (struct.key !== stretch.key || struct.root !== lane.name)) return false;
  return equalityDeep(struct.value, stretch.value);
}

/**
 * Whether a struct's clocks below `end` equal what the server holds (A3). A tombstone on either side is equal: one side has forgotten
 * the content. A value is one clock long, so only a tombstone can be partly known.
 */
export function isKnown(overlay: Overlay, lane: Lane, struct: Struct): boolean {
  if (struct.kind === 'tombstone') return true;
  const stretch = overlay.find(lane, struct);
  return stretch !== null && stretch !== 'elsewhere' && (stretch.deleted || repeats(struct, stretch, lane));
}

/** Index of the first entry at or after a clock; they stand in order. */
function firstFrom(entries: readonly Entry[], clock: number): number {
  let low = 0;
  for (let high = entries.length; low < high;) {
    const middle = (low + high) >> 1;
    if (entries[middle]!.clock < clock) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isShown(overlay: Overlay, lane: Lane, item: Stretch): boolean {
  const { last } = overlay.slot(lane, item.key);
  return last !== null && !last.deleted && sameId(last, item);
}

/** Whether these clocks of the live document hold a value of the lane that is still shown. `spans` in order: one pass over both. */
function storedShown(overlay: Overlay, lane: Lane, client: number, spans: readonly Span[]): boolean {
  const structs = overlay.doc.store.clients.get(client) ?? [];
  const end = Y.getState(overlay.doc.store, client);
  let i = 0;
  for (const { from, to } of spans) {
    if (from >= end) return false;
    if (i < structs.length && structs[i]!.id.clock < from) i = Math.max(i, Y.findIndexSS(structs, from));
    for (; i < structs.length && structs[i]!.id.clock < to; i++) {
      const item = structs[i]!;
      if (item.deleted) continue;
      const stretch = overlay.find(lane, item.id);
      if (stretch !== null && stretch !== 'elsewhere' && isShown(overlay, lane, stretch)) return true;
    }
  }
  return false;
}

/** The same of what this batch has accepted. */
function acceptedShown(overlay: Overlay, lane: Lane, client: number, spans: readonly Span[]): boolean {
  const entries = overlay.accepted.get(client);
  if (!entries) return false;
  for (const { from, to } of spans) {
    for (let i = firstFrom(entries, from); i < entries.length && entries[i]!.clock < to; i++) {
      const entry = entries[i]!;
      if (!entry.deleted && entry.slot.lane === lane && isShown(overlay, lane, entry)) return true;
    }
  }
  return false;
}

/**
 * Whether an update deletes a value of the writer's own lane and puts nothing in its place (A7): by its delete set, or by a tombstone
 * that ends up as the last item of its key. To be asked when the update's structs are placed.
 */
export function deletesOwn(overlay: Overlay, lane: Lane, update: DecodedUpdate, isOwn: (client: number) => boolean): boolean {
  for (const { slot, before } of overlay.changes()) if (before && !before.deleted && slot.last?.deleted) return true;
  for (const [client, spans] of update.deletes) {
    if (!isOwn(client)) continue;
    if (storedShown(overlay, lane, client, spans) || acceptedShown(overlay, lane, client, spans)) return true;
  }
  return false;
}
