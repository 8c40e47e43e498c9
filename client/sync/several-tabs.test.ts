import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { systemClock, systemRandom } from '../../shared/clock.ts';
import type { Uuid } from '../../shared/ids.ts';
import { type Conversations, makeConversations } from './conversations.ts';
import type { OutboxStore } from './outbox/outbox-store.ts';
import { type Outbox, openOutbox } from './outbox/outbox.ts';
import { openDeviceDatabase } from './storage/device-database.ts';
import { openReplicaCache } from './storage/replica-cache.ts';
import type { Provider } from './provider.ts';
import { joinTabs, makeMoves } from './tabs.ts';
import { startCore } from './test-core.ts';
import { makeTestLocks } from './test-locks.ts';

const closers: (() => void)[] = [];
beforeEach(() => void (globalThis.indexedDB = new IDBFactory()));
afterEach(() => closers.splice(0).forEach((close) => close()));

type Core = Awaited<ReturnType<typeof startCore>>;
interface Tab {
  outbox: Outbox;
  conversations: Conversations;
  isMover: () => boolean;
  close: () => void;
}
const soon = { timeout: 40_000, interval: 20 };

/** The outbox of one tab on the device; the test breaks it. */
function breakable() {
  let isBroken = false;
  const wrap = (store: OutboxStore): OutboxStore => ({
    load: store.load,
    change: (ids, decide) => (isBroken ? Promise.reject(new DOMException('no room', 'QuotaExceededError')) : store.change(ids, decide)),
  });
  return { wrap, setBroken: (next: boolean) => void (isBroken = next) };
}

/** A document that never gets through. */
const NO_PROVIDER: Provider = { awareness: new Awareness(new Y.Doc()), connect() {}, close() {} };

/** One more tab of a person in the same browser. */
function openTab(
  core: Core,
  me: Uuid,
  locks: LockManager | undefined,
  wrap = (store: OutboxStore): OutboxStore => store,
  openProvider = core.openProviderOf(me),
): Tab {
  const database = openDeviceDatabase(me, systemRandom);
  const tabs = joinTabs({ account: me, locks, makeChannel: (name) => new BroadcastChannel(name), onMover: () => conversations.takeOver() });
  const outbox = openOutbox({ store: wrap(database.outbox), siblings: tabs.siblings, clock: systemClock });
  const cache = openReplicaCache({ account: me, database, news: tabs.drops, clock: systemClock });
  const conversations = makeConversations({
    me,
    outbox,
    cache,
    clock: systemClock,
    random: systemRandom,
    moves: makeMoves(tabs, outbox),
    recent: () => [],
    row: () => undefined,
    openProvider,
  });
  const stop = outbox.subscribe(conversations.settle);
  const close = (): void => {
    stop();
    conversations.close();
    outbox.close();
    cache.close();
    tabs.close();
    database.close();
  };
  closers.push(close);
  return { outbox, conversations, isMover: tabs.isMover, close };
}
const isDone = (...tabs: Tab[]): boolean => tabs.every(({ outbox }) => outbox.status() !== 'loading' && outbox.entries().length === 0);
const sent = (texts: (string | null)[], mark: string): string[] => texts.filter((text) => text?.startsWith(mark)) as string[];
const written = (mark: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${mark} ${i}`);

describe('[F14] a tab whose storage fails', () => {
  test('does not keep to itself what it wrote, and it is not sent again when its storage is mended', async () => {
    const core = await startCore(systemClock);
    const { ana, conversationId } = core.world;
    const locks = makeTestLocks();
    const { wrap, setBroken } = breakable();
    const [mover, follower] = [openTab(core, ana, locks), openTab(core, ana, locks, wrap)];
    await expect.poll(() => [mover, follower].map(({ outbox }) => outbox.status()), soon).toEqual(['kept', 'kept']);
    expect([mover.isMover(), follower.isMover()]).toEqual([true, false]);
    setBroken(true);
    written('follower', 20).forEach(follower.conversations.open(conversationId).send);
    written('mover', 20).forEach(mover.conversations.open(conversationId).send);
    await expect.poll(() => core.history(conversationId).length, soon).toBe(40);
    expect(follower.outbox.status()).toBe('memory');
    setBroken(false);
    await expect.poll(() => isDone(mover, follower) && follower.outbox.status() === 'kept', soon).toBe(true);
    const history = core.history(conversationId);
    expect([sent(history, 'follower'), sent(history, 'mover')]).toEqual([written('follower', 20), written('mover', 20)]);
    expect([history.length, core.refusals]).toEqual([40, []]);
  });

  test('mended while its mail is under way, it sends it once all the same', async () => {
    const core = await startCore(systemClock);
    const { ana, conversationId } = core.world;
    const locks = makeTestLocks();
    const { wrap, setBroken } = breakable();
    const [mover, follower] = [openTab(core, ana, locks), openTab(core, ana, locks, wrap)];
    await expect.poll(() => follower.outbox.status(), soon).toBe('kept');
    core.cut();
    setBroken(true);
    written('follower', 20).forEach(follower.conversations.open(conversationId).send);
    await expect.poll(() => follower.outbox.status(), soon).toBe('memory');
    core.heal();
    // Cut when it is stored and its writer does not know it yet.
    while (core.history(conversationId).length === 0) await new Promise((resolve) => setImmediate(resolve));
    core.cut();
    expect(follower.outbox.entries()).toHaveLength(20);
    setBroken(false);
    await expect.poll(() => mover.outbox.entries().length, soon).toBe(20);
    core.heal();
    await expect.poll(() => isDone(mover, follower), soon).toBe(true);
    expect([core.history(conversationId), core.refusals]).toEqual([written('follower', 20), []]);
  });

  test('hears of what the others wrote as soon as it can', async () => {
    const core = await startCore(systemClock);
    const { ana, conversationId } = core.world;
    const { wrap, setBroken } = breakable();
    const [one, other] = [openTab(core, ana, makeTestLocks()), openTab(core, ana, undefined, wrap)];
    core.cut();
    await expect.poll(() => other.outbox.status(), soon).toBe('kept');
    setBroken(true);
    one.conversations.open(conversationId).send('written there');
    await expect.poll(() => other.outbox.status(), soon).toBe('memory');
    setBroken(false);
    await expect.poll(() => other.outbox.of(conversationId).length, soon).toBe(1);
    expect(other.outbox.status()).toBe('kept');
  });
});

test('[C11.1] whoever takes over sends what waits, though nothing else happens', async () => {
  const core = await startCore(systemClock);
  const { ana, conversationId } = core.world;
  const locks = makeTestLocks();
  // The mover never gets through.
  const [mover, follower] = [openTab(core, ana, locks, undefined, () => NO_PROVIDER), openTab(core, ana, locks)];
  await expect.poll(() => [mover, follower].map(({ outbox }) => outbox.status()), soon).toEqual(['kept', 'kept']);
  const replica = follower.conversations.open(conversationId);
  await expect.poll(() => replica.status().kind, soon).toBe('live');
  replica.send('waits for somebody');
  await expect.poll(() => replica.isKept(replica.pending()[0]!), soon).toBe(true);
  mover.close();
  await expect.poll(() => core.history(conversationId), soon).toEqual(['waits for somebody']);
});

test('[C11.1] a tab whose own line is late shows what it wrote all the time, though the other tab has seen it arrive', async () => {
  const core = await startCore(systemClock);
  const { ana, conversationId } = core.world;
  const locks = makeTestLocks();
  const mover = openTab(core, ana, locks);
  await expect.poll(mover.isMover, soon).toBe(true);
  const late: (() => void)[] = [];
  const real = core.openProviderOf(ana);
  const follower = openTab(core, ana, locks, undefined, (documentId, doc, on) => {
    const provider = real(documentId, doc, on);
    return { ...provider, connect: () => void late.push(provider.connect) };
  });
  const replica = follower.conversations.open(conversationId);
  const shown = (): (string | null)[] => [...replica.messages().map(({ body }) => body), ...replica.pending().map(({ value }) => value[0])];
  const seen = new Set<string>();
  replica.subscribe(() => seen.add(shown().join()));
  replica.send('one');
  replica.send('two');
  await expect.poll(() => core.history(conversationId), soon).toEqual(['one', 'two']);
  await expect.poll(() => isDone(mover, follower), soon).toBe(true);
  expect([replica.messages(), replica.pending().map(replica.isKept)]).toEqual([[], [true, true]]);
  await expect.poll(() => (late.splice(0).forEach((connect) => connect()), replica.messages().length), soon).toBe(2);
  expect([shown(), [...seen]]).toEqual([
    ['one', 'two'],
    ['one', 'one,two'],
  ]);
});

test('without Web Locks two tabs move at once: each message arrives once, in its tab’s order, through cuts', async () => {
  const core = await startCore(systemClock);
  const { ana, conversationId } = core.world;
  const tabs = [openTab(core, ana, undefined), openTab(core, ana, undefined)];
  const replicas = tabs.map((tab) => tab.conversations.open(conversationId));
  for (let i = 0; i < 60; i++) {
    replicas[i % 2]!.send(`tab ${i % 2} ${Math.floor(i / 2)}`);
    if (i % 9 === 4) core.cut();
    if (i % 9 === 8) core.heal();
    if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  core.heal();
  await expect.poll(() => isDone(...tabs), soon).toBe(true);
  const history = core.history(conversationId);
  expect(history).toHaveLength(60);
  for (const mark of ['tab 0', 'tab 1']) expect(sent(history, mark)).toEqual(written(mark, 30));
  expect(core.refusals).toEqual([]);
});

test('without Web Locks what was waiting when both tabs start leaves once, over several segments', async () => {
  const core = await startCore(systemClock);
  const { ana, conversationId } = core.world;
  core.cut();
  const before = openTab(core, ana, undefined);
  written('waiting', 1_200).forEach(before.conversations.open(conversationId).send);
  await expect.poll(() => before.outbox.entries().every(({ id }) => before.outbox.isKept(id)), soon).toBe(true);
  before.close();
  const tabs = [openTab(core, ana, undefined), openTab(core, ana, undefined)];
  core.heal();
  await expect.poll(() => isDone(...tabs), soon).toBe(true);
  expect(core.history(conversationId)).toEqual(written('waiting', 1_200));
  expect(core.refusals).toEqual([]);
});
