import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { Uuid } from '../../../shared/ids.ts';
import type { Changes, Entry } from '../outbox/entry.ts';
import { type OutboxStore, pick } from '../outbox/outbox-store.ts';

interface Schema extends DBSchema {
  outbox: { key: string; value: Entry };
  /** Small things by name: the list, drafts, generations of replicas. A cache but for the drafts. */
  values: { key: string; value: unknown };
}

/** This account's own database on this device. Every call rejects when the database cannot be used now. */
export interface DeviceDatabase {
  outbox: OutboxStore;
  read: (name: string) => Promise<unknown>;
  /** All values whose name begins so, by the rest of the name. */
  readAll: (prefix: string) => Promise<Map<string, unknown>>;
  /** `null` takes the value away. */
  write: (name: string, value: unknown) => Promise<void>;
  close: () => void;
}

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
export function openDeviceDatabase(account: Uuid): DeviceDatabase {
  let opening: Promise<IDBPDatabase<Schema>> | null = null;
  let closed = false;

  function open(): Promise<IDBPDatabase<Schema>> {
    if (closed) return Promise.reject(new Error('the database is closed'));
    opening ??= new Promise<IDBPDatabase<Schema>>((resolve, reject) => {
      openDB<Schema>(databaseName(account), 1, {
        upgrade(db) {
          db.createObjectStore('outbox', { keyPath: 'id' });
          db.createObjectStore('values');
        },
        blocked: () => reject(new Error('another tab holds an older database')),
        blocking: (_current, _blocked, event) => {
          opening = null;
          (event.target as IDBDatabase).close();
        },
        terminated: () => void (opening = null),
      }).then(resolve, reject);
    }).catch((error: unknown) => {
      opening = null;
      throw error;
    });
    return opening;
  }

  return {
    outbox: {
      load: async () => (await open()).getAll('outbox'),
      async change(ids, decide) {
        const transaction = (await open()).transaction('outbox', 'readwrite', { durability: 'strict' });
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
      },
    },
    read: async (name) => (await open()).get('values', name),
    async readAll(prefix) {
      const { store } = (await open()).transaction('values');
      const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
      const [names, values] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
      return new Map(names.map((name, i) => [name.slice(prefix.length), values[i]]));
    },
    async write(name, value) {
      const db = await open();
      await (value === null ? db.delete('values', name) : db.put('values', value, name));
    },
    close() {
      closed = true;
      void opening?.then((db) => db.close()).catch(() => {});
    },
  };
}
