import { expect, test } from 'vitest';
import { watchKeeping } from './keeping.ts';
import type { DeviceLoss } from './storage/device-database.ts';
import { makeTestClock, settled } from './test-server.ts';

/** Everything that keeps, as the test says. */
function setUp() {
  const clock = makeTestClock();
  const world = { isFull: false, isHung: false, status: 'kept' as 'kept' | 'memory', isCacheFailing: false };
  const listeners = { outbox: () => {}, cache: () => {}, loss: (_loss: DeviceLoss) => {} };
  const calls: string[] = [];
  const trials: number[] = [];
  const listen = (name: 'outbox' | 'cache') => (listener: () => void) => {
    listeners[name] = listener;
    return () => void (listeners[name] = () => {});
  };
  const keeping = watchKeeping({
    clock,
    database: {
      onLoss(listener) {
        listeners.loss = listener;
        return () => {};
      },
      write(_name, value) {
        if (value !== null) trials.push(clock.now());
        if (world.isHung) return new Promise(() => {});
        return world.isFull && value !== null ? Promise.reject(new Error('no room')) : Promise.resolve();
      },
    },
    outbox: { status: () => world.status, subscribe: listen('outbox'), keepAgain: () => calls.push('outbox') },
    cache: { isFailing: () => world.isCacheFailing, subscribe: listen('cache'), keepAgain: () => calls.push('cache') },
    drafts: { keepAgain: () => calls.push('drafts') },
    inbox: { keepAgain: () => calls.push('inbox') },
    onChange: () => calls.push(keeping.isFailing() ? 'failing' : 'well'),
  });
  async function pass(ms: number): Promise<void> {
    clock.pass(ms);
    await settled();
  }
  return { clock, world, listeners, calls, trials, keeping, pass };
}

test('[F14] it fails from the first thing that was not kept until a trial went well, whatever was written meanwhile', async () => {
  const { world, listeners, calls, keeping, pass } = setUp();
  expect(keeping.isFailing()).toBe(false);
  world.isFull = true;
  world.status = 'memory';
  listeners.outbox();
  expect([keeping.isFailing(), calls]).toEqual([true, ['failing']]);
  // What waited has left: nothing is pending, and the next would not be kept either.
  world.status = 'kept';
  listeners.outbox();
  await pass(60_000);
  expect(keeping.isFailing()).toBe(true);
  world.isFull = false;
  await pass(4_000);
  expect([keeping.isFailing(), calls.slice(1)]).toEqual([false, ['cache', 'drafts', 'inbox', 'well']]);
});

test('[F14] trials are rare after a while, and one that is never answered does not end them', async () => {
  const { clock, world, listeners, trials, keeping, pass } = setUp();
  world.isFull = true;
  world.isCacheFailing = true;
  const from = clock.now();
  listeners.cache();
  for (let i = 0; i < 40; i++) await pass(250);
  expect(trials.map((at) => at - from)).toEqual([250, 750, 1_750, 3_750, 7_750]);
  world.isHung = true;
  for (let i = 0; i < 80; i++) await pass(250);
  expect(trials.length).toBeGreaterThan(6);
  world.isHung = false;
  world.isFull = false;
  for (let i = 0; i < 40; i++) await pass(250);
  expect(keeping.isFailing()).toBe(false);
});

test('[F14] a cleared device gets back at once what waits, and the rest when it takes it', async () => {
  const { listeners, calls, pass } = setUp();
  listeners.loss('closed');
  listeners.loss('cleared');
  expect(calls).toEqual(['failing', 'outbox']);
  await pass(250);
  expect(calls.slice(2)).toEqual(['cache', 'drafts', 'inbox', 'well']);
});

test('[F14] what fails again and again is tried less and less', async () => {
  const { clock, listeners, trials, pass } = setUp();
  const gaps: number[] = [];
  for (let i = 0; i < 6; i++) {
    const from = clock.now();
    listeners.loss('failed');
    const before = trials.length;
    while (trials.length === before) await pass(50);
    gaps.push(clock.now() - from);
  }
  expect(gaps).toEqual([250, 500, 1_000, 2_000, 4_000, 4_000]);
  await pass(31_000);
  const from = clock.now();
  listeners.loss('failed');
  await pass(250);
  expect(trials.at(-1)).toBe(from + 250);
});

test('closed, it tries nothing more', async () => {
  const { listeners, keeping, trials, pass } = setUp();
  listeners.loss('failed');
  keeping.close();
  listeners.loss('failed');
  await pass(10_000);
  expect(trials).toEqual([]);
});
