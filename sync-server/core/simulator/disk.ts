import 'fake-indexeddb/auto';
import { IDBDatabase, IDBFactory } from 'fake-indexeddb';
import type { Chance } from './chance.ts';
import { type Place, placeNow, runIn } from './place.ts';
import type { Scheduler } from './scheduler.ts';

/** What a browser's disk does to what is written on it. `aborting`: at random, as a full or failing one does. */
export type DiskHealth = 'well' | 'aborting';

/** The IndexedDB of one browser profile. Its work goes on in steps that the seed picks, in order. */
export interface Disk {
  readonly factory: IDBFactory;
  health: DiskHealth;
  /** Does some work later. */
  later(place: Place, work: () => void): void;
  opened(database: IDBDatabase, place: Place): void;
  /** A transaction that writes has begun; it may be one that will fail. */
  began(transaction: IDBTransaction, place: Place): void;
  /** What a killed tab has begun and not ended is rolled back. */
  killed(place: Place): void;
}

/** How often a transaction of an aborting disk fails. */
const ABORTS = 0.3;

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It has ended already.
  }
}

export function makeDisk(scheduler: Scheduler, chance: Chance): Disk {
  const work: (() => void)[] = [];
  const open = new Map<IDBDatabase, Place>();
  const underway = new Map<IDBTransaction, Place>();
  const disk: Disk = {
    factory: new IDBFactory(),
    health: 'well',
    later(place, task) {
      work.push(() => runIn(place, task));
      scheduler.soon(() => work.shift()!());
    },
    opened(database, place) {
      if (place.isAlive()) open.set(database, place);
      else database.close();
    },
    began(transaction, place) {
      underway.set(transaction, place);
      for (const end of ['complete', 'abort']) transaction.addEventListener(end, () => underway.delete(transaction));
      if (disk.health === 'aborting' && chance.happens(ABORTS)) scheduler.soon(() => runIn(place, () => abort(transaction)));
    },
    killed(place) {
      for (const [database, of] of open) {
        if (of !== place) continue;
        database.close();
        open.delete(database);
      }
      for (const [transaction, of] of underway) if (of === place) runIn(place, () => abort(transaction));
    },
  };
  return disk;
}

/** The disk of whoever asks; nobody else may. */
function diskNow(): Disk {
  const place = placeNow();
  if (!place) throw new Error('IndexedDB was used outside of a tab');
  if (!place.isAlive()) throw new DOMException('the tab is gone', 'InvalidStateError');
  return place.disk;
}

/**
 * Puts the simulated disks in the place of IndexedDB, for all modules at once: code finds it as a global, or through a library that does.
 * Whatever fake-indexeddb does later, it does by `setImmediate`. The answer takes them away again.
 */
export function installDisks(): () => void {
  const before = { indexedDB: globalThis.indexedDB, setImmediate: globalThis.setImmediate };
  const transaction = IDBDatabase.prototype.transaction;
  const facade = {
    open(name: string, version?: number) {
      const disk = diskNow();
      const place = placeNow()!;
      const request = disk.factory.open(name, version);
      request.addEventListener('success', () => disk.opened(request.result, place));
      return request;
    },
    deleteDatabase: (name: string) => diskNow().factory.deleteDatabase(name),
    databases: () => diskNow().factory.databases(),
    cmp: (a: unknown, b: unknown) => before.indexedDB.cmp(a, b),
  };
  IDBDatabase.prototype.transaction = function begin(this: IDBDatabase, ...args: Parameters<typeof transaction>) {
    const mode = args[1];
    // The library's own, of an opening, belongs to nobody.
    if (mode !== undefined && mode !== 'readonly' && mode !== 'readwrite') return transaction.apply(this, args);
    const disk = diskNow();
    const begun = transaction.apply(this, args);
    if (mode === 'readwrite') disk.began(begun, placeNow()!);
    return begun;
  };
  const setLater = (task: () => void): unknown => {
    const place = placeNow();
    return place ? place.disk.later(place, task) : before.setImmediate(task);
  };
  Object.assign(globalThis, { indexedDB: facade, setImmediate: setLater });
  return () => {
    IDBDatabase.prototype.transaction = transaction;
    Object.assign(globalThis, before);
  };
}
