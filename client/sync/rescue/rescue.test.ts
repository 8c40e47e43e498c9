import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../../../shared/clock.ts';
import { type Uuid, makeUuid } from '../../../shared/ids.ts';
import type { ConversationReplica } from '../conversation-replica.ts';
import { openRequestMover } from '../move-requests.ts';
import { startCore } from '../test-core.ts';
import { type Core, type Tab, isWaiting, openTab } from '../test-tab.ts';

const closers: (() => void)[] = [];
const soon = { timeout: 30_000, interval: 20 };
let disks = new Map<string, IDBFactory>();
beforeEach(() => void (disks = new Map()));
afterEach(() => closers.splice(0).forEach((close) => close()));

/** Somebody's device, which has a disk of its own. */
async function onDevice<T>(name: string, open: () => T): Promise<T> {
  const disk = disks.get(name) ?? new IDBFactory();
  disks.set(name, disk);
  globalThis.indexedDB = disk;
  const opened = open();
  // What it opens at once is opened on its own disk.
  await new Promise((resolve) => setTimeout(resolve, 50));
  return opened;
}
const device = (name: string, core: Core, me: Uuid): Promise<Tab> =>
  onDevice(name, () => {
    const tab = openTab(closers, core, me);
    const requests = openRequestMover({
      me: { id: me },
      outbox: tab.outbox,
      api: core.apiOf(me),
      clock: systemClock,
      random: systemRandom,
      moves: () => true,
      isReachable: core.isUp,
      row: () => undefined,
      onAnswered: () => {},
      onBlocked: async () => {},
    });
    closers.push(requests.close);
    return tab;
  });
const open = (name: string, tab: Tab, id: Uuid): Promise<ConversationReplica> => onDevice(name, () => tab.conversations.open(id));
const texts = (replica: ConversationReplica): (string | null)[] => replica.messages().map(({ body }) => body);
const isSent = (...tabs: Tab[]) => expect.poll(() => tabs.some(isWaiting), soon).toBe(false);

async function setUp() {
  const core = await startCore(systemClock);
  const { ana, ben, conversationId } = core.world;
  const [a, b] = [await device('ana', core, ana), await device('ben', core, ben)];
  const [mine, theirs] = [await open('ana', a, conversationId), await open('ben', b, conversationId)];
  mine.send('in the backup');
  await expect.poll(() => [texts(mine), texts(theirs)], soon).toEqual([['in the backup'], ['in the backup']]);
  await isSent(a);
  return { core, a, b, mine, theirs, ana, ben, conversationId };
}

test('[F21] [A2] what was sent after the backup comes back from its authors, once, before what was written later; everybody sees the same', async () => {
  const { core, a, b, mine, theirs, conversationId } = await setUp();
  const restore = core.backUp();
  mine.send('from Ana, lost');
  await expect.poll(() => texts(theirs).length, soon).toBe(2);
  theirs.send('from Ben, lost');
  await expect.poll(() => texts(mine).length, soon).toBe(3);
  await isSent(a, b);
  await restore();
  mine.send('written offline');
  core.heal();
  await isSent(a, b);
  await expect.poll(() => texts(mine).length, soon).toBe(4);
  const history = core.history(conversationId);
  expect(history[0]).toBe('in the backup');
  expect(history.filter((text) => text !== 'from Ben, lost')).toEqual(['in the backup', 'from Ana, lost', 'written offline']);
  expect(history.toSorted((a, b) => (a! < b! ? -1 : 1))).toEqual(['from Ana, lost', 'from Ben, lost', 'in the backup', 'written offline']);
  await expect.poll(() => [texts(mine), texts(theirs)], soon).toEqual([history, history]);
  expect(core.refusals.map(({ reason }) => reason)).toContain('restored');
  mine.send('and on');
  await expect.poll(() => texts(theirs).at(-1), soon).toBe('and on');
});

test('[F21] two devices of one person bring the same message back, and it is there once', async () => {
  const { core, a, b, mine, theirs, ana, conversationId } = await setUp();
  const second = await device('ana’s other', core, ana);
  const also = await open('ana’s other', second, conversationId);
  const restore = core.backUp();
  mine.send('lost');
  await expect.poll(() => [texts(also).length, texts(theirs).length], soon).toEqual([2, 2]);
  await isSent(a);
  await restore();
  core.heal();
  await expect.poll(() => core.history(conversationId), soon).toEqual(['in the backup', 'lost']);
  await expect.poll(() => [mine, also, theirs].map(texts), soon).toEqual(Array(3).fill(['in the backup', 'lost']));
  await isSent(a, b, second);
  expect(core.history(conversationId)).toEqual(['in the backup', 'lost']);
  expect([a, second].flatMap(({ outbox }) => outbox.entries())).toEqual([]);
});

test('[F21] [D7] an edit and a deletion from after the backup hold: the author’s device says them again', async () => {
  const { core, a, b, mine, theirs, conversationId } = await setUp();
  mine.send('to be deleted');
  await expect.poll(() => texts(theirs).length, soon).toBe(2);
  await isSent(a);
  const restore = core.backUp();
  const [first, second] = mine.messages().map(({ id }) => id);
  mine.edit(first!, 'edited');
  mine.remove(second!);
  // With a struct of the server's, so that the copy is refused and not just caught up with.
  mine.send('lost');
  await expect.poll(() => texts(theirs), soon).toEqual(['edited', null, 'lost']);
  await isSent(a);
  await restore();
  expect(core.history(conversationId)).toEqual(['in the backup', 'to be deleted']);
  core.heal();
  await expect.poll(() => core.history(conversationId), soon).toEqual(['edited', null, 'lost']);
  await isSent(a, b);
  await expect.poll(() => [texts(mine), texts(theirs)], soon).toEqual(Array(2).fill(['edited', null, 'lost']));
});

test('[F21] a tab that ends between the refusal and what follows from it leaves it to the next one', async () => {
  const { core, a, mine, ana, theirs, conversationId } = await setUp();
  const restore = core.backUp();
  mine.send('lost');
  await expect.poll(() => texts(theirs).length, soon).toBe(2);
  await isSent(a);
  await restore();
  core.heal();
  await expect.poll(() => [...a.rescues.documents()].length + a.outbox.entries().length, { ...soon, interval: 0 }).toBeGreaterThan(0);
  core.cut();
  mine.send('written later');
  await new Promise((resolve) => setTimeout(resolve, 50));
  a.close();
  const again = await device('ana', core, ana);
  core.heal();
  await expect.poll(() => core.history(conversationId), soon).toEqual(['in the backup', 'lost', 'written later']);
  await isSent(again);
});

test('[F21] a device that comes late brings what is lost, and nothing that was said anew meanwhile', async () => {
  const { core, a, mine, theirs, ana, conversationId } = await setUp();
  const second = await device('ana’s other', core, ana);
  const also = await open('ana’s other', second, conversationId);
  await expect.poll(() => texts(also).length, soon).toBe(1);
  const restore = core.backUp();
  mine.send('lost');
  await expect.poll(() => [texts(also).length, texts(theirs).length], soon).toEqual([2, 2]);
  await isSent(a);
  a.close();
  await restore();
  core.heal();
  await expect.poll(() => core.history(conversationId), soon).toEqual(['in the backup', 'lost']);
  await expect.poll(() => texts(also), soon).toEqual(['in the backup', 'lost']);
  also.edit(also.messages()[0]!.id, 'said anew');
  await expect.poll(() => core.history(conversationId), soon).toEqual(['said anew', 'lost']);
  const refusals = core.refusals.length;
  const late = await device('ana', core, ana);
  const again = await open('ana', late, conversationId);
  await expect.poll(() => texts(again), soon).toEqual(['said anew', 'lost']);
  await isSent(late);
  expect(core.history(conversationId)).toEqual(['said anew', 'lost']);
  expect(core.refusals.slice(refusals).map(({ reason }) => reason)).toContain('restored');
});

test('[F21] segments and direct conversations that the backup does not know are brought back, a group’s messages fail with words', async () => {
  const { core, a, mine, theirs, ana, conversationId } = await setUp();
  const { node } = core.world;
  const restore = core.backUp();
  const carl = makeUuid(1, systemRandom);
  const { conversationId: direct } = await node.messaging.openDirect(ana, carl);
  const { conversationId: group } = await node.messaging.openGroup(ana, 'Gone', [carl]);
  const [toCarl, toAll] = [await open('ana', a, direct), await open('ana', a, group)];
  toCarl.send('only for Carl');
  toAll.send('for everybody');
  for (let i = 0; i < 510; i++) mine.send(`${i}`);
  await isSent(a);
  await expect.poll(() => [texts(toCarl), texts(toAll), texts(theirs).at(-1)], soon).toEqual([['only for Carl'], ['for everybody'], '509']);
  await restore();
  core.heal();
  await expect.poll(() => core.history(conversationId).length, soon).toBe(511);
  // Those of one millisecond and two segments have no order among them.
  const numbers = core.history(conversationId).slice(1).map(Number);
  for (const isOf of [(n: number) => n < 499, (n: number) => n >= 499])
    expect(numbers.filter(isOf)).toEqual(Array.from({ length: 510 }, (_, i) => i).filter(isOf));
  await expect.poll(() => core.world.store.conversations.has(direct) && core.history(direct), soon).toEqual(['only for Carl']);
  await expect
    .poll(() => toAll.pending().map(({ state, value }) => [state, value[0]]), soon)
    .toEqual([[{ kind: 'failed', code: 'lost' }, 'for everybody']]);
  await isSent(a);
  await expect.poll(() => texts(toCarl), soon).toEqual(['only for Carl']);
});
