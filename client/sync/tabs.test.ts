import { afterEach, expect, test } from 'vitest';
import { systemRandom } from '../../shared/clock.ts';
import { makeUuid } from '../../shared/ids.ts';
import { settled } from './test-server.ts';
import { makeTestLocks } from './test-locks.ts';
import { type Tabs, joinTabs } from './tabs.ts';

const [ana, ben] = [1, 2].map((n) => makeUuid(n, systemRandom)) as [string, string];
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

function makeBrowser(locks: LockManager | null = makeTestLocks()) {
  return (account = ana): Tabs & { turns: () => number } => {
    let turns = 0;
    const tabs = joinTabs({
      account,
      locks: locks ?? undefined,
      makeChannel: (name) => new BroadcastChannel(name),
      onMover: () => (turns += 1),
    });
    closers.push(tabs.close);
    return { ...tabs, turns: () => turns };
  };
}
const movers = (...tabs: Tabs[]): boolean[] => tabs.map((tab) => tab.isMover());

test('[C11.1] one tab moves; when it closes the next one does, and a tab that left the queue never does', async () => {
  const open = makeBrowser();
  const [a, b, c, d] = [open(), open(), open(), open()];
  await settled();
  expect(movers(a, b, c, d)).toEqual([true, false, false, false]);
  b.close();
  a.close();
  await settled();
  expect(movers(a, b, c, d)).toEqual([false, false, true, false]);
  expect([a, b, c, d].map((tab) => tab.turns())).toEqual([1, 0, 1, 0]);
});

test('a tab that resigns goes behind those who wait; alone it goes on', async () => {
  const open = makeBrowser();
  const a = open();
  await settled();
  a.resign();
  expect(movers(a)).toEqual([false]);
  await settled();
  expect([movers(a), a.turns()]).toEqual([[true], 2]);
  const b = open();
  a.resign();
  await settled();
  expect(movers(a, b)).toEqual([false, true]);
  // Not the mover: there is nothing to give up.
  a.resign();
  b.close();
  await settled();
  expect(movers(a, b)).toEqual([true, false]);
});

test('each account has a mover of its own, and hears nothing of the others', async () => {
  const open = makeBrowser();
  const [a, b] = [open(ana), open(ben)];
  await settled();
  expect(movers(a, b)).toEqual([true, true]);
  const heard: unknown[] = [];
  b.siblings.listen((ids) => heard.push(ids));
  a.siblings.tell(['m:1']);
  await settled();
  expect(heard).toEqual([]);
});

test('what one tells the others hear, itself not; what is no news of ours is nothing', async () => {
  const open = makeBrowser();
  const [a, b, c] = [open(), open(), open()];
  const heard: string[] = [];
  for (const [name, tab] of Object.entries({ a, b, c })) {
    tab.siblings.listen((ids) => heard.push(`${name}: ${ids.join()}`));
    tab.drops.listen((documentId, generation) => heard.push(`${name}: ${documentId} is at ${generation}`));
  }
  const unlisten = c.drops.listen(() => heard.push('never'));
  unlisten();
  a.siblings.tell(['m:1', 'm:2']);
  b.drops.tell('some/1', 3);
  await expect.poll(() => heard.length).toBe(4);
  expect(heard.sort()).toEqual(['a: some/1 is at 3', 'b: m:1,m:2', 'c: m:1,m:2', 'c: some/1 is at 3']);

  const stranger = new BroadcastChannel(`homing/${ana}`);
  for (const odd of [null, 'words', { outbox: [1] }, { dropped: 'some/1' }, { outbox: 'all' }]) stranger.postMessage(odd);
  stranger.postMessage({ outbox: ['m:3'] });
  await expect.poll(() => heard.length).toBe(7);
  stranger.close();
  expect(heard.slice(4).sort()).toEqual(['a: m:3', 'b: m:3', 'c: m:3']);
});

test('without Web Locks every tab moves, and has nothing to give up', () => {
  const open = makeBrowser(null);
  const [a, b] = [open(), open()];
  a.resign();
  expect(movers(a, b)).toEqual([true, true]);
});
