import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemRandom } from '../../../shared/clock.ts';
import { makeUuid } from '../../../shared/ids.ts';
import type { Entry } from '../outbox/entry.ts';
import { type DeviceDatabase, type DeviceLoss, databaseName, openDeviceDatabase } from './device-database.ts';
import { makeTestDevice } from './test-device.ts';

const account = makeUuid(1, systemRandom);
const closers: (() => void)[] = [];
let device: ReturnType<typeof makeTestDevice>;
beforeEach(() => {
  device = makeTestDevice();
});
afterEach(() => closers.splice(0).forEach((close) => close()));

function open(): DeviceDatabase & { losses: DeviceLoss[] } {
  const database = openDeviceDatabase(account, systemRandom);
  const losses: DeviceLoss[] = [];
  database.onLoss((loss) => losses.push(loss));
  closers.push(database.close);
  return { ...database, losses };
}
const entry: Entry = { id: 'r:1', conversationId: account, order: 1, at: 1, state: { kind: 'waiting' }, kind: 'read', seq: 1 };
const put = ({ outbox }: DeviceDatabase) => outbox.change([entry.id], () => new Map([[entry.id, entry]]));

test('[F14] closed under us it is opened again, and holds what it held', async () => {
  const database = open();
  await put(database);
  device.closeAll();
  await expect.poll(() => database.losses).toEqual(['closed']);
  expect(await database.outbox.load()).toEqual([entry]);
  device.closeUnheard();
  await expect(database.outbox.load()).rejects.toThrow();
  expect(await database.outbox.load()).toEqual([entry]);
});

test('[F14] cleared under us it answers nothing before its listeners know, in each tab', async () => {
  const [one, other] = [open(), open()];
  await put(one);
  expect(await other.outbox.load()).toEqual([entry]);
  device.wipe();
  await expect.poll(() => [one.losses, other.losses]).toEqual([['closed'], ['closed']]);
  await expect(one.outbox.change([entry.id], () => new Map())).rejects.toThrow('cleared');
  expect([one.losses, other.losses]).toEqual([['closed', 'cleared'], ['closed']]);
  expect(await one.outbox.load()).toEqual([]);
  // The first of them has begun another one already: to the second it is another one all the same.
  await expect(other.outbox.load()).rejects.toThrow('cleared');
  expect([await other.outbox.load(), other.losses]).toEqual([[], ['closed', 'cleared']]);
  await put(other);
  expect(await one.outbox.load()).toEqual([entry]);
});

test('[F14] one that cannot be opened, or is of a newer version, rejects, and is used when it can be', async () => {
  const database = open();
  device.setOpenable(() => false);
  await expect(put(database)).rejects.toThrow('not here');
  await expect(database.write('some', 1)).rejects.toThrow('not here');
  expect(database.losses).toEqual(['failed']);
  device.setOpenable(() => true);
  await put(database);
  database.close();
  (await openDB(databaseName(account), 2)).close();
  const older = open();
  await expect(older.outbox.load()).rejects.toThrow(/version/);
});

test('[F14] where there is no IndexedDB every call rejects, and nothing breaks', async () => {
  const { indexedDB } = globalThis;
  Reflect.deleteProperty(globalThis, 'indexedDB');
  closers.push(() => void (globalThis.indexedDB = indexedDB));
  const database = open();
  await expect(put(database)).rejects.toThrow();
  await expect(database.read('some')).rejects.toThrow();
  database.close();
});

test('[F14] while another tab holds what is to be deleted it waits, and begins another one when that is gone', async () => {
  const held = await openDB(databaseName(account), 1, { upgrade: (db) => void db.createObjectStore('values') });
  const deleting = indexedDB.deleteDatabase(databaseName(account));
  const database = open();
  let outcome = 'none';
  const reading = database.read('some').then(
    () => (outcome = 'read'),
    () => (outcome = 'rejected'),
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(outcome).toBe('none');
  held.close();
  await reading;
  expect([outcome, deleting.readyState]).toEqual(['read', 'done']);
});
