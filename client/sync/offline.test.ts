import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../../shared/clock.ts';
import { makeUuid } from '../../shared/ids.ts';
import { laneName } from '../../shared/segment.ts';
import type { OutboxStore } from './outbox/outbox-store.ts';
import { startCore } from './test-core.ts';
import { type Tab, isWaiting, openTab } from './test-tab.ts';

const closers: (() => void)[] = [];
beforeEach(() => void (globalThis.indexedDB = new IDBFactory()));
afterEach(() => closers.splice(0).forEach((close) => close()));

/** Everything asked for until now has been written, removals too. */
async function isWritten({ outbox }: Tab): Promise<boolean> {
  await new Promise<void>((written) => outbox.claim([], written));
  return outbox.status() === 'kept';
}
const isAllKept = ({ outbox }: Tab): boolean => outbox.entries().every(({ id }) => outbox.isKept(id));
const soon = { timeout: 50_000, interval: 20 };

test('[C6.5, C6.6] 50 messages in 3 conversations, 5 changed and 5 removed, through a restart: 45 arrive, once, in order', async () => {
  const core = await startCore(systemClock);
  const { node, ana } = core.world;
  const others = [1, 2, 3].map((n) => makeUuid(n, systemRandom));
  const ids = await Promise.all(others.map(async (other) => (await node.messaging.openDirect(ana, other)).conversationId));
  core.cut();
  const before = openTab(closers, core, ana);
  const expected: string[][] = [[], [], []];
  for (let i = 0; i < 50; i++) {
    const replica = before.conversations.open(ids[i % 3]!);
    replica.send(`message ${i}`);
    const { messageId } = replica.pending().at(-1)!;
    if (i % 10 === 3) replica.edit(messageId, `changed ${i}`);
    if (i % 10 === 7) replica.remove(messageId);
    else expected[i % 3]!.push(i % 10 === 3 ? `changed ${i}` : `message ${i}`);
  }
  await expect.poll(() => isAllKept(before), soon).toBe(true);
  before.close();

  const after = openTab(closers, core, ana);
  await expect.poll(() => after.outbox.entries().length, soon).toBe(45);
  core.heal();
  await expect.poll(() => isWaiting(after), soon).toBe(false);
  expect(ids.map(core.history)).toEqual(expected);
  expect(core.refusals).toEqual([]);
});

test('[W6, D4] 5,000 waiting messages arrive in ten segments without one refusal', async () => {
  const core = await startCore(systemClock);
  const { ana, conversationId } = core.world;
  core.cut();
  const tab = openTab(closers, core, ana);
  const replica = tab.conversations.open(conversationId);
  const texts = Array.from({ length: 5_000 }, (_, i) => `message ${i}`);
  texts.forEach(replica.send);
  core.heal();
  await expect.poll(() => isWaiting(tab), soon).toBe(false);
  expect(core.history(conversationId)).toEqual(texts);
  expect(core.logs(conversationId).filter((length) => length > 0)).toEqual(Array(10).fill(500));
  expect(core.refusals).toEqual([]);
  expect(core.largest()).toBeLessThan(32 * 1024);
});

test('edits and deletions of sent messages wait, survive a lost copy, and win or give way as they should', async () => {
  const core = await startCore(systemClock);
  const { ana, conversationId } = core.world;
  const first = openTab(closers, core, ana);
  const replica = first.conversations.open(conversationId);
  ['one', 'two', 'three'].forEach(replica.send);
  await expect.poll(() => isWaiting(first), soon).toBe(false);
  await expect.poll(() => replica.messages().length, soon).toBe(3);
  core.cut();
  const [one, two, three] = replica.messages().map(({ id }) => id);
  replica.edit(one!, 'ONE');
  replica.edit(one!, 'One');
  replica.remove(two!);
  replica.edit(two!, 'never seen');
  replica.edit(three!, 'Three');
  expect(first.outbox.entries().map(({ kind }) => kind)).toEqual(['edit', 'delete', 'edit']);
  await expect.poll(() => isAllKept(first), soon).toBe(true);
  first.close();
  for (const { name } of await indexedDB.databases()) if (name?.startsWith(`${ana}/`)) indexedDB.deleteDatabase(name);

  const again = openTab(closers, core, ana);
  core.heal();
  await expect.poll(() => isWaiting(again), soon).toBe(false);
  expect(core.history(conversationId)).toEqual(['One', null, 'Three']);
  expect(core.refusals).toEqual([]);
});

test('a removal of what may have left takes it back, whether it arrived or not', async () => {
  const core = await startCore(systemClock);
  const { ana, conversationId } = core.world;
  const tab = openTab(closers, core, ana);
  const replica = tab.conversations.open(conversationId);
  await expect.poll(() => replica.status().kind, soon).toBe('live');
  replica.send('arrives');
  const arriving = replica.pending()[0]!.messageId;
  await expect.poll(() => core.history(conversationId), soon).toEqual(['arrives']);
  // Cut before the word of it is here, then on the way out.
  core.cut();
  replica.remove(arriving);
  replica.send('never left');
  replica.remove(replica.pending().at(-1)!.messageId);
  core.heal();
  await expect.poll(() => core.history(conversationId), soon).toEqual([null]);
  await expect.poll(() => tab.outbox.entries(), soon).toEqual([]);
  expect(core.refusals).toEqual([]);
});

test('an edit that another device has written over is done, and does not fight', async () => {
  const core = await startCore(systemClock);
  const { ana, conversationId } = core.world;
  const first = openTab(closers, core, ana);
  const mine = first.conversations.open(conversationId);
  mine.send('text');
  await expect.poll(() => mine.messages().length, soon).toBe(1);
  const { id } = mine.messages()[0]!;
  const database = globalThis.indexedDB;
  globalThis.indexedDB = new IDBFactory();
  const second = openTab(closers, core, ana);
  const theirs = second.conversations.open(conversationId);
  await expect.poll(() => theirs.messages().length, soon).toBe(1);
  globalThis.indexedDB = database;
  mine.edit(id, 'first');
  theirs.edit(id, 'second');
  await expect.poll(() => isWaiting(first) || isWaiting(second), soon).toBe(false);
  await expect.poll(() => mine.messages()[0]!.body === theirs.messages()[0]!.body, soon).toBe(true);
  expect(core.history(conversationId)).toEqual([mine.messages()[0]!.body]);
});

test('an edit of what was deleted meanwhile fails as gone, and keeps its text', async () => {
  const core = await startCore(systemClock);
  const { ana, conversationId } = core.world;
  const tab = openTab(closers, core, ana);
  const replica = tab.conversations.open(conversationId);
  replica.send('text');
  await expect.poll(() => replica.messages().length, soon).toBe(1);
  const { id } = replica.messages()[0]!;
  replica.remove(id);
  await expect.poll(() => replica.messages()[0]!.body, soon).toBe(null);
  await expect.poll(() => isWaiting(tab), soon).toBe(false);
  replica.edit(id, 'too late');
  await expect.poll(() => replica.changeOf(id)?.state, soon).toEqual({ kind: 'failed', code: 'gone' });
  expect(replica.changeOf(id)).toMatchObject({ body: 'too late' });
  replica.discard(id);
  expect(tab.outbox.entries()).toEqual([]);
});

test('[C6.9] the private document is there at a cold start without a network, the one that goes on from a closed one too', async () => {
  const core = await startCore(systemClock);
  const { ana, conversationId, row } = core.world;
  const tab = openTab(closers, core, ana);
  const peer = await core.world.open(ana, `user:${ana}/1`);
  const other = makeUuid(1, systemRandom);
  peer.change((doc) => doc.getMap(laneName(ana)).set(`d${conversationId}`, 'begun elsewhere'));
  for (let i = 0; i === 0 || row(ana).state.open < 2; i++) {
    peer.change((doc) => doc.getMap(laneName(ana)).set(`d${other}`, `${i} `.padEnd(8_000, 'x')));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  tab.personal.mark(conversationId, { pin: 1 });
  await expect.poll(() => isWaiting(tab), soon).toBe(false);
  core.cut();
  tab.close();
  const cold = async (): Promise<unknown> => {
    const again = openTab(closers, core, ana);
    await again.personal.ready;
    const shown = [again.personal.draft(conversationId), again.personal.marks(conversationId)];
    again.close();
    return shown;
  };
  await expect.poll(cold, soon).toEqual(['begun elsewhere', { pin: 1 }]);
});

/** Chance that can be had again. */
function makeChance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test.each(Array.from({ length: 12 }, (_, i) => i + 1))(
  '[F5, F12, F14] cuts, restarts, lost copies, full disks and aborted commits at any moment (seed %i): all that was kept is there once, in order',
  async (seed) => {
    const chance = makeChance(seed);
    const core = await startCore(systemClock);
    const { ana, conversationId } = core.world;
    let isFull = false;
    const flaky = (store: OutboxStore): OutboxStore => ({
      load: store.load,
      async change(ids, decide) {
        if (isFull) throw new DOMException('no room', 'QuotaExceededError');
        if (chance(12) === 0) throw new DOMException('aborted', 'AbortError');
        const outcome = await store.change(ids, decide);
        if (chance(20) === 0) throw new DOMException('written, and the word of it lost', 'AbortError');
        return outcome;
      },
    });
    let tab = openTab(closers, core, ana, flaky);
    const expected = new Map<string, string | null>();
    const reacted = new Set<string>();
    const drafts = new Map<string, string>();
    const dropCopies = async (): Promise<void> => {
      for (const { name } of await indexedDB.databases()) if (name?.startsWith(`${ana}/`)) indexedDB.deleteDatabase(name);
    };
    for (let step = 0; step < 60; step++) {
      const replica = tab.conversations.open(conversationId);
      const own = [...expected].filter(([, text]) => text !== null).map(([id]) => id);
      const target = own[chance(own.length || 1)];
      switch (chance(14)) {
        case 13:
          if (target !== undefined && !reacted.delete(target)) reacted.add(target);
          if (target !== undefined) replica.react(target, '👍', reacted.has(target));
          break;
        case 12:
          drafts.set(conversationId, `draft at ${step}`);
          tab.personal.setDraft(conversationId, `draft at ${step}`);
          break;
        case 11:
          drafts.delete(conversationId);
          tab.personal.setDraft(conversationId, '');
          break;
        case 10:
          isFull = !isFull;
          break;
        case 0:
          core.cut();
          break;
        case 1:
          core.heal();
          break;
        case 2:
          // What is not kept may be lost with the tab; its writer has been told so.
          isFull = false;
          await expect.poll(() => isWritten(tab), soon).toBe(true);
          tab.close();
          if (chance(2) === 0) await dropCopies();
          tab = openTab(closers, core, ana, flaky);
          await expect.poll(() => tab.outbox.status(), soon).not.toBe('loading');
          break;
        case 3:
          if (target !== undefined) {
            replica.edit(target, `edited at ${step}`);
            expected.set(target, `edited at ${step}`);
          }
          break;
        case 4:
          if (target !== undefined) {
            replica.remove(target);
            expected.set(target, null);
          }
          break;
        case 5:
          await new Promise((resolve) => setTimeout(resolve, chance(60)));
          break;
        default:
          replica.send(`written at ${step}`);
          expected.set(replica.pending().at(-1)!.messageId, `written at ${step}`);
      }
    }
    isFull = false;
    core.heal();
    await expect.poll(() => isWaiting(tab), soon).toBe(false);
    const history = core.history(conversationId).filter((body) => body !== null);
    expect(history).toEqual([...expected.values()].filter((body) => body !== null));
    const alive = [...core.world.row().messages.values()].filter(({ body }) => body !== null);
    const withReactions = alive.filter(({ reactions }) => reactions.get(ana)?.length).map(({ id }) => id);
    expect(withReactions.sort()).toEqual([...reacted].filter((id) => expected.get(id) !== null).sort());
    const lane = core.document(ana, 1).getMap(laneName(ana));
    expect(lane.get(`d${conversationId}`) ?? '').toBe(drafts.get(conversationId) ?? '');
    expect(core.refusals).toEqual([]);
    expect(tab.outbox.entries()).toEqual([]);
  },
);
