import { afterEach, describe, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../../shared/clock.ts';
import type { Neutralised } from '../../shared/close-codes.ts';
import { type MessageId, makeMessageId } from '../../shared/ids.ts';
import { LIMITS } from '../../shared/limits.ts';
import { type MessageValue, addMessage, readMessages } from '../../shared/segment.ts';
import { membersMay } from '../../sync-server/core/rights/permissions.ts';
import type { Entry } from './outbox/entry.ts';
import { makeMemoryOutboxStore } from './outbox/outbox-store.ts';
import { startCore } from './test-core.ts';
import { type Core, type TestDevice, openDevice, soon, untilKept, untilQuiet } from './test-device.ts';

const devices: TestDevice[] = [];
afterEach(() => devices.splice(0).forEach(({ close }) => close()));
const open = (...asked: Parameters<typeof openDevice>): TestDevice => {
  const device = openDevice(...asked);
  devices.push(device);
  return device;
};

/** Emoji of all who reacted to a message, as the device has it from the server. */
const shown = ({ replica }: TestDevice, id: MessageId): string[] =>
  [...(replica.messages().find((message) => message.id === id)?.reactions ?? [])].map(([emoji, people]) => `${emoji} ${people.length}`);
const stored = (core: Core, id: MessageId): readonly string[][] =>
  [...core.world.row().messages.get(id)!.reactions.values()].map((emoji) => [...emoji]);

async function say({ replica }: TestDevice, text: string): Promise<MessageId> {
  replica.send(text);
  const { messageId } = replica.pending().at(-1)!;
  await expect.poll(() => replica.messages().some(({ id }) => id === messageId), soon).toBe(true);
  return messageId;
}

async function setUp(options: Parameters<typeof startCore>[1] = {}) {
  const core = await startCore(systemClock, options);
  const { ana, ben } = core.world;
  const [mine, theirs] = [open(core, ana), open(core, ben)];
  const id = await say(theirs, 'hello');
  await expect.poll(() => mine.replica.messages().length, soon).toBe(1);
  return { core, mine, theirs, id, segment: `${core.world.conversationId}/1` };
}

test('[C8.3] a reaction is shown at once, stored as a write, and arrives at the other; so does its end', async () => {
  const { core, mine, theirs, id } = await setUp();
  expect(mine.replica.react(id, '👍', true)).toBe(true);
  expect(mine.replica.reactionsOf(id)).toMatchObject({ toggles: [{ emoji: '👍', isOn: true }] });
  await expect.poll(() => shown(theirs, id), soon).toEqual(['👍 1']);
  expect(stored(core, id)).toEqual([['👍']]);
  theirs.replica.react(id, '👍', true);
  theirs.replica.react(id, '🎉', true);
  mine.replica.react(id, '👍', false);
  await untilQuiet(mine, theirs);
  await expect
    .poll(() => [mine, theirs].map((device) => shown(device, id)), soon)
    .toEqual([
      ['👍 1', '🎉 1'],
      ['👍 1', '🎉 1'],
    ]);
  expect([mine.outbox.entries(), theirs.outbox.entries(), core.refusals]).toEqual([[], [], []]);
});

test('[C8.3] turned on and off offline it is none, and nothing leaves', async () => {
  const { core, mine, id, segment } = await setUp();
  await untilQuiet(mine);
  core.cut();
  mine.replica.react(id, '👍', true);
  mine.replica.react(id, '👍', false);
  // Neither does what is so already.
  mine.replica.react(id, '🎉', false);
  expect(mine.outbox.entries()).toEqual([]);
  const before = core.updates(segment);
  core.heal();
  await expect.poll(() => mine.replica.status().kind, soon).toBe('live');
  await say(mine, 'something else');
  expect([core.updates(segment), stored(core, id)]).toEqual([before + 1, []]);
});

test('taken back where nobody knows yet that it is there, it is taken back all the same', async () => {
  const { core, mine, id } = await setUp();
  mine.replica.react(id, '👍', true);
  await untilQuiet(mine);
  core.cut();
  // A start that has nothing but the outbox.
  const held = new Map<string, Entry>();
  const blind = open(core, core.world.ana, makeMemoryOutboxStore(held));
  expect(blind.replica.react(id, '👍', true)).toBe(true);
  blind.replica.react(id, '👍', false);
  await untilKept(blind);
  expect(held.size).toBe(1);
  core.heal();
  await untilQuiet(blind);
  expect([stored(core, id).flat(), blind.outbox.entries()]).toEqual([[], []]);
});

test('two devices of one person each add one while apart: both are there', async () => {
  const { core, mine, id } = await setUp();
  const held = new Map<string, Entry>();
  const before = open(core, core.world.ana, makeMemoryOutboxStore(held));
  await expect.poll(() => before.replica.messages().length, soon).toBe(1);
  core.cut();
  before.replica.react(id, '🎉', true);
  await untilKept(before);
  before.close();
  core.heal();
  mine.replica.react(id, '👍', true);
  await untilQuiet(mine);
  const after = open(core, core.world.ana, makeMemoryOutboxStore(held));
  await untilQuiet(after);
  expect(stored(core, id)).toEqual([['👍', '🎉']]);
});

test('what another device has written over is done, and is not fought for', async () => {
  const { core, mine, id } = await setUp();
  const other = open(core, core.world.ana);
  await expect.poll(() => other.replica.messages().length, soon).toBe(1);
  for (let round = 0; round < 10; round++) {
    mine.replica.react(id, '👍', round % 2 === 0);
    other.replica.react(id, '👍', round % 2 !== 0);
  }
  await untilQuiet(mine, other);
  await expect.poll(() => shown(mine, id).join() === shown(other, id).join(), soon).toBe(true);
  expect(core.refusals).toEqual([]);
});

test('[C6.6] on a message that has not left yet it waits for it, through a restart that knows nothing but the outbox', async () => {
  const { core, mine, theirs } = await setUp();
  const { ana } = core.world;
  core.cut();
  const held = new Map<string, Entry>();
  const before = open(core, ana, makeMemoryOutboxStore(held));
  before.replica.send('mine');
  const { messageId } = before.replica.pending()[0]!;
  before.replica.react(messageId, '👍', true);
  before.replica.edit(messageId, 'mine, and better');
  await untilKept(before);
  before.close();
  expect([...held.values()].map(({ kind }) => kind)).toEqual(['message', 'react']);
  const after = open(core, ana, makeMemoryOutboxStore(held));
  core.heal();
  await untilQuiet(after, mine);
  expect(after.outbox.entries()).toEqual([]);
  expect(core.history(core.world.conversationId)).toEqual(['hello', 'mine, and better']);
  await expect.poll(() => shown(theirs, messageId), soon).toEqual(['👍 1']);
});

/** Brings segment after segment into being. */
async function fill(core: Core, segments: number): Promise<void> {
  const { world } = core;
  for (let n = 1; n <= segments; n++) {
    const peer = await world.open(world.ben, `${world.conversationId}/${n}`);
    const value: MessageValue = ['filling', null, null];
    const room = LIMITS.segmentMessages - core.logs(world.conversationId)[n - 1]!;
    for (let i = 0; i < room; i += 100)
      peer.change((doc) => {
        for (let j = i; j < Math.min(room, i + 100); j++) addMessage(doc, world.ben, makeMessageId(1_000_000 + j, systemRandom), value);
      });
    await expect.poll(() => world.row().state.open, soon).toBe(n + 1);
    peer.session.closed();
  }
}

test('on a message of an old segment it goes where the message lives, also when that is not open', async () => {
  const { core, mine, id } = await setUp();
  const { ana } = core.world;
  const held = new Map<string, Entry>();
  const store = makeMemoryOutboxStore(held);
  const before = open(core, ana, store);
  await expect.poll(() => before.replica.messages().length, soon).toBe(1);
  core.cut();
  before.replica.react(id, '👍', true);
  await untilKept(before);
  before.close();
  await fill(core, 3);
  const after = open(core, ana, store);
  core.heal();
  await untilQuiet(after, mine);
  expect([stored(core, id), after.outbox.entries()]).toEqual([[['👍']], []]);
});

test('one whose message is in a log that nobody remembers finds it there', async () => {
  const { core, mine } = await setUp();
  const { ana } = core.world;
  const own = await say(mine, 'own');
  await fill(core, 2);
  const device = open(core, ana);
  device.outbox.react(core.world.conversationId, own, null, { emoji: '👍', isOn: true });
  // And one whose message is nowhere, for another tab took it back, does not wait for ever.
  const never = makeMessageId(systemClock.now(), systemRandom);
  device.outbox.react(core.world.conversationId, never, null, { emoji: '👍', isOn: true });
  device.outbox.edit(core.world.conversationId, never, null, 'too late');
  await untilQuiet(device);
  expect([stored(core, own), device.outbox.entries()]).toMatchObject([[['👍']], [{ kind: 'edit', state: { code: 'gone' } }]]);
});

test('on a message that was deleted meanwhile it is dropped without a word', async () => {
  const { core, mine, theirs, id } = await setUp();
  core.cut();
  mine.replica.react(id, '👍', true);
  theirs.replica.remove(id);
  core.heal();
  await untilQuiet(mine, theirs);
  expect([mine.outbox.entries(), core.history(core.world.conversationId)]).toEqual([[], [null]]);
  expect(readMessages(core.document(core.world.conversationId, 1))[0]!.reactions.size).toBe(0);
});

describe('limits', () => {
  const many = Array.from({ length: LIMITS.reactionsPerMessage }, (_, i) => String.fromCodePoint(0x1f600 + i));

  test('are kept here: not more of them, and none that is none', async () => {
    const { mine, id, core } = await setUp();
    for (const emoji of many) expect(mine.replica.react(id, emoji, true)).toBe(true);
    expect(['🎉', '', 'x'.repeat(LIMITS.emoji + 1)].map((emoji) => mine.replica.react(id, emoji, true))).toEqual([false, false, false]);
    await untilQuiet(mine);
    expect([stored(core, id), mine.replica.react(id, '🎉', true)]).toEqual([[many], false]);
    expect([mine.replica.react(id, many[0]!, false), mine.replica.react(id, '🎉', true)]).toEqual([true, true]);
    await untilQuiet(mine);
    expect([stored(core, id), core.refusals]).toEqual([[[...many.slice(1), '🎉']], []]);
  });

  test('that another device has reached meanwhile are told, not run into', async () => {
    const { mine, id, core } = await setUp();
    const other = open(core, core.world.ana);
    await expect.poll(() => other.replica.messages().length, soon).toBe(1);
    const gate = core.world.row();
    core.cut();
    mine.replica.react(id, '🎉', true);
    expect(gate.messages.get(id)!.reactions.size).toBe(0);
    mine.close();
    core.heal();
    await expect.poll(() => other.replica.status().kind, soon).toBe('live');
    for (const emoji of many) other.replica.react(id, emoji, true);
    await untilQuiet(other);
    other.outbox.react(core.world.conversationId, id, 1, { emoji: '🎉', isOn: true });
    await untilQuiet(other);
    expect(other.replica.reactionsOf(id)?.state).toEqual({ kind: 'failed', code: 'quota' });
    expect([stored(core, id), core.refusals]).toEqual([[many], []]);
  });
});

describe.each(['role', 'blocked', 'quota'] as const)('[A6] one that is neutralised as %s', (code: Neutralised) => {
  function make() {
    const world = { code: null as Neutralised | null };
    return {
      world,
      permissions: {
        judge: (entry: Parameters<typeof membersMay.judge>[0]) => (entry.kind === 'reactions' ? world.code : membersMay.judge(entry)),
      },
    };
  }

  test('is undone and told; the same tab goes on writing, and a retry goes through when it may', async () => {
    const { world, permissions } = make();
    const { core, mine, theirs, id, segment } = await setUp({ permissions });
    world.code = code;
    const before = core.updates(segment);
    mine.replica.react(id, '👍', true);
    mine.replica.send('and on');
    await untilQuiet(mine);
    expect(mine.replica.reactionsOf(id)?.state).toEqual({ kind: 'failed', code });
    expect([shown(mine, id), stored(core, id)]).toEqual([[], []]);
    await expect.poll(() => theirs.replica.messages().map(({ body }) => body), soon).toEqual(['hello', 'and on']);
    // It was set once.
    expect([core.updates(segment), core.refusals]).toEqual([before + 2, []]);
    world.code = null;
    mine.replica.retry(id);
    await expect.poll(() => shown(theirs, id), soon).toEqual(['👍 1']);
    await untilQuiet(mine);
    expect(mine.outbox.entries()).toEqual([]);
  });

  test('whose word was lost with the line has failed all the same', async () => {
    const { world, permissions } = make();
    const { core, mine, id } = await setUp({ permissions });
    world.code = code;
    mine.replica.react(id, '👍', true);
    const { position } = core.world.row().documents.get(1)!.state;
    while (core.world.row().documents.get(1)!.state.position === position) await new Promise((resolve) => setImmediate(resolve));
    // Committed; nobody has heard of it.
    core.cut();
    expect(mine.replica.reactionsOf(id)?.state.kind).toBe('waiting');
    core.heal();
    await untilQuiet(mine);
    expect(mine.replica.reactionsOf(id)?.state).toEqual({ kind: 'failed', code: 'refused' });
    mine.replica.discardReactions(id);
    await say(mine, 'and on');
    expect([mine.outbox.entries(), core.refusals]).toEqual([[], []]);
  });
});
