import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { openDeviceStorage } from '../../../../client/sync/storage/device-storage.ts';
import type { Uuid } from '../../../../shared/ids.ts';
import type { Chance } from '../chance.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Keep } from './keep.ts';
import type { Place } from './place.ts';

const ABORTS = 0.3;
/** Names of databases carry the tab that opens them, which the browser takes off. */
const MARK = /tab(\d+)~/;

interface Opener {
  place: Place;
  factory: () => IDBFactory;
  opened(database: IDBDatabase): void;
}

/** The IndexedDB of all browsers of a world, in the place of the global one: the production storage runs over it, and its tabs can be killed. */
export function makeIndexedDb(scheduler: Scheduler, chance: Chance, reached: Set<string>): (account: Uuid) => Keep {
  const openers: Opener[] = [];

  const openerOf = (name: string): Opener => openers[Number(MARK.exec(name)![1])]!;
  const plain = (name: string): string => name.replace(MARK, '');
  const facade = {
    open(name: string, version?: number): IDBOpenDBRequest {
      const opener = openerOf(name);
      const request = opener.factory().open(plain(name), version);
      request.addEventListener('success', () => opener.opened(request.result));
      return request;
    },
    deleteDatabase: (name: string) => openerOf(name).factory().deleteDatabase(plain(name)),
  };
  Object.assign(globalThis, { indexedDB: facade });

  return (account) => {
    let factory = new IDBFactory();
    const databases = new Map<IDBDatabase, Place>();
    const underway = new Map<IDBTransaction, Place>();

    function began(transaction: IDBTransaction, place: Place): void {
      if (transaction.mode !== 'readwrite') return;
      underway.set(transaction, place);
      for (const end of ['complete', 'abort']) transaction.addEventListener(end, () => underway.delete(transaction));
      if (keep.health !== 'full' && !(keep.health === 'aborting' && chance.happens(ABORTS))) return;
      reached.add('quota hit');
      scheduler.soon(() => place.here(() => abort(transaction)));
    }
    function opened(database: IDBDatabase, place: Place): void {
      if (!place.isAlive()) return database.close();
      databases.set(database, place);
      const begin = database.transaction.bind(database);
      database.transaction = (...asked) => {
        const transaction = begin(...asked);
        began(transaction, place);
        return transaction;
      };
    }
    const keep: Keep = {
      health: 'well',
      openStorage(place, clock, random) {
        const n = openers.push({ place, factory: () => factory, opened: (database) => opened(database, place) }) - 1;
        return openDeviceStorage(`tab${n}~${account}`, clock, random);
      },
      isOnDisk: () => null,
      ended(place) {
        for (const [transaction, of] of underway) if (of === place) abort(transaction);
        for (const [database, of] of databases) {
          if (of !== place) continue;
          database.close();
          databases.delete(database);
        }
      },
      crash: () => {},
      wipe: () => void (factory = new IDBFactory()),
    };
    return keep;
  };
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It has ended already.
  }
}
