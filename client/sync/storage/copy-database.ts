import * as idb from 'lib0/indexeddb';

/** Whether the database of a copy can be opened at all: y-indexeddb's own opening fails where nobody can hear it. */
export async function isUsable(name: string): Promise<void> {
  (await idb.openDB(name, (db) => idb.createStores(db, [['updates', { autoIncrement: true }], ['custom']]))).close();
}

/** Resolves when it is on the device: a request that succeeded may be undone by the end of its transaction. */
export function addUpdate(updates: IDBObjectStore, update: Uint8Array): Promise<void> {
  // lib0's types know no byte arrays, IndexedDB does.
  idb.addAutoKey(updates, update as unknown as ArrayBuffer).catch(() => {});
  const { transaction } = updates;
  return new Promise((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve());
    transaction.addEventListener('abort', () => reject(transaction.error ?? new Error('the transaction was aborted')));
  });
}
