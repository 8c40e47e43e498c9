import * as Y from 'yjs';
import type { Uuid } from '../../../shared/ids.ts';
import { type LaneEntry, laneName } from '../../../shared/segment.ts';
import { type Id, type Plain, type RootType, lastOfKey, storedAt, valueOf } from './stored.ts';
import { type Run, becomesLast, endsWith } from './winner.ts';

/** One person's lane: its type in the live document, and the keys that this batch looked at. */
export interface Lane {
  owner: Uuid;
  type: RootType;
  slots: Map<string, Slot>;
}

/** `alive`: in the log and readable. `dead`: deleted or removed. `unlogged`: no message so far. */
export type Fate = 'alive' | 'dead' | 'unlogged';

/** One key of a lane: what the live document holds, and what this batch adds. */
export interface Slot {
  lane: Lane;
  key: string;
  /** The last item in the live document: its value, or a tombstone. */
  stored: Y.Item | null;
  /** The last item with this batch. */
  last: Stretch | null;
  /** This batch's items, in order of acceptance. */
  entries: Entry[];
  /** Of a message's key; null until somebody asks. */
  fate: Fate | null;
  /** Who deleted or removed the message in this batch. */
  diedBy: Uuid | null;
}

/** A run in a lane. A deleted one has no value. */
export interface Stretch extends Run {
  deleted: boolean;
  value: Plain;
  key: string;
}

/** An accepted struct of this batch. `meaning` null: a tombstone that the writer sent, or an entry of a private document. */
export interface Entry extends Stretch {
  slot: Slot;
  meaning: LaneEntry | null;
}

const stretchOf = (item: Y.Item, key: string): Stretch => ({
  client: item.id.client,
  clock: item.id.clock,
  length: item.length,
  origin: item.origin,
  deleted: item.deleted,
  value: valueOf(item),
  key,
});

function covering(entries: readonly Entry[] | undefined, clock: number): Entry | null {
  let low = 0;
  let high = (entries?.length ?? 0) - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const entry = entries![middle]!;
    if (clock < entry.clock) high = middle - 1;
    else if (clock >= entry.clock + entry.length) low = middle + 1;
    else return entry;
  }
  return null;
}

/** Items that Yjs passes, at most, when it integrates an entry beside others instead of after them. */
function breadth(slot: Slot): number {
  let items = slot.entries.length;
  for (let item = slot.stored; item !== null; item = item.left) items++;
  return items;
}

/** The live document plus what this batch has accepted (L4). The document is only read. */
export interface Overlay {
  doc: Y.Doc;
  /** This batch's structs by client id, in order of clock. */
  accepted: ReadonlyMap<number, readonly Entry[]>;
  lane(owner: Uuid): Lane;
  /** Lanes that this batch looked at. */
  lanes(): Iterable<Lane>;
  slot(lane: Lane, key: string): Slot;
  /** The next clock of a client id. */
  clock(client: number): number;
  /** What covers a clock: a stretch of this lane, `elsewhere`, or null for what is not there yet. */
  find(lane: Lane, id: Id): Stretch | 'elsewhere' | null;
  /** Adds a struct; answers how many items Yjs will have to pass for it. */
  place(entry: Entry): number;
  /** The slots that changed since `keep`, each as often as it did, with what stood last before. */
  changes(): readonly { slot: Slot; before: Stretch | null }[];
  /** Takes back everything since the last `keep` (A9). */
  undo(): void;
  keep(): void;
}

export function makeOverlay(doc: Y.Doc): Overlay {
  const lanes = new Map<Uuid, Lane>();
  const accepted = new Map<number, Entry[]>();
  let journal: { slot: Slot; before: Stretch | null; client: number }[] = [];

  function find(lane: Lane, id: Id): Stretch | 'elsewhere' | null {
    const item = storedAt(doc, id);
    if (item instanceof Y.Item) return item.parentSub !== null && item.parent === lane.type ? stretchOf(item, item.parentSub) : 'elsewhere';
    if (item !== null) return 'elsewhere';
    const entry = covering(accepted.get(id.client), id.clock);
    return entry && (entry.slot.lane === lane ? entry : 'elsewhere');
  }

  function findHere(lane: Lane, id: Id): Stretch {
    const stretch = find(lane, id);
    if (stretch === null || stretch === 'elsewhere') throw new Error('an origin left its lane');
    return stretch;
  }

  return {
    doc,
    accepted,
    find,
    lane(owner) {
      const known = lanes.get(owner);
      if (known) return known;
      const lane = { owner, type: doc.share.get(laneName(owner)), slots: new Map<string, Slot>() };
      lanes.set(owner, lane);
      return lane;
    },
    lanes: () => lanes.values(),
    slot(lane, key) {
      const known = lane.slots.get(key);
      if (known) return known;
      const stored = lastOfKey(lane.type, key);
      const slot = { lane, key, stored, last: stored && stretchOf(stored, key), entries: [], fate: null, diedBy: null };
      lane.slots.set(key, slot);
      return slot;
    },
    clock(client) {
      const last = accepted.get(client)?.at(-1);
      return last ? last.clock + last.length : Y.getState(doc.store, client);
    },
    place(entry) {
      const { slot, client, origin } = entry;
      const appended = slot.last === null || endsWith(slot.last, origin);
      const cost = appended ? 0 : breadth(slot);
      journal.push({ slot, before: slot.last, client });
      if (appended || becomesLast(slot.last, client, origin, (id) => findHere(slot.lane, id))) slot.last = entry;
      slot.entries.push(entry);
      const entries = accepted.get(client);
      if (entries) entries.push(entry);
      else accepted.set(client, [entry]);
      return cost;
    },
    changes: () => journal,
    undo() {
      for (const { slot, before, client } of journal.toReversed()) {
        slot.last = before;
        slot.entries.pop();
        const entries = accepted.get(client)!;
        entries.pop();
        if (entries.length === 0) accepted.delete(client);
      }
      journal = [];
    },
    keep() {
      journal = [];
    },
  };
}
