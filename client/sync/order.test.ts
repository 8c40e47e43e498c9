import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../shared/clock.ts';
import type { Neutralised } from '../../shared/close-codes.ts';
import type { MessageId } from '../../shared/ids.ts';
import { laneName } from '../../shared/segment.ts';
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
const bodies = ({ replica }: TestDevice): (string | null)[] => replica.messages().map(({ body }) => body);
const last = ({ replica }: TestDevice): MessageId => replica.pending().at(-1)!.messageId;
const history = (core: Core): (string | null)[] => core.history(core.world.conversationId);

/** Two devices of Ana, and one message of hers that both have. */
async function setUp(options: Parameters<typeof startCore>[1] = {}) {
  const core = await startCore(systemClock, options);
  const { ana, conversationId } = core.world;
  const [phone, desk] = [open(core, ana), open(core, ana)];
  phone.replica.send('text');
  await expect.poll(() => [phone, desk].map(bodies), soon).toEqual([['text'], ['text']]);
  await untilQuiet(phone);
  const { id } = phone.replica.messages()[0]!;
  return { core, ana, phone, desk, id, conversationId };
}

/** What one device writes offline, ends with, and brings when it is opened again. */
async function writtenApart(core: Core, write: (device: TestDevice) => void): Promise<() => TestDevice> {
  const store = makeMemoryOutboxStore();
  const before = open(core, core.world.ana, store);
  await expect.poll(() => bodies(before), soon).toEqual(['text']);
  core.cut();
  write(before);
  await untilKept(before);
  before.close();
  core.heal();
  return () => open(core, core.world.ana, store);
}

describe('[D7] delete beats edit', () => {
  test('when the edit comes after it: the edit has failed with a word, and its text is still there', async () => {
    const { core, phone, desk, id } = await setUp();
    const bring = await writtenApart(core, ({ replica }) => replica.edit(id, 'better'));
    phone.replica.remove(id);
    await untilQuiet(phone);
    const late = bring();
    await untilQuiet(late);
    expect(late.outbox.entries()).toMatchObject([{ kind: 'edit', body: 'better', state: { kind: 'failed', code: 'gone' } }]);
    await expect.poll(() => [late, phone, desk].map(bodies), soon).toEqual([[null], [null], [null]]);
    expect([history(core), core.refusals]).toEqual([[null], []]);
  });

  test('when the edit came before it', async () => {
    const { core, phone, desk, id } = await setUp();
    const bring = await writtenApart(core, ({ replica }) => replica.remove(id));
    phone.replica.edit(id, 'better');
    await untilQuiet(phone);
    const late = bring();
    await untilQuiet(late);
    await expect.poll(() => [late, phone, desk].map(bodies), soon).toEqual([[null], [null], [null]]);
    expect([late.outbox.entries(), history(core), core.refusals]).toEqual([[], [null], []]);
  });

  test('when both are under way at the same moment', async () => {
    for (let round = 0; round < 8; round++) {
      const { core, phone, desk, id } = await setUp();
      const [editor, remover] = round % 2 ? [phone, desk] : [desk, phone];
      if (round % 4 < 2) {
        editor.replica.edit(id, 'better');
        remover.replica.remove(id);
      } else {
        remover.replica.remove(id);
        editor.replica.edit(id, 'better');
      }
      await untilQuiet(phone, desk);
      await expect.poll(() => [phone, desk].map(bodies), soon).toEqual([[null], [null]]);
      const [left] = editor.outbox.entries();
      if (left) expect(left).toMatchObject({ kind: 'edit', body: 'better', state: { kind: 'failed', code: 'gone' } });
      expect([history(core), remover.outbox.entries(), core.refusals]).toEqual([[null], [], []]);
    }
  });

  test('and reactions, wherever they were written', async () => {
    const { core, phone, desk, id } = await setUp();
    const bring = await writtenApart(core, ({ replica }) => void replica.react(id, '👍', true));
    phone.replica.react(id, '🎉', true);
    phone.replica.remove(id);
    const late = bring();
    await untilQuiet(phone, late);
    await expect.poll(() => [late, phone, desk].map(bodies), soon).toEqual([[null], [null], [null]]);
    expect([late.outbox.entries(), phone.outbox.entries(), core.refusals]).toEqual([[], [], []]);
    expect(core.world.row().messages.get(id)!.reactions.size).toBe(0);
  });
});

test('[C6.5] a message that was deleted before it left never reaches the server, nor what was written about it', async () => {
  const { core, phone, conversationId } = await setUp();
  core.cut();
  phone.replica.send('the secret word');
  const secret = last(phone);
  phone.replica.edit(secret, 'the other secret word');
  phone.replica.react(secret, '👍', true);
  phone.replica.send('harmless');
  phone.replica.remove(secret);
  core.heal();
  await untilQuiet(phone);
  const stored = [...core.world.store.conversations.get(conversationId)!.documents.values()].flatMap(({ rows }) =>
    rows.map(({ update }) => Buffer.from(update).toString('latin1')),
  );
  expect(history(core)).toEqual(['text', 'harmless']);
  expect([stored.join().includes('secret'), stored.join().includes(secret)]).toEqual([false, false]);
});

test('what is written about a message that waits goes after it, in the order of writing', async () => {
  const { core, ana, desk } = await setUp();
  core.cut();
  const held = new Map<string, Entry>();
  const before = open(core, ana, makeMemoryOutboxStore(held));
  before.replica.send('one');
  const one = last(before);
  // As if it might have left: its change is an entry of its own.
  await new Promise<void>((claimed) => before.outbox.claim([before.outbox.entries()[0]!.id], claimed));
  before.replica.edit(one, 'ONE');
  before.replica.react(one, '👍', true);
  before.replica.send('two');
  await untilKept(before);
  before.close();
  const after = open(core, ana, makeMemoryOutboxStore(held));
  core.heal();
  await untilQuiet(after);
  await expect.poll(() => bodies(desk), soon).toEqual(['text', 'ONE', 'two']);
  await expect.poll(() => [...desk.replica.messages()[1]!.reactions.keys()], soon).toEqual(['👍']);
  expect([history(core), held.size, core.refusals]).toEqual([['text', 'ONE', 'two'], 0, []]);
});

describe('one that fails never blocks the next', () => {
  test.each(['blocked', 'role', 'quota'] as const)(
    '[A6] messages are %s, everything else goes on, and they go when they may',
    async (code) => {
      const world = { code: null as Neutralised | null };
      const judge: typeof membersMay.judge = (entry) => (entry.kind === 'message' ? world.code : membersMay.judge(entry));
      const { core, ana, phone, desk, id, conversationId } = await setUp({ permissions: { judge } });
      world.code = code;
      phone.replica.send('one');
      phone.replica.edit(id, 'TEXT');
      phone.replica.react(id, '👍', true);
      phone.replica.send('two');
      await untilQuiet(phone);
      const failed = ['message', { kind: 'failed', code }];
      expect(phone.outbox.entries().map(({ kind, state }) => [kind, state])).toEqual([failed, failed]);
      await expect.poll(() => bodies(desk), soon).toEqual(['TEXT']);
      // Each was set once: what is told comes before the word that it is committed.
      const lane = core.document(conversationId, 1).getMap(laneName(ana));
      for (const { messageId } of phone.replica.pending()) expect(lane._map.get(messageId)).toMatchObject({ deleted: true, left: null });
      world.code = null;
      for (const entry of phone.replica.pending()) phone.replica.retry(entry.messageId);
      await untilQuiet(phone);
      expect([history(core), phone.outbox.entries(), core.refusals]).toEqual([['TEXT', 'one', 'two'], [], []]);
    },
  );

  test('[A6] an edit of what was not taken, and was taken back meanwhile, has failed with a word', async () => {
    const world = { code: null as Neutralised | null };
    const judge: typeof membersMay.judge = (entry) => (entry.kind === 'message' ? world.code : membersMay.judge(entry));
    const { core, phone, conversationId } = await setUp({ permissions: { judge } });
    world.code = 'blocked';
    phone.replica.send('one');
    const messageId = last(phone);
    await untilQuiet(phone);
    phone.replica.discard(messageId);
    // As another tab asks for it that has heard of neither.
    phone.outbox.edit(conversationId, messageId, 1, 'better');
    await untilQuiet(phone);
    expect(phone.outbox.entries()).toMatchObject([{ kind: 'edit', state: { kind: 'failed', code: 'gone' } }]);
    expect(history(core)).toEqual(['text']);
  });

  test('[A6] a message that was removed by its moderator while it was edited', async () => {
    const { core, phone, id, ana } = await setUp();
    core.cut();
    phone.replica.edit(id, 'better');
    phone.replica.send('after');
    core.world.row().members.get(core.world.ben)!.role = 'admin';
    core.world.row().state.membersVersion++;
    const peer = await core.world.open(core.world.ben, `${core.world.conversationId}/1`);
    peer.change((doc) => doc.getMap(`u:${core.world.ben}`).set(`x${id}`, 1));
    await expect.poll(() => history(core), soon).toEqual([null]);
    core.heal();
    await untilQuiet(phone);
    expect(phone.outbox.entries()).toMatchObject([{ kind: 'edit', state: { kind: 'failed', code: 'gone' } }]);
    expect([history(core), core.refusals, ana === phone.replica.messages()[1]!.authorId]).toEqual([[null, 'after'], [], true]);
  });
});

test('[H2] what is there already is done: a message and an edit whose acks were all lost', async () => {
  const { core, ana, id, desk } = await setUp();
  const held = new Map<string, Entry>();
  const store = makeMemoryOutboxStore(held);
  const first = open(core, ana, store);
  await expect.poll(() => bodies(first), soon).toEqual(['text']);
  first.replica.send('one');
  first.replica.edit(id, 'TEXT');
  await untilKept(first);
  const snapshot = structuredClone(held);
  await expect.poll(() => history(core), soon).toEqual(['TEXT', 'one']);
  await untilQuiet(first);
  first.close();
  // As when the device ended before it could take them out.
  const again = open(core, ana, makeMemoryOutboxStore(snapshot));
  await untilQuiet(again);
  expect([history(core), again.outbox.entries(), snapshot.size, core.refusals]).toEqual([['TEXT', 'one'], [], 0, []]);
  await expect.poll(() => bodies(desk), soon).toEqual(['TEXT', 'one']);
});
