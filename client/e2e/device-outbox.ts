/** What the device holds of what waits, whatever the app says: ids of entries, and the texts of messages. */
export interface DeviceEntry {
  id: string;
  text: string | null;
}

/** Runs in the page. */
export async function readOutbox(): Promise<DeviceEntry[]> {
  const names = (await indexedDB.databases()).map(({ name }) => name ?? '');
  const name = names.find((each) => /^homing\/[0-9a-f-]{36}$/.test(each));
  if (!name) return [];
  const opening = indexedDB.open(name);
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    opening.addEventListener('success', () => resolve(opening.result));
    opening.addEventListener('error', () => reject(opening.error!));
  });
  const reading = database.transaction('outbox').objectStore('outbox').getAll() as IDBRequest<{ id: string; value?: [string] }[]>;
  await new Promise((resolve) => reading.addEventListener('success', resolve));
  database.close();
  return reading.result.map(({ id, value }) => ({ id, text: value?.[0] ?? null }));
}
