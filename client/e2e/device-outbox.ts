/** What the device holds of what waits, whatever the app says: ids of entries, and the texts of messages. */
export interface DeviceEntry {
  id: string;
  text: string | null;
}

/** Runs in the page. Rejects when the storage is cleared meanwhile. */
export async function readOutbox(): Promise<DeviceEntry[]> {
  const names = (await indexedDB.databases()).map(({ name }) => name ?? '');
  const name = names.find((each) => /^homing\/[0-9a-f-]{36}$/.test(each));
  if (!name) return [];
  const opening = indexedDB.open(name);
  // One that has gone is made by nobody but the app.
  opening.addEventListener('upgradeneeded', () => opening.transaction?.abort());
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    opening.addEventListener('success', () => resolve(opening.result));
    opening.addEventListener('error', () => reject(opening.error!));
  });
  const transaction = database.transaction('outbox');
  const reading = transaction.objectStore('outbox').getAll() as IDBRequest<{ id: string; value?: [string] }[]>;
  await new Promise((resolve, reject) => {
    transaction.addEventListener('complete', resolve);
    transaction.addEventListener('abort', () => reject(transaction.error ?? new Error('The reading was undone.')));
  });
  database.close();
  return reading.result.map(({ id, value }) => ({ id, text: value?.[0] ?? null }));
}
