import * as Y from 'yjs';
import type { Uuid } from '../../../shared/ids.ts';
import { type LaneEntry, laneName } from '../../../shared/segment.ts';
import { type Id, type Plain, type RootType, lastOfKey, storedAt, valueOf } from './stored.ts';
import { type Run, becomesLast, endsWith } from './winner.ts';

/** One person's lane: its type in the live document, and the keys that this batch looked at. */
export interface Lane {
  owner: Uuid;
  /** Name of its root type. */
  name: string;
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
  /** Something may have its end as origin. */
  isFollowed: boolean;
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
  isFollowed: true,
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

/** Items that Yjs passes, at most, when it integrates an entry beside others: all of the key, each of the batch's with what it split. */
function breadth(slot: Slot): number {
  let items = 2 * slot.entries.length;
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
  /** How many structs a client id has. */
  structs(client: number): number;
  /** What covers a clock: a stretch of this lane, `elsewhere`, or null for what is not there yet. */
  find(lane: Lane, id: Id): Stretch | 'elsewhere' | null;
  /** Adds a struct after what its origin names; answers how many items Yjs will have to pass for it. */
  place(entry: Entry, left: Stretch | null): number;
  /** The slots that changed since `keep`, each as often as it did, with what stood last before. */
  changes(): readonly { slot: Slot; before: Stretch | null }[];
  /** Takes back everything since the last `keep` (A9). */
  undo(): void;
  keep(): void;
}

export function makeOverlay(doc: Y.Doc): Overlay {
  const lanes = new Map<Uuid, Lane>();
  const accepted = new Map<number, Entry[]>();
  let journal: { slot: Slot; before: Stretch | null; client: number; freed: Stretch | null }[] = [];

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
      const name = laneName(owner);
      const lane = { owner, name, type: doc.share.get(name), slots: new Map<string, Slot>() };
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
    structs: (client) => (doc.store.clients.get(client)?.length ?? 0) + (accepted.get(client)?.length ?? 0),
    place(entry, left) {
      const { slot, client, origin } = entry;
      const isAppended = slot.last === null || endsWith(slot.last, origin);
      // The first after the end of another comes right behind it: nothing is passed, and what was last stays so.
      const isFirst = !isAppended && left !== null && !left.isFollowed && endsWith(left, origin);
      const cost = isAppended || isFirst ? 0 : breadth(slot);
      const freed = left?.isFollowed === false && endsWith(left, origin) ? left : null;
      journal.push({ slot, before: slot.last, client, freed });
      if (freed) freed.isFollowed = true;
      if (isAppended || (!isFirst && becomesLast(slot.last, client, origin, (id) => findHere(slot.lane, id)))) slot.last = entry;
      slot.entries.push(entry);
      const entries = accepted.get(client);
      if (entries) entries.push(entry);
      else accepted.set(client, [entry]);
      return cost;
    },
    changes: () => journal,
    undo() {
      for (const { slot, before, client, freed } of journal.toReversed()) {
        if (freed) freed.isFollowed = false;
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
