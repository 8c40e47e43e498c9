import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemRandom } from '../../../shared/clock.ts';
import { makeMessageId, makeUuid } from '../../../shared/ids.ts';
import { type DeviceDatabase, openDeviceDatabase } from '../storage/device-database.ts';
import { makeTestDevice } from '../storage/test-device.ts';
import { makeTestClock, settled } from '../test-server.ts';
import { type Entry, changeKey, messageKey } from './entry.ts';
import { type OutboxStore, makeMemoryOutboxStore } from './outbox-store.ts';
import { NO_SIBLINGS, type Outbox, type Siblings, openOutbox } from './outbox.ts';

const [me, id, other] = [1, 2, 3].map((n) => makeUuid(n, systemRandom)) as [string, string, string];
const messageId = (): string => makeMessageId(1_000_000, systemRandom);
const closers: (() => void)[] = [];
beforeEach(() => void (globalThis.indexedDB = new IDBFactory()));
afterEach(() => closers.splice(0).forEach((close) => close()));

function open(store: OutboxStore, siblings: Siblings = NO_SIBLINGS, clock = makeTestClock()): Outbox {
  const outbox = openOutbox({ store, siblings, clock });
  closers.push(outbox.close);
  return outbox;
}
function disk(): DeviceDatabase {
  const database = openDeviceDatabase(me, systemRandom);
  closers.push(database.close);
  return database;
}
const texts = (outbox: Outbox): string[] => outbox.of(id).map((entry) => (entry.kind === 'message' ? entry.value[0] : entry.kind));
/** A store that takes nothing while the test says so. */
function breakable(device: OutboxStore): { store: OutboxStore; setBroken: (next: boolean) => void } {
  let isBroken = false;
  const aborted = (): Promise<never> => Promise.reject(new DOMException('aborted', 'AbortError'));
  const store: OutboxStore = { load: device.load, change: (ids, decide) => (isBroken ? aborted() : device.change(ids, decide)) };
  return { store, setBroken: (next) => void (isBroken = next) };
}
const loaded = (outbox: Outbox): Promise<void> => expect.poll(outbox.status).toBe('kept');

describe('what is written', () => {
  test('[C6.1, C6.6] is there at once, kept when the transaction is complete, and there after a restart, in order', async () => {
    const outbox = open(disk().outbox);
    const ids = ['a', 'b', 'c'].map((text) => {
      const one = messageId();
      outbox.send(id, one, [text, null, null]);
      return messageKey(one);
    });
    expect(texts(outbox)).toEqual(['a', 'b', 'c']);
    expect(ids.map(outbox.isKept)).toEqual([false, false, false]);
    await expect.poll(() => ids.map(outbox.isKept)).toEqual([true, true, true]);
    outbox.close();
    const again = open(disk().outbox);
    await loaded(again);
    expect(texts(again)).toEqual(['a', 'b', 'c']);
    expect(ids.map(again.isKept)).toEqual([true, true, true]);
  });

  test('[C6.5] changed or removed while it cannot have left, it is changed or gone in the outbox only', async () => {
    const outbox = open(makeMemoryOutboxStore());
    const [one, two] = [messageId(), messageId()];
    outbox.send(id, one, ['one', null, null]);
    outbox.send(id, two, ['two', null, null]);
    outbox.edit(id, one, null, 'ONE');
    outbox.remove(id, two, null);
    expect(texts(outbox)).toEqual(['ONE']);
    await settled();
    expect(texts(outbox)).toEqual(['ONE']);
  });

  test('placed, it may have left: a change is an entry of its own, the newest one wins, and deletion beats edit', async () => {
    const outbox = open(makeMemoryOutboxStore());
    const one = messageId();
    outbox.send(id, one, ['one', null, null]);
    let isClaimed = false;
    outbox.claim([messageKey(one)], () => (isClaimed = true));
    await expect.poll(() => isClaimed).toBe(true);
    outbox.edit(id, one, 1, 'ONE');
    outbox.edit(id, one, 1, 'One');
    expect(outbox.get(changeKey(one))).toMatchObject({ kind: 'edit', body: 'One' });
    outbox.remove(id, one, 1);
    outbox.edit(id, one, 1, 'again');
    expect(outbox.get(changeKey(one))).toMatchObject({ kind: 'delete' });
    expect(outbox.of(id)).toHaveLength(2);
  });

  test('[C4.7] a read position only moves forward, in one entry', async () => {
    const outbox = open(makeMemoryOutboxStore());
    for (const seq of [3, 7, 5]) outbox.read(id, seq);
    await settled();
    expect(outbox.of(id)).toMatchObject([{ kind: 'read', seq: 7 }]);
  });

  test('[C6.4] a retry has the same id, and what is done is not taken out when it was changed meanwhile', async () => {
    const outbox = open(makeMemoryOutboxStore());
    const one = messageId();
    outbox.send(id, one, ['one', null, null]);
    outbox.fail([messageKey(one)], 'blocked');
    expect(outbox.of(id)).toMatchObject([{ state: { kind: 'failed', code: 'blocked' } }]);
    outbox.retry([messageKey(one)]);
    expect(outbox.of(id)).toMatchObject([{ messageId: one, state: { kind: 'waiting' } }]);
    outbox.edit(other, one, 1, 'first');
    outbox.read(id, 1);
    const looked = outbox.of(id).find(({ kind }) => kind === 'read')!;
    outbox.read(id, 2);
    await settled();
    outbox.done([{ ...looked, at: looked.at - 1 }]);
    expect(outbox.of(id).find(({ kind }) => kind === 'read')).toMatchObject({ seq: 2 });
  });
});

test('[G1] a message that is not taken fails with its last text, and one that was to go is gone', async () => {
  const outbox = open(makeMemoryOutboxStore());
  const [one, two] = [messageId(), messageId()];
  for (const [each, text] of [
    [one, 'one'],
    [two, 'two'],
  ] as const) {
    outbox.send(id, each, [text, null, null]);
    outbox.claim([messageKey(each)], () => {});
  }
  outbox.edit(id, one, null, 'ONE');
  outbox.remove(id, two, null);
  expect(texts(outbox)).toEqual(['one', 'two', 'edit', 'delete']);
  outbox.fail([messageKey(one), changeKey(one), messageKey(two)], 'blocked');
  await settled();
  expect([texts(outbox), outbox.get(messageKey(one))?.state]).toEqual([['ONE'], { kind: 'failed', code: 'blocked' }]);
});

test('[G2] who is taken out is not told whether a message was taken: its deletion fails beside it, and is not forgotten', async () => {
  const outbox = open(makeMemoryOutboxStore());
  const one = messageId();
  outbox.send(id, one, ['one', null, null]);
  outbox.claim([messageKey(one)], () => {});
  outbox.remove(id, one, 1);
  outbox.fail([messageKey(one), changeKey(one)], 'refused');
  await settled();
  expect([texts(outbox), outbox.of(id).map(({ state }) => state.kind)]).toEqual([
    ['one', 'delete'],
    ['failed', 'failed'],
  ]);
});

describe('[F14] a device that does not keep it', () => {
  /** A store that fails, or hangs, when the test says so. */
  function failing(store: OutboxStore) {
    let mode: 'works' | 'fails' | 'hangs' = 'works';
    const change: OutboxStore['change'] = async (ids, decide) => {
      if (mode === 'fails') throw new DOMException('no room', 'QuotaExceededError');
      if (mode === 'hangs') return new Promise(() => {});
      return store.change(ids, decide);
    };
    return { store: { load: store.load, change }, be: (next: typeof mode) => void (mode = next) };
  }

  test('never says that it is kept, says that it is not, goes on, and keeps it as soon as it can', async () => {
    const held = new Map<string, Entry>();
    const { store, be } = failing(makeMemoryOutboxStore(held));
    const clock = makeTestClock();
    const outbox = open(store, NO_SIBLINGS, clock);
    await loaded(outbox);
    be('fails');
    const one = messageId();
    outbox.send(id, one, ['one', null, null]);
    await expect.poll(outbox.status).toBe('memory');
    expect(outbox.isKept(messageKey(one))).toBe(false);
    expect(texts(outbox)).toEqual(['one']);
    be('works');
    clock.pass(1_000);
    await loaded(outbox);
    expect(outbox.isKept(messageKey(one))).toBe(true);
    expect([...held.keys()]).toEqual([messageKey(one)]);
  });

  test('what the device failed to hold is not undone by what it holds instead', async () => {
    const { store, be } = failing(makeMemoryOutboxStore());
    const outbox = open(store);
    await loaded(outbox);
    const one = messageId();
    outbox.send(id, one, ['one', null, null]);
    await expect.poll(() => outbox.isKept(messageKey(one))).toBe(true);
    be('fails');
    outbox.claim([messageKey(one)], () => {});
    await expect.poll(outbox.status).toBe('memory');
    be('works');
    // It may have left: to the device, which was not told, it could simply be taken out.
    outbox.remove(id, one, 1);
    await loaded(outbox);
    expect(outbox.get(changeKey(one))).toMatchObject({ kind: 'delete' });
  });

  test('what has failed is changed as itself, though the device fails as well: nothing would come of a change beside it', async () => {
    const { store, be } = failing(makeMemoryOutboxStore());
    const outbox = open(store);
    await loaded(outbox);
    const [one, two] = [messageId(), messageId()];
    for (const each of [one, two]) outbox.send(id, each, ['text', null, null]);
    outbox.fail([one, two].map(messageKey), 'blocked');
    await expect.poll(() => outbox.isKept(messageKey(two))).toBe(true);
    be('fails');
    outbox.claim([], () => {});
    await expect.poll(outbox.status).toBe('memory');
    outbox.edit(id, one, 1, 'better');
    outbox.remove(id, two, 1);
    expect(outbox.entries()).toMatchObject([{ kind: 'message', value: ['better', null, null], state: { kind: 'waiting' } }]);
    be('works');
    outbox.claim([], () => {});
    await loaded(outbox);
    expect(outbox.entries()).toEqual(await store.load());
    expect(outbox.entries()).toHaveLength(1);
  });

  test('what was written and taken out again leaves nothing behind, though the device failed at it', async () => {
    const { store, be } = failing(makeMemoryOutboxStore());
    const outbox = open(store);
    await loaded(outbox);
    be('fails');
    const one = messageId();
    outbox.send(id, one, ['one', null, null]);
    await expect.poll(outbox.status).toBe('memory');
    be('works');
    outbox.remove(id, one, null);
    await loaded(outbox);
    expect(outbox.entries()).toEqual([]);
    expect(await store.load()).toEqual([]);
  });

  test('a database that hangs stands in nobody’s way: a claim is answered all the same', async () => {
    const { store, be } = failing(makeMemoryOutboxStore());
    const clock = makeTestClock();
    const outbox = open(store, NO_SIBLINGS, clock);
    await loaded(outbox);
    be('hangs');
    const one = messageId();
    outbox.send(id, one, ['one', null, null]);
    let isClaimed = false;
    outbox.claim([messageKey(one)], () => (isClaimed = true));
    await expect.poll(() => (clock.pass(1_000), isClaimed)).toBe(true);
    expect(outbox.status()).toBe('memory');
    expect(outbox.get(messageKey(one))).toMatchObject({ placed: true });
  });

  test('what only failed to be read or claimed does not leave it saying so for ever', async () => {
    const { store, be } = failing(makeMemoryOutboxStore());
    const clock = makeTestClock();
    const outbox = open(store, NO_SIBLINGS, clock);
    await loaded(outbox);
    be('fails');
    outbox.claim([], () => {});
    await expect.poll(outbox.status).toBe('memory');
    be('works');
    clock.pass(1_000);
    await loaded(outbox);
  });

  test('what it has lost it never calls kept, and is given again', async () => {
    const device = makeTestDevice();
    const database = disk();
    const outbox = open(database.outbox);
    database.onLoss((loss) => loss === 'cleared' && outbox.keepAgain());
    const ids = ['a', 'b'].map((text) => {
      const one = messageId();
      outbox.send(id, one, [text, null, null]);
      return messageKey(one);
    });
    await expect.poll(() => ids.map(outbox.isKept)).toEqual([true, true]);
    device.wipe();
    // Decided on what is not there any more, each of these would take its entry away.
    outbox.claim([ids[0]!], () => {});
    await expect.poll(() => ids.map(outbox.isKept)).toEqual([true, true]);
    expect(texts(outbox)).toEqual(['a', 'b']);
    outbox.close();
    const again = open(disk().outbox);
    await loaded(again);
    expect([texts(again), again.get(ids[0]!)]).toMatchObject([['a', 'b'], { placed: true }]);
  });

  test('an aborted transaction of IndexedDB rejects, and leaves what was there', async () => {
    const database = disk();
    const [a, b] = ['a', 'b'].map((key): Entry => ({
      id: key,
      conversationId: id,
      order: 1,
      at: 1,
      state: { kind: 'waiting' },
      kind: 'read',
      seq: 1,
    })) as [Entry, Entry];
    await database.outbox.change(['a'], () => new Map([['a', a]]));
    const unstorable = { ...b, seq: (() => {}) as unknown as number };
    await expect(
      database.outbox.change(
        ['a', 'b'],
        () =>
          new Map<string, Entry | null>([
            ['a', null],
            ['b', unstorable],
          ]),
      ),
    ).rejects.toThrow();
    expect(await database.outbox.load()).toEqual([a]);
  });
});

describe('two tabs', () => {
  function makeTabs() {
    const listeners: ((ids: readonly string[]) => void)[] = [];
    return (i: number): Siblings => ({
      tell: (ids) => listeners.forEach((listener, n) => n !== i && listener(ids)),
      listen(listener) {
        listeners[i] = listener;
        return () => {};
      },
    });
  }

  test('[C11.1] what one writes shows in the other; a change of what the other has placed is an entry of its own', async () => {
    const tab = makeTabs();
    const database = disk();
    const [a, b] = [open(database.outbox, tab(0)), open(database.outbox, tab(1))];
    await loaded(a);
    await loaded(b);
    const one = messageId();
    a.send(id, one, ['one', null, null]);
    await expect.poll(() => texts(b)).toEqual(['one']);
    // At the same moment one tab places it and the other changes it: the device decides.
    a.claim([messageKey(one)], () => {});
    b.edit(id, one, null, 'changed');
    await expect.poll(() => [a, b].map((outbox) => outbox.isKept(changeKey(one)))).toEqual([true, true]);
    expect(a.get(messageKey(one))).toMatchObject({ placed: true, value: ['one', null, null] });
    expect(a.of(id)).toEqual(b.of(id));
  });

  test('[D7] what is to be deleted is not edited, though the other tab has just done with both', async () => {
    const tab = makeTabs();
    const store = makeMemoryOutboxStore();
    const [a, b] = [open(store, tab(0)), open(store, tab(1))];
    await loaded(a);
    await loaded(b);
    const one = messageId();
    a.send(id, one, ['one', null, null]);
    a.claim([messageKey(one)], () => {});
    a.remove(id, one, 1);
    await expect.poll(() => b.entries().length).toBe(2);
    a.fail([messageKey(one)], 'blocked');
    b.edit(id, one, 1, 'better');
    await expect.poll(() => [a, b].map((outbox) => outbox.entries())).toEqual([[], []]);
    await settled();
    expect(await store.load()).toEqual([]);
  });

  test('[C11.1] what one is done with is not what the other wrote in the same millisecond', async () => {
    const tab = makeTabs();
    const [store, clock] = [makeMemoryOutboxStore(), makeTestClock()];
    const [a, b] = [open(store, tab(0), clock), open(store, tab(1), clock)];
    await loaded(a);
    await loaded(b);
    const one = messageId();
    a.edit(id, one, 1, 'changed');
    const before = a.get(changeKey(one))!;
    b.remove(id, one, 1);
    expect(b.get(changeKey(one))).toMatchObject({ at: before.at, order: before.order });
    await settled();
    a.done([before]);
    await settled();
    expect([a, b].map((outbox) => outbox.get(changeKey(one))?.kind)).toEqual(['delete', 'delete']);
  });

  test('[C11.1] what a tab wrote and could tell nobody of, for it ended, the others hear from the next one that opens', async () => {
    const tab = makeTabs();
    const store = makeMemoryOutboxStore();
    const [a, b] = [open(store, tab(0)), open(store, tab(1))];
    await loaded(a);
    await loaded(b);
    a.send(id, messageId(), ['last words', null, null]);
    a.close();
    await settled();
    expect(texts(b)).toEqual([]);
    open(store, tab(2));
    await expect.poll(() => texts(b)).toEqual(['last words']);
  });
});

test('[C6.5] a change that was changed while the device failed is written whole: nothing says of the new text that it has left', async () => {
  const device = makeMemoryOutboxStore();
  const clock = makeTestClock();
  const one = messageId();
  const { store, setBroken } = breakable(device);
  const outbox = open(store, NO_SIBLINGS, clock);
  await loaded(outbox);
  outbox.edit(id, one, 1, 'better');
  const change = outbox.get(changeKey(one))!;
  if (change.kind !== 'edit') throw new Error(`an edit is kept as ${change.kind}`);
  await new Promise<void>((claimed) => outbox.leave(change, { client: 7, clock: 0, n: 1 }, claimed));
  expect(await device.load()).toMatchObject([{ body: 'better', left: { client: 7 } }]);
  setBroken(true);
  outbox.edit(id, one, 1, 'best');
  await settled();
  setBroken(false);
  clock.pass(1_000);
  await loaded(outbox);
  const [kept] = await device.load();
  expect(kept).toMatchObject({ kind: 'edit', body: 'best' });
  expect(kept).not.toHaveProperty('left');
});

test('[C6.5] what the device failed to hold leaves as it is what another tab has changed there meanwhile', async () => {
  const device = makeMemoryOutboxStore();
  const clock = makeTestClock();
  const one = messageId();
  const writer = open(device);
  writer.send(id, one, ['as it was begun', null, null]);
  await loaded(writer);
  const { store, setBroken } = breakable(device);
  const mover = open(store, NO_SIBLINGS, clock);
  await loaded(mover);
  setBroken(true);
  await new Promise<void>((claimed) => mover.claim([messageKey(one)], claimed));
  writer.edit(id, one, null, 'as it is to be');
  await settled();
  setBroken(false);
  clock.pass(1_000);
  await loaded(mover);
  expect(await device.load()).toMatchObject([{ value: ['as it is to be', null, null], placed: true }]);
  expect(texts(mover)).toEqual(['as it is to be']);
});
