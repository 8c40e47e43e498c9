import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as Y from 'yjs';
import { systemClock, systemRandom } from '../../../shared/clock.ts';
import { makeUuid } from '../../../shared/ids.ts';
import { openDeviceDatabase } from './device-database.ts';
import { type DropNews, type ReplicaCache, openReplicaCache, replicaDatabaseName } from './replica-cache.ts';

const account = makeUuid(1, systemRandom);
const closers: (() => void)[] = [];
beforeEach(() => void (globalThis.indexedDB = new IDBFactory()));
afterEach(() => closers.splice(0).forEach((close) => close()));

function open(news: DropNews = { tell: () => {}, listen: () => () => {} }): ReplicaCache {
  const database = openDeviceDatabase(account);
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
  return { doc, copy, drops: () => drops, texts: () => doc.getArray<string>('a').toArray() };
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
  const works = globalThis.indexedDB.open.bind(globalThis.indexedDB);
  globalThis.indexedDB.open = (name, version) => {
    if (name.startsWith('homing/')) return works(name, version);
    throw new DOMException('not here', 'SecurityError');
  };
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
