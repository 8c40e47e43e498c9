import { afterEach, describe, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../../shared/clock.ts';
import { type Refusal, REFUSALS } from '../../shared/close-codes.ts';
import { makeMessageId } from '../../shared/ids.ts';
import { LIMITS } from '../../shared/limits.ts';
import { readMessages } from '../../shared/segment.ts';
import { changeKey, messageKey, privateKey } from './outbox/entry.ts';
import { startCore } from './test-core.ts';
import { type TestDevice, openDevice, soon, untilQuiet } from './test-device.ts';

const devices: TestDevice[] = [];
afterEach(() => devices.splice(0).forEach(({ close }) => close()));

/** Ana's device, with two messages of hers that everybody has. */
async function setUp() {
  const core = await startCore(systemClock);
  const { ana, conversationId } = core.world;
  const device = openDevice(core, ana);
  devices.push(device);
  const { replica } = device;
  replica.send('first');
  replica.send('second');
  await expect.poll(() => replica.messages().length, soon).toBe(2);
  await untilQuiet(device);
  const [first, second] = replica.messages().map(({ id }) => id) as [string, string];
  const stored = (): (string | null)[] => readMessages(core.document(conversationId, 1)).map(({ body }) => body);
  return { core, device, replica, ana, conversationId, first, second, stored, segment: `${conversationId}/1`, lane: `user:${ana}/1` };
}
type Scene = Awaited<ReturnType<typeof setUp>>;

/** Every kind of change that goes into a document: how it is made, into which, and what is there when it has arrived. */
const KINDS: Record<string, { make: (scene: Scene) => void; document: 'segment' | 'lane'; isThere: (scene: Scene) => boolean }> = {
  message: {
    make: ({ replica }) => replica.send('third'),
    document: 'segment',
    isThere: ({ stored }) => stored().filter((body) => body === 'third').length === 1,
  },
  edit: {
    make: ({ replica, first }) => replica.edit(first, 'better'),
    document: 'segment',
    isThere: ({ stored }) => stored()[0] === 'better',
  },
  delete: {
    make: ({ replica, first }) => replica.remove(first),
    document: 'segment',
    isThere: ({ stored }) => stored()[0] === null,
  },
  react: {
    make: ({ replica, first }) => void replica.react(first, '👍', true),
    document: 'segment',
    isThere: ({ core, first }) => core.world.row().messages.get(first)!.reactions.size === 1,
  },
  draft: {
    make: ({ device, conversationId }) => void device.personal.setDraft(conversationId, 'begun'),
    document: 'lane',
    isThere: ({ core, ana, conversationId }) => core.document(ana, 1).getMap(`u:${ana}`).get(`d${conversationId}`) === 'begun',
  },
};
const cases = Object.keys(KINDS).flatMap((kind) => REFUSALS.map((reason) => [kind, reason] as const));

test.each(cases)('[A3] a %s refused as %s arrives all the same, once, and the same tab goes on', async (name, reason: Refusal) => {
  const scene = await setUp();
  const { core, device, replica, stored } = scene;
  const kind = KINDS[name]!;
  let left = 1;
  core.refuseBy((documentId) => (documentId === scene[kind.document] && left-- > 0 ? reason : null));
  kind.make(scene);
  replica.edit(scene.second, 'second, changed');
  await untilQuiet(device);
  expect([kind.isThere(scene), device.outbox.entries(), core.refusals.map((refusal) => refusal.reason)]).toEqual([true, [], [reason]]);
  replica.send('and on');
  await untilQuiet(device);
  expect(stored().filter((body) => body === 'and on')).toEqual(['and on']);
  expect([stored()[1], stored().length]).toEqual(['second, changed', name === 'message' ? 4 : 3]);
  await expect.poll(() => replica.messages().map(({ body }) => body), soon).toEqual(stored());
  expect(core.refusals).toHaveLength(1);
});

describe('[C6.3] what the server never takes has failed with a word, and all that was written before and after it arrives', () => {
  const numbered = (mark: string): string[] => [0, 1, 2, 3, 4].map((i) => `${mark} ${i}`);

  test('a message', async () => {
    const { core, device, replica, stored } = await setUp();
    core.refuseBy((_, update) => (update.includes('poison') ? 'malformed' : null));
    core.cut();
    numbered('before').forEach(replica.send);
    replica.send('poison');
    const poison = replica.pending().at(-1)!;
    numbered('after').forEach(replica.send);
    core.heal();
    await untilQuiet(device);
    expect(stored().slice(2)).toEqual([...numbered('before'), ...numbered('after')]);
    expect(device.outbox.entries()).toMatchObject([{ id: poison.id, state: { kind: 'failed', code: 'unreadable' } }]);
    // Found in two refusals, and the text is still there; changed, it goes.
    expect([core.refusals.length, replica.pending()[0]!.value[0]]).toEqual([2, 'poison']);
    replica.edit(poison.messageId, 'harmless');
    await untilQuiet(device);
    expect([stored().at(-1), core.refusals.length]).toEqual(['harmless', 2]);
  });

  test('several messages, edits and reactions', async () => {
    const { core, device, replica, first, second, stored } = await setUp();
    core.refuseBy((_, update) => (/poison|🙈/u.test(Buffer.from(update, 'latin1').toString()) ? 'foreign-lane' : null));
    core.cut();
    replica.edit(first, 'poison');
    replica.react(first, '👍', true);
    replica.react(second, '🙈', true);
    replica.send('poison too');
    replica.send('third');
    replica.edit(second, 'second, changed');
    core.heal();
    await untilQuiet(device);
    expect([stored(), core.world.row().messages.get(first)!.reactions.size]).toEqual([['first', 'second, changed', 'third'], 1]);
    const { entries } = device.outbox;
    expect(entries().map(({ kind, state }) => [kind, state])).toEqual(
      ['edit', 'react', 'message'].map((kind) => [kind, { kind: 'failed', code: 'unreadable' }]),
    );
    await expect.poll(() => replica.messages().map(({ body }) => body), soon).toEqual(stored());
  });

  test('a deletion', async () => {
    const { core, device, replica, first, stored, segment } = await setUp();
    replica.remove(first);
    core.refuseBy((documentId) => (documentId === segment ? 'own-delete' : null));
    await untilQuiet(device);
    expect(device.outbox.entries()).toMatchObject([{ kind: 'delete', state: { kind: 'failed', code: 'unreadable' } }]);
    core.refuseBy(() => null);
    replica.send('and on');
    await untilQuiet(device);
    expect([stored(), replica.messages()[0]!.body]).toEqual([['first', 'second', 'and on'], 'first']);
  });

  test('a private value', async () => {
    const { core, device, ana, conversationId } = await setUp();
    core.refuseBy((_, update) => (update.includes('poison') ? 'malformed' : null));
    core.cut();
    device.personal.mark(conversationId, { pin: 1 });
    device.personal.set('name', 'poison');
    device.personal.setDraft(conversationId, 'begun');
    core.heal();
    await untilQuiet(device);
    expect(core.document(ana, 1).getMap(`u:${ana}`).toJSON()).toEqual({
      [`c${conversationId}`]: { pin: 1 },
      [`d${conversationId}`]: 'begun',
    });
    expect(device.outbox.entries()).toMatchObject([{ id: privateKey('sname'), state: { kind: 'failed', code: 'unreadable' } }]);
    expect([device.personal.setting('name'), device.personal.draft(conversationId)]).toEqual([null, 'begun']);
  });
});

test('[D6] what has another shape than the server takes never leaves: an entry of another version of this app, say', async () => {
  const { core, device, replica, conversationId, ana, first, stored } = await setUp();
  const long = makeMessageId(systemClock.now(), systemRandom);
  device.outbox.send(conversationId, long, ['x'.repeat(LIMITS.body + 1), null, null]);
  device.outbox.edit(conversationId, first, 1, '');
  device.outbox.set(ana, 'no key', true);
  replica.send('third');
  await untilQuiet(device);
  expect(device.outbox.entries().map(({ id, state }) => [id, state])).toEqual(
    [messageKey(long), changeKey(first), privateKey('no key')].map((id) => [id, { kind: 'failed', code: 'unreadable' }]),
  );
  expect([stored(), replica.messages()[0]!.body, core.refusals]).toEqual([['first', 'second', 'third'], 'first', []]);
});
