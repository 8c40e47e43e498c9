import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as Y from 'yjs';
import { systemClock, systemRandom } from '../../../shared/clock.ts';
import { makeUuid } from '../../../shared/ids.ts';
import { openDeviceDatabase } from './device-database.ts';
import { makeTestDevice } from './test-device.ts';
import { type DropNews, type ReplicaCache, openReplicaCache, replicaDatabaseName } from './replica-cache.ts';

const account = makeUuid(1, systemRandom);
const closers: (() => void)[] = [];
let device: ReturnType<typeof makeTestDevice>;
beforeEach(() => {
  device = makeTestDevice();
});
afterEach(() => closers.splice(0).forEach((close) => close()));

function open(news: DropNews = { tell: () => {}, listen: () => () => {} }): ReplicaCache {
  const database = openDeviceDatabase(account, systemRandom);
  const cache = openReplicaCache({ account, database, news, clock: systemClock });
  closers.push(cache.close, database.close);
  return cache;
}

async function attach(cache: ReplicaCache, documentId = 'some/1') {
  const doc = new Y.Doc();
  let loads = 0;
  let drops = 0;
  const copy = cache.attach(documentId, doc, { loaded: () => (loads += 1), stored: () => {}, dropped: () => (drops += 1) });
  closers.push(copy.close);
  await expect.poll(() => loads).toBe(1);
  return { doc, copy, loads: () => loads, drops: () => drops, texts: () => doc.getArray<string>('a').toArray() };
}

test('what was stored is there again, and only then counts as stored', async () => {
  const first = await attach(open());
  first.doc.getArray('a').push(['kept']);
  expect(first.copy.isStored()).toBe(false);
  await expect.poll(first.copy.isStored).toBe(true);
  first.copy.close();
  expect((await attach(open())).texts()).toEqual(['kept']);
});

test('[F14] a copy that cannot be opened is told, and the document goes on', async () => {
  device.setOpenable((name) => name.startsWith('homing/'));
  const cache = open();
  const { doc, copy, texts } = await attach(cache);
  expect(cache.isFailing()).toBe(true);
  doc.getArray('a').push(['in memory']);
  expect([texts(), copy.isStored()]).toEqual([['in memory'], true]);
});

test('[F14] a write that fails is told, and never thrown at the typist', async () => {
  const cache = open();
  const { doc, texts } = await attach(cache);
  const name = replicaDatabaseName(account, 'some/1', 0);
  const { prototype } = globalThis.IDBDatabase;
  const { transaction } = prototype;
  prototype.transaction = function (this: IDBDatabase, ...asked: Parameters<IDBDatabase['transaction']>) {
    if (this.name === name) throw new DOMException('closing', 'InvalidStateError');
    return transaction.apply(this, asked);
  };
  closers.push(() => void (prototype.transaction = transaction));
  doc.getArray('a').push(['typed']);
  expect(texts()).toEqual(['typed']);
  await expect.poll(cache.isFailing).toBe(true);
});

test('[F14] whichever write fails, what the device holds has no hole: nothing of what came after is there', async () => {
  const cache = open();
  const { doc, copy } = await attach(cache);
  const { add } = IDBObjectStore.prototype;
  let writes = 0;
  IDBObjectStore.prototype.add = function (this: IDBObjectStore, ...asked: Parameters<IDBObjectStore['add']>) {
    const request = add.apply(this, asked);
    if (++writes === 2) this.transaction.abort();
    return request;
  };
  closers.push(() => void (IDBObjectStore.prototype.add = add));
  for (const text of ['one', 'two', 'three']) {
    doc.getMap('a').set(text, text);
    // The second fails while the third is on its way.
    if (text === 'one') await expect.poll(copy.isStored).toBe(true);
  }
  await expect.poll(cache.isFailing).toBe(true);
  const later = await attach(open());
  expect([...later.doc.getMap('a').keys()]).toEqual(['one']);
});

/** Whether this is stored by now, for a tab that starts later. */
async function isFound(text: string): Promise<boolean> {
  const found = await attach(open());
  found.copy.close();
  return found.texts().includes(text);
}

test('[F14] what a transaction undoes at its end was never stored; when the device keeps again all of it is', async () => {
  const cache = open();
  const { doc, copy } = await attach(cache);
  const { add } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.add = function (this: IDBObjectStore, ...asked: Parameters<IDBObjectStore['add']>) {
    const request = add.apply(this, asked);
    // As browsers do where there is no room: the request is well, and then all is undone.
    request.addEventListener('success', () => this.transaction.abort());
    return request;
  };
  const mend = (): void => void (IDBObjectStore.prototype.add = add);
  closers.push(mend);
  doc.getArray('a').push(['undone']);
  expect(copy.isStored()).toBe(false);
  await expect.poll(cache.isFailing).toBe(true);
  doc.getArray('a').push(['in memory']);
  mend();
  expect(await isFound('undone')).toBe(false);
  cache.keepAgain();
  expect([cache.isFailing(), copy.isStored()]).toEqual([false, false]);
  await expect.poll(copy.isStored).toBe(true);
  expect([await isFound('undone'), await isFound('in memory')]).toEqual([true, true]);
  doc.getArray('a').push(['and on']);
  await expect.poll(copy.isStored).toBe(true);
  expect(await isFound('and on')).toBe(true);
});

test('[F14] cleared under it, a copy is failing at once, and written anew when the device keeps again, dropped ones as dropped', async () => {
  const cache = open();
  const dropped = await attach(cache, 'dropped/1');
  dropped.copy.drop();
  const { doc, copy } = await attach(cache);
  doc.getArray('a').push(['kept']);
  await expect.poll(copy.isStored).toBe(true);
  device.wipe();
  await expect.poll(cache.isFailing).toBe(true);
  // The first call of the database says that it is another one now.
  await expect
    .poll(() => {
      cache.keepAgain();
      return copy.isStored() && !cache.isFailing();
    })
    .toBe(true);
  expect(await isFound('kept')).toBe(true);
  const later = await attach(open(), 'dropped/1');
  await expect
    .poll(async () => (await indexedDB.databases()).map(({ name }) => name))
    .toContain(replicaDatabaseName(account, 'dropped/1', 1));
  later.copy.close();
});

test('[F14] while the device keeps nothing no document waits for it; what it held comes late, and is told', async () => {
  const before = await attach(open());
  before.doc.getArray('a').push(['from before']);
  await expect.poll(before.copy.isStored).toBe(true);
  before.copy.close();
  device.setOpenable(() => false);
  const cache = open();
  const first = await attach(cache, 'other/1');
  expect([cache.isFailing(), first.loads()]).toEqual([true, 1]);
  const doc = new Y.Doc();
  let loads = 0;
  const copy = cache.attach('some/1', doc, { loaded: () => (loads += 1), stored: () => {}, dropped: () => {} });
  closers.push(copy.close);
  expect([loads, copy.isStored()]).toEqual([1, true]);
  doc.getArray('a').push(['meanwhile']);
  cache.keepAgain();
  await expect.poll(cache.isFailing).toBe(true);
  expect([loads, copy.isStored()]).toEqual([1, true]);
  device.setOpenable(() => true);
  cache.keepAgain();
  await expect.poll(() => [loads, copy.isStored()]).toEqual([2, true]);
  expect(new Set(doc.getArray('a').toArray())).toEqual(new Set(['from before', 'meanwhile']));
  expect(await isFound('meanwhile')).toBe(true);
});

test('a dropped copy begins empty, now and after a restart, in the other tab too; the old one goes when nobody needs it', async () => {
  const listeners = new Set<(documentId: string, generation: number) => void>();
  const news = (own: { heard?: (documentId: string, generation: number) => void }): DropNews => ({
    tell: (documentId, generation) => listeners.forEach((listener) => listener !== own.heard && listener(documentId, generation)),
    listen(listener) {
      own.heard = listener;
      listeners.add(listener);
      return () => {};
    },
  });
  const cache = open(news({}));
  const first = await attach(cache);
  const elsewhere = await attach(open(news({})));
  first.doc.getArray('a').push(['refused']);
  await expect.poll(first.copy.isStored).toBe(true);
  first.copy.drop();
  expect([first.drops(), elsewhere.drops()]).toEqual([0, 1]);
  elsewhere.copy.close();
  expect((await attach(cache)).texts()).toEqual([]);
  const later = await attach(open());
  expect(later.texts()).toEqual([]);
  const names = async (): Promise<(string | undefined)[]> => (await indexedDB.databases()).map(({ name }) => name);
  await expect.poll(names).not.toContain(replicaDatabaseName(account, 'some/1', 0));
  expect(await names()).toContain(replicaDatabaseName(account, 'some/1', 1));
});
