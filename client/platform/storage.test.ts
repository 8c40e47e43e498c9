import { expect, test } from 'vitest';
import { makeDeviceStorage } from './storage.ts';

function makeManager(persisted: boolean): { manager: StorageManager; asked: () => number } {
  let asked = 0;
  const manager = {
    persisted: async () => persisted,
    persist: async () => ((asked += 1), (persisted = true)),
    estimate: async () => ({ usage: 2_000, quota: 10_000 }),
  } as unknown as StorageManager;
  return { manager, asked: () => asked };
}

test('[C11.6] storage is asked for until it is persistent, and not again', async () => {
  const { manager, asked } = makeManager(false);
  const storage = makeDeviceStorage(manager);
  expect(await storage.state()).toEqual({ isPersistent: false, usedBytes: 2_000, quotaBytes: 10_000 });
  expect([await storage.persist(), await storage.persist()]).toEqual([true, true]);
  expect(asked()).toBe(1);
});

test('a browser that cannot say promises nothing', async () => {
  const storage = makeDeviceStorage(undefined);
  expect([await storage.persist(), await storage.state()]).toEqual([false, { isPersistent: false, usedBytes: 0, quotaBytes: 0 }]);
});
