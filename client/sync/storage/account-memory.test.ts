import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { openDB } from 'idb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Me } from '../../../shared/api.ts';
import { systemClock, systemRandom } from '../../../shared/clock.ts';
import { makeUuid } from '../../../shared/ids.ts';
import { makeTestClock, settled } from '../test-server.ts';
import { type Remembered, makeAccountMemory } from './account-memory.ts';

const [ana, ben] = [1, 2].map((n) => makeUuid(n, systemRandom)) as [string, string];
const me: Me = { id: ana, handle: 'ana', displayName: 'Ana', bio: '', avatarUrl: null, document: `user:${ana}/1` };
const here: Remembered = { kind: 'here', me };
const channels: { close: () => void }[] = [];
beforeEach(() => void (globalThis.indexedDB = new IDBFactory()));
afterEach(() => channels.splice(0).forEach((channel) => channel.close()));

function open(clock = systemClock) {
  return makeAccountMemory({
    clock,
    makeChannel(name) {
      const channel = new BroadcastChannel(name);
      channels.push(channel);
      return channel;
    },
  });
}
/** From now on the database does not answer: it waits for a connection that never closes. */
async function hang(): Promise<void> {
  const held = await openDB('homing', 1, { upgrade: (db) => void db.createObjectStore('account') });
  void openDB('homing', 2);
  channels.push(held);
}
const names = async (): Promise<string[]> => (await indexedDB.databases()).map(({ name }) => name!).sort();

/** Begins to forget Ana; what came of it, null until it is over. */
function forgetting(clock: ReturnType<typeof makeTestClock>): () => boolean | null {
  let outcome: boolean | null = null;
  void open(clock)
    .forget(ana)
    .then((isGone) => (outcome = isGone));
  return () => outcome;
}

test('nobody was here; then who is written, durably; what is not understood is nobody', async () => {
  const durabilities: unknown[] = [];
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function begin(stores, mode, options) {
    if (mode === 'readwrite') durabilities.push(options?.durability);
    return transaction.call(this, stores, mode, options);
  };
  const memory = open();
  expect(await memory.read()).toEqual({ kind: 'nobody' });
  await memory.write(here);
  IDBDatabase.prototype.transaction = transaction;
  expect([await open().read(), durabilities]).toEqual([here, ['strict']]);
  const db = await openDB('homing', 1);
  await db.put('account', { kind: 'here', me: { id: 7 } }, 'now');
  db.close();
  expect(await memory.read()).toEqual({ kind: 'nobody' });
});

test('the other tabs know it when it is durable; that somebody leaves they know at once', async () => {
  const clock = makeTestClock();
  const [one, other] = [open(clock), open()];
  const heard: Remembered[] = [];
  const stop = other.subscribe((value) => heard.push(value));
  one.subscribe(() => expect.unreachable());
  await one.write(here);
  await expect.poll(() => heard).toEqual([here]);
  await hang();
  const writing = [here, { kind: 'leaving', account: ana } as const].map(one.write);
  await expect.poll(() => heard.at(-1)).toEqual({ kind: 'leaving', account: ana });
  expect(heard).toHaveLength(2);
  stop();
  clock.pass(2_000);
  await Promise.all(writing);
});

test('a database that does not answer keeps nobody waiting', async () => {
  await hang();
  const clock = makeTestClock();
  const memory = open(clock);
  const answers: unknown[] = [];
  void memory.read().then((value) => answers.push(value));
  void memory.write(here).then(() => answers.push('written'));
  await settled();
  expect(answers).toEqual([]);
  clock.pass(2_000);
  await settled();
  expect(answers).toEqual([{ kind: 'nobody' }, 'written']);
});

test('a tab that is frozen and holds something keeps nobody waiting; that it is not gone is known', async () => {
  const clock = makeTestClock();
  channels.push(await openDB(`${ana}/some/1/0`, 1));
  const outcome = forgetting(clock);
  await expect.poll(() => (clock.pass(2_500), outcome())).toBe(false);
});

test('forgets all of one account, also what a tab lets go of later or opens once more, and nothing of others', async () => {
  for (const name of [`homing/${ana}`, `${ana}/some/1/0`, `homing/${ben}`, `${ben}/some/1/0`]) (await openDB(name)).close();
  const memory = open();
  await memory.write(here);
  const held = await openDB(`${ana}/other/1/0`, 1, {});
  const forgotten = memory.forget(ana);
  await settled();
  held.close();
  // A tab that had begun to open a copy when it was told.
  (await openDB(`${ana}/late/1/0`)).close();
  expect(await forgotten).toBe(true);
  expect(await names()).toEqual(['homing', `homing/${ben}`, `${ben}/some/1/0`].sort());
});

/** The browser leaves so many questions for its databases without an answer. */
function silence(questions: number): { asked: () => number } {
  const ask = indexedDB.databases.bind(indexedDB);
  let asked = 0;
  indexedDB.databases = () => (asked++ < questions ? new Promise(() => {}) : ask());
  return { asked: () => asked };
}

test('a browser that does not say which databases it has is asked anew: all is forgotten', async () => {
  const all = [`homing/${ana}`, `${ana}/some/1/0`, `homing/${ben}`];
  for (const name of all) (await openDB(name)).close();
  const { asked } = silence(2);
  const clock = makeTestClock();
  const start = clock.elapsed();
  const outcome = forgetting(clock);
  await settled();
  expect([asked(), outcome()]).toEqual([1, null]);
  await expect.poll(() => (clock.pass(500), outcome())).toBe(true);
  expect(asked()).toBeGreaterThan(2);
  expect(clock.elapsed() - start).toBeGreaterThanOrEqual(4_000);
  expect(await names()).toEqual([`homing/${ben}`]);
});

test('one that never says it keeps nobody waiting: what has a known name is gone, and that there may be more is known', async () => {
  for (const name of [`homing/${ana}`, `homing/${ben}`]) (await openDB(name)).close();
  const ask = indexedDB.databases.bind(indexedDB);
  silence(Infinity);
  const clock = makeTestClock();
  const start = clock.elapsed();
  const outcome = forgetting(clock);
  // Five rounds and a last question.
  for (const ms of [2_000, 100, 2_000, 100, 2_000, 100, 2_000, 100, 2_000, 100]) {
    await settled();
    clock.pass(ms);
  }
  await settled();
  expect(outcome()).toBe(null);
  clock.pass(2_000);
  await settled();
  expect([outcome(), clock.elapsed() - start]).toEqual([false, 12_500]);
  expect((await ask()).map(({ name }) => name)).toEqual([`homing/${ben}`]);
});

test('[F14] where there is no IndexedDB nobody was here, nobody is kept, and there is nothing to forget', async () => {
  const { indexedDB } = globalThis;
  Reflect.deleteProperty(globalThis, 'indexedDB');
  const memory = open();
  await memory.write(here);
  expect([await memory.read(), await memory.forget(ana)]).toEqual([{ kind: 'nobody' }, true]);
  globalThis.indexedDB = indexedDB;
});
