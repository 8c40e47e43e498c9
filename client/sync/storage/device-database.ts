import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { RandomBytes } from '../../../shared/clock.ts';
import { type Uuid, makeUuid } from '../../../shared/ids.ts';
import type { Changes, Entry } from '../outbox/entry.ts';
import { type OutboxStore, pick } from '../outbox/outbox-store.ts';

interface Schema extends DBSchema {
  outbox: { key: string; value: Entry };
  /** Small things by name: the list, drafts, generations of replicas. A cache but for the drafts. */
  values: { key: string; value: unknown };
}

/** `failed`: a value was not written. `closed`: the browser has closed it under us. `cleared`: all that it held is gone, and it is another one now. */
export type DeviceLoss = 'failed' | 'closed' | 'cleared';

/** This account's own database on this device. Every call rejects when the database cannot be used now. */
export interface DeviceDatabase {
  outbox: OutboxStore;
  read: (name: string) => Promise<unknown>;
  /** All values whose name begins so, by the rest of the name. */
  readAll: (prefix: string) => Promise<Map<string, unknown>>;
  /** `null` takes the value away. */
  write: (name: string, value: unknown) => Promise<void>;
  /** No call is answered by a cleared database before its listeners know. */
  onLoss: (listener: (loss: DeviceLoss) => void) => () => void;
  close: () => void;
}

/** By this value a database is known again. */
const LIFE = 'life';

export const databaseName = (account: Uuid): string => `homing/${account}`;

/** One that has failed already cannot be ended again. */
function abort(transaction: { abort: () => void }): void {
  try {
    transaction.abort();
  } catch {
    // It has ended by itself.
  }
}

/** Opens the database of an account; opened again after it was lost. */
export function openDeviceDatabase(account: Uuid, random: RandomBytes): DeviceDatabase {
  const listeners = new Set<(loss: DeviceLoss) => void>();
  let opening: Promise<IDBPDatabase<Schema>> | null = null;
  let life: unknown = null;
  let isKnown = false;
  let closed = false;

  const tell = (loss: DeviceLoss): void => listeners.forEach((listener) => listener(loss));

  function connect(lost: () => void): Promise<IDBPDatabase<Schema>> {
    return new Promise((resolve, reject) => {
      let isGivenUp = false;
      openDB<Schema>(databaseName(account), 1, {
        upgrade(db, _before, _now, transaction) {
          // That it was undone is said by the opening; by these the browser would be told of it as well.
          transaction.done.catch(() => {});
          db.createObjectStore('outbox', { keyPath: 'id' });
          db.createObjectStore('values')
            .put(makeUuid(0, random), LIFE)
            .catch(() => {});
        },
        blocked() {
          isGivenUp = true;
          reject(new Error('another tab holds an older database'));
        },
        blocking: (_current, _blocked, event) => {
          lost();
          (event.target as IDBDatabase).close();
        },
        terminated() {
          lost();
          if (!closed) tell('closed');
        },
      }).then((db) => (isGivenUp ? db.close() : resolve(db)), reject);
    });
  }

  /** What was decided on what the former one held would be undone by one that holds nothing. */
  async function recognise(db: IDBPDatabase<Schema>): Promise<IDBPDatabase<Schema>> {
    const found = await db.get('values', LIFE);
    const isAnother = isKnown && found !== life;
    isKnown = true;
    life = found;
    if (!isAnother) return db;
    db.close();
    tell('cleared');
    throw new Error('the browser has cleared the database');
  }

  function open(): Promise<IDBPDatabase<Schema>> {
    if (closed) return Promise.reject(new Error('the database is closed'));
    if (opening) return opening;
    const lost = (): void => {
      if (opening === mine) opening = null;
    };
    const mine = connect(lost)
      .then(recognise)
      .catch((error: unknown) => {
        lost();
        throw error;
      });
    opening = mine;
    return mine;
  }

  /** One that turns out to be closed is opened again for the next call, also where nobody has told. */
  async function use<T>(run: (db: IDBPDatabase<Schema>) => Promise<T>): Promise<T> {
    const mine = open();
    try {
      return await run(await mine);
    } catch (error) {
      if (opening === mine && error instanceof Error && error.name === 'InvalidStateError') opening = null;
      throw error;
    }
  }

  return {
    outbox: {
      load: () => use((db) => db.getAll('outbox')),
      change: (ids, decide) =>
        use(async (db) => {
          const transaction = db.transaction('outbox', 'readwrite', { durability: 'strict' });
          const { store } = transaction;
          // Both may reject; whoever listens to neither would be told of it by the browser.
          const done = transaction.done.then(
            () => null,
            (error: unknown) => ({ error }),
          );
          const found = new Map<string, Entry>();
          let changes: Changes = new Map();
          try {
            for (const entry of await Promise.all(ids.map((id) => store.get(id)))) if (entry) found.set(entry.id, entry);
            changes = decide(pick(ids, (id) => found.get(id)));
            await Promise.all([...changes].map(async ([id, entry]) => void (await (entry ? store.put(entry) : store.delete(id)))));
          } catch (error) {
            // What cannot be stored is refused without ending the transaction: the rest of it would be written.
            abort(transaction);
            throw error;
          }
          const failed = await done;
          if (failed) throw failed.error;
          for (const [id, entry] of changes) {
            if (entry) found.set(id, entry);
            else found.delete(id);
          }
          return new Map(ids.map((id) => [id, found.get(id) ?? null]));
        }),
    },
    read: (name) => use((db) => db.get('values', name)),
    readAll: (prefix) =>
      use(async (db) => {
        const { store } = db.transaction('values');
        const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
        const [names, values] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
        return new Map(names.map((name, i) => [name.slice(prefix.length), values[i]]));
      }),
    async write(name, value) {
      try {
        await use<unknown>((db) => (value === null ? db.delete('values', name) : db.put('values', value, name)));
      } catch (error) {
        if (!closed) tell('failed');
        throw error;
      }
    },
    onLoss(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      closed = true;
      listeners.clear();
      void opening?.then((db) => db.close()).catch(() => {});
    },
  };
}
