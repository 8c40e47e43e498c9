import { afterEach, describe, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../../../shared/clock.ts';
import { makeUuid } from '../../../shared/ids.ts';
import { LIMITS } from '../../../shared/limits.ts';
import { laneName } from '../../../shared/segment.ts';
import type { Entry } from '../outbox/entry.ts';
import { makeMemoryOutboxStore } from '../outbox/outbox-store.ts';
import type { Siblings } from '../outbox/outbox.ts';
import { startCore } from '../test-core.ts';
import { type Core, type TestDevice, isQuiet, openDevice, soon, untilKept, untilQuiet } from '../test-device.ts';

const devices: TestDevice[] = [];
afterEach(() => devices.splice(0).forEach(({ close }) => close()));
const open = (...asked: Parameters<typeof openDevice>): TestDevice => {
  const device = openDevice(...asked);
  devices.push(device);
  return device;
};
const lane = (core: Core, n: number): Record<string, unknown> => core.document(core.world.ana, n).getMap(laneName(core.world.ana)).toJSON();
const openNumber = (core: Core): number => core.world.row(core.world.ana).state.open;
const other = makeUuid(7, systemRandom);

async function setUp() {
  const core = await startCore(systemClock);
  const { ana, conversationId } = core.world;
  const [phone, desk] = [open(core, ana), open(core, ana)];
  return { core, ana, id: conversationId, phone, desk };
}

test('[D8] drafts, marks and settings of one device are there on the other, as writes of the log', async () => {
  const { core, id, phone, desk } = await setUp();
  phone.personal.setDraft(id, 'and then');
  phone.personal.mark(id, { pin: 3 });
  phone.personal.mark(id, { mute: 12 });
  phone.personal.set('density', 'compact');
  expect([phone.personal.draft(id), phone.personal.marks(id), phone.personal.setting('density')]).toEqual([
    'and then',
    { pin: 3, mute: 12 },
    'compact',
  ]);
  await expect.poll(() => desk.personal.draft(id), soon).toBe('and then');
  await expect.poll(() => desk.personal.marks(id), soon).toEqual({ pin: 3, mute: 12 });
  await expect.poll(() => desk.personal.setting('density'), soon).toBe('compact');
  await untilQuiet(phone);
  expect(lane(core, 1)).toEqual({ [`d${id}`]: 'and then', [`c${id}`]: { pin: 3, mute: 12 }, sdensity: 'compact' });
  expect([phone.outbox.entries(), core.refusals]).toEqual([[], []]);
  expect([phone.personal.draft(other), phone.personal.marks(other), phone.personal.setting('none')]).toEqual(['', {}, null]);
});

test('[D8] the newest draft is the last one in the order of the document, on every device', async () => {
  const { core, id, phone, desk } = await setUp();
  for (let round = 0; round < 5; round++) {
    phone.personal.setDraft(id, `phone ${round}`);
    desk.personal.setDraft(id, `desk ${round}`);
  }
  await untilQuiet(phone, desk);
  await expect.poll(() => phone.personal.draft(id) === desk.personal.draft(id), soon).toBe(true);
  expect(phone.personal.draft(id)).toMatch(/^(phone|desk) 4$/);
  desk.personal.setDraft(id, '');
  await expect.poll(() => phone.personal.draft(id), soon).toBe('');
  expect(core.refusals).toEqual([]);
});

test('marks that two devices change while apart are put together; of the same one the newer wins', async () => {
  const { core, ana, id, phone } = await setUp();
  phone.personal.mark(id, { pin: 1, archive: false });
  await untilQuiet(phone);
  core.cut();
  const held = new Map<string, Entry>();
  const before = open(core, ana, makeMemoryOutboxStore(held));
  before.personal.mark(id, { archive: true, pin: 2 });
  await untilKept(before);
  before.close();
  core.heal();
  phone.personal.mark(id, { mute: 99, pin: 3 });
  await untilQuiet(phone);
  const after = open(core, ana, makeMemoryOutboxStore(held));
  await untilQuiet(after);
  for (const { personal } of [phone, after]) await expect.poll(() => personal.marks(id), soon).toEqual({ pin: 2, archive: true, mute: 99 });
});

test('[C6.6] what was set offline leaves once when there is a network again, after a start that knows nothing but the outbox', async () => {
  const { core, ana, id, desk } = await setUp();
  core.cut();
  const held = new Map<string, Entry>();
  const before = open(core, ana, makeMemoryOutboxStore(held));
  for (const text of ['o', 'on', 'one']) before.personal.setDraft(id, text);
  before.personal.mark(other, { pin: 2 });
  await untilKept(before);
  before.close();
  expect(held.size).toBe(2);
  const after = open(core, ana, makeMemoryOutboxStore(held));
  core.heal();
  await untilQuiet(after);
  expect([lane(core, 1), held.size, core.updates(`user:${ana}/1`)]).toEqual([{ [`d${id}`]: 'one', [`c${other}`]: { pin: 2 } }, 0, 2]);
  await expect.poll(() => desk.personal.draft(id), soon).toBe('one');
});

test('what is so already does not leave, nor what is nothing where there was nothing', async () => {
  const { core, ana, id, phone } = await setUp();
  phone.personal.setDraft(other, '');
  phone.personal.setDraft(id, 'text');
  await untilQuiet(phone);
  const before = core.updates(`user:${ana}/1`);
  phone.personal.setDraft(id, 'text');
  phone.personal.set('none', null);
  await untilQuiet(phone);
  expect([before, core.updates(`user:${ana}/1`), lane(core, 1)]).toEqual([1, 1, { [`d${id}`]: 'text' }]);
});

test('[C11.1] of two tabs one moves: what the other sets is in both at once, offline too, and arrives', async () => {
  const core = await startCore(systemClock);
  const { ana, id } = { ana: core.world.ana, id: core.world.conversationId };
  const store = makeMemoryOutboxStore();
  const listeners: ((ids: readonly string[]) => void)[] = [];
  const siblings = (i: number): Siblings => ({
    tell: (ids) => listeners.forEach((listener, n) => n !== i && listener(ids)),
    listen(listener) {
      listeners[i] = listener;
      return () => {};
    },
  });
  const [mover, follower] = [true, false].map((moves, i) => open(core, ana, store, 1, { siblings: siblings(i), moves: () => moves }));
  core.cut();
  follower!.personal.setDraft(id, 'there');
  follower!.personal.mark(id, { pin: 1 });
  await expect.poll(() => [mover!.personal.draft(id), mover!.personal.marks(id)], soon).toEqual(['there', { pin: 1 }]);
  core.heal();
  await untilQuiet(mover!, follower!);
  expect(lane(core, 1)).toEqual({ [`d${id}`]: 'there', [`c${id}`]: { pin: 1 } });
  await expect.poll(() => follower!.personal.draft(id), soon).toBe('there');
});

test('what may not be kept is not taken: a text too long, a name that is none', async () => {
  const { id, phone } = await setUp();
  expect([phone.personal.setDraft(id, 'x'.repeat(LIMITS.body + 1)), phone.personal.set('Not a name', 1)]).toEqual([false, false]);
  expect(phone.outbox.entries()).toEqual([]);
});

describe('[D8] at 256 KiB', () => {
  const long = (i: number): string => `${i} `.padEnd(LIMITS.body, 'x');

  test('the document is followed by the next: both devices go on there, what waits arrives, living values stay', async () => {
    const { core, ana, id, phone, desk } = await setUp();
    desk.personal.mark(other, { pin: 5 });
    await untilQuiet(desk);
    for (let i = 0; openNumber(core) < 3; i++) {
      const device = i % 2 ? phone : desk;
      device.personal.setDraft(id, long(i));
      if (i % 3 === 0) device.personal.set('count', i);
      await untilQuiet(device);
    }
    await untilQuiet(phone, desk);
    for (const [i, device] of [phone, desk].entries()) device.personal.setDraft(i === 0 ? id : other, `last of ${i}`);
    await untilQuiet(phone, desk);
    for (const { personal } of [phone, desk]) {
      await expect.poll(() => [personal.draft(id), personal.draft(other)], soon).toEqual(['last of 0', 'last of 1']);
      expect([personal.marks(other), typeof personal.setting('count')]).toEqual([{ pin: 5 }, 'number']);
    }
    expect([openNumber(core), core.refusals]).toEqual([3, []]);
    expect(lane(core, 3)[`d${id}`]).toBe('last of 0');
    // A device that knows of the first one only finds the last.
    const late = open(core, ana);
    await expect.poll(() => late.personal.draft(id), soon).toBe('last of 0');
    late.personal.setDraft(id, 'late');
    await expect.poll(() => phone.personal.draft(id), soon).toBe('late');
  });

  test('what was set into a document that was closed meanwhile is set again in the next', async () => {
    const { core, ana, id, phone, desk } = await setUp();
    await untilQuiet(phone, desk);
    await expect.poll(() => core.world.store.conversations.has(ana), soon).toBe(true);
    core.cut();
    for (let i = 0; i < 5; i++) phone.personal.setDraft(makeUuid(i, systemRandom), `kept ${i}`);
    phone.personal.setDraft(id, 'the last word');
    const peer = await core.world.open(ana, `user:${ana}/1`);
    for (let i = 0; openNumber(core) < 2; i++) {
      peer.change((doc) => doc.getMap(laneName(ana)).set(`d${other}`, long(i)));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    core.heal();
    await untilQuiet(phone);
    const values = Object.values(lane(core, 2));
    expect(values.filter((value) => typeof value === 'string' && value.startsWith('kept'))).toHaveLength(5);
    await expect.poll(() => [phone, desk].map(({ personal }) => personal.draft(id)), soon).toEqual(['the last word', 'the last word']);
    expect([phone.outbox.entries(), core.refusals]).toEqual([[], []]);
  });

  test('a frame under way when it closes is told `closed`, and nothing of it is lost', async () => {
    const { core, ana, id, phone } = await setUp();
    await untilQuiet(phone);
    const peer = await core.world.open(ana, `user:${ana}/1`);
    let count = 0;
    for (; openNumber(core) < 2; count++) {
      peer.change((doc) => doc.getMap(laneName(ana)).set(`d${other}`, long(count)));
      // In the same batch as the one that fills it, sooner or later.
      phone.personal.set('count', count);
      phone.personal.setDraft(id, `draft ${count}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await untilQuiet(phone);
    expect(lane(core, 2)).toMatchObject({ scount: count - 1, [`d${id}`]: `draft ${count - 1}` });
    expect(core.refusals).toEqual([]);
  });

  test('[A6] with no room left a value fails as quota: marks are undone, a draft stays here', async () => {
    const { core, ana, id, phone } = await setUp();
    const peer = await core.world.open(ana, `user:${ana}/1`);
    const state = (): number => core.world.row(ana).documents.get(1)!.state.bytes;
    for (let i = 0; state() < LIMITS.privateBytes; i++) {
      peer.change((doc) => doc.getMap(laneName(ana)).set(`d${makeUuid(i, systemRandom)}`, long(i)));
      if (i % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(openNumber(core)).toBe(1);
    phone.personal.mark(id, { pin: 1 });
    phone.personal.setDraft(id, 'dear');
    await untilQuiet(phone);
    const failed = { kind: 'failed', code: 'quota' };
    expect(phone.outbox.entries().map(({ state: each }) => each)).toEqual([failed, failed]);
    expect([phone.personal.marks(id), phone.personal.draft(id)]).toEqual([{}, 'dear']);
  });
});

test('a document that the server does not know is asked for again when it can be reached', async () => {
  const { core, ana, id } = await setUp();
  const lost = open(core, ana, makeMemoryOutboxStore(), 9);
  lost.personal.setDraft(id, 'text');
  await expect.poll(() => core.refusals.length, soon).toBe(1);
  await expect.poll(() => (lost.personal.again(), isQuiet(lost)), soon).toBe(true);
  expect(lane(core, 1)).toEqual({ [`d${id}`]: 'text' });
});

test('one that is closed and does not say so is asked for', async () => {
  const { core, ana, id, phone } = await setUp();
  await untilQuiet(phone);
  const peer = await core.world.open(ana, `user:${ana}/1`);
  for (let i = 0; openNumber(core) < 2; i++) {
    peer.change((doc) => doc.getMap(laneName(ana)).set(`d${other}`, `${i} `.padEnd(LIMITS.body, 'x')));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  core.cut();
  const first = core.world.row(ana).documents.get(1)!;
  const { rows } = first;
  // As a server wrote it that did not name the next one: nothing but the beginning of the document, closed.
  const old = open(core, ana);
  first.rows = rows.slice(0, 1);
  first.state = { ...first.state, position: rows[0]!.position, logClock: 1 };
  first.claims = [];
  core.heal();
  old.personal.setDraft(id, 'text');
  await untilQuiet(old);
  expect(lane(core, 2)[`d${id}`]).toBe('text');
});
