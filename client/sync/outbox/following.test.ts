import { describe, expect, test } from 'vitest';
import { systemRandom } from '../../../shared/clock.ts';
import { makeMessageId, makeUuid } from '../../../shared/ids.ts';
import { makeTestClock, settled } from '../test-server.ts';
import { type Entry, changeKey, messageKey, privateKey, reactKey } from './entry.ts';
import { makeMemoryOutboxStore } from './outbox-store.ts';
import { NO_SIBLINGS, type Outbox, openOutbox } from './outbox.ts';

const [me, id] = [1, 2].map((n) => makeUuid(n, systemRandom)) as [string, string];
const message = makeMessageId(1_000_000, systemRandom);
const open = (): Outbox => openOutbox({ store: makeMemoryOutboxStore(), siblings: NO_SIBLINGS, clock: makeTestClock() });
const WAITING = { kind: 'waiting' } as const;
const on = (emoji: string) => ({ emoji, isOn: true });
const off = (emoji: string) => ({ emoji, isOn: false });
const toggles = (outbox: Outbox) => {
  const entry = outbox.get(reactKey(message));
  return entry?.kind === 'react' ? entry.toggles : null;
};

describe('reactions', () => {
  test('[C8.3] one entry for a message; turned on and off again before it left, it is nothing', async () => {
    const outbox = open();
    outbox.react(id, message, 1, on('👍'));
    outbox.react(id, message, 1, off('❤️'));
    expect([outbox.of(id).length, toggles(outbox)]).toEqual([1, [on('👍'), off('❤️')]]);
    outbox.react(id, message, 1, off('👍'));
    expect(toggles(outbox)).toEqual([off('❤️')]);
    outbox.react(id, message, 1, on('❤️'));
    await settled();
    expect(outbox.entries()).toEqual([]);
  });

  test('what may have left is taken back by another change, in a new entry', async () => {
    const outbox = open();
    outbox.react(id, message, 1, on('👍'));
    const entry = outbox.get(reactKey(message))!;
    if (entry.kind !== 'react') throw new Error('no reactions');
    let isClaimed = false;
    outbox.leave(entry, { client: 5, clock: 0, n: 1 }, () => (isClaimed = true));
    await expect.poll(() => isClaimed).toBe(true);
    outbox.react(id, message, 1, off('👍'));
    expect(outbox.get(reactKey(message))).toMatchObject({ toggles: [off('👍')] });
    expect(outbox.get(reactKey(message))).not.toHaveProperty('left');
    // And back again: whether the first one ever arrived, nobody knows.
    outbox.react(id, message, 1, on('👍'));
    expect(toggles(outbox)).toEqual([on('👍')]);
  });

  test('what failed is undone: the next change begins anew, and a retry is no repetition of what left', () => {
    const outbox = open();
    outbox.react(id, message, 1, on('👍'));
    outbox.fail([reactKey(message)], 'quota');
    outbox.react(id, message, 1, on('❤️'));
    expect(outbox.get(reactKey(message))).toMatchObject({ toggles: [on('❤️')], state: { kind: 'waiting' } });
  });

  test('go with a message that is taken back before it left', async () => {
    const outbox = open();
    outbox.send(id, message, ['text', null, null]);
    outbox.react(id, message, null, on('👍'));
    outbox.remove(id, message, null);
    await settled();
    expect(outbox.entries()).toEqual([]);
  });
});

test('a message that is changed where it waits has no older change beside it, which would come after it', async () => {
  const older: Entry = {
    id: changeKey(message),
    conversationId: id,
    order: 2,
    at: 2,
    state: WAITING,
    kind: 'edit',
    messageId: message,
    n: null,
    body: 'b',
  };
  const held = new Map<string, Entry>([
    [
      messageKey(message),
      {
        id: messageKey(message),
        conversationId: id,
        order: 1,
        at: 1,
        state: WAITING,
        kind: 'message',
        messageId: message,
        value: ['a', null, null],
        placed: false,
      },
    ],
    [changeKey(message), older],
  ]);
  const outbox = openOutbox({ store: makeMemoryOutboxStore(held), siblings: NO_SIBLINGS, clock: makeTestClock() });
  await expect.poll(outbox.status).toBe('kept');
  outbox.edit(id, message, null, 'c');
  await settled();
  expect(outbox.entries()).toMatchObject([{ kind: 'message', value: ['c', null, null] }]);
});

test('a reaction goes with a deletion', async () => {
  const outbox = open();
  outbox.react(id, message, 1, on('👍'));
  outbox.remove(id, message, 1);
  await settled();
  expect(outbox.entries()).toMatchObject([{ kind: 'delete' }]);
});

test('what follows a message knows where it went when it is in the log', async () => {
  const outbox = open();
  outbox.send(id, message, ['text', null, null]);
  outbox.claim([messageKey(message)], () => {});
  outbox.react(id, message, null, on('👍'));
  outbox.edit(id, message, null, 'better');
  const entry = outbox.get(messageKey(message))!;
  if (entry.kind !== 'message') throw new Error('no message');
  outbox.logged([{ entry, unedited: 'text' }], 7);
  await settled();
  expect([outbox.get(messageKey(message)), outbox.get(changeKey(message)), outbox.get(reactKey(message))]).toMatchObject([
    undefined,
    { kind: 'edit', n: 7, body: 'better' },
    { kind: 'react', n: 7 },
  ]);
});

test.each([
  ['another text than the log has goes there as an edit', 'begun', [{ kind: 'edit', n: 7, body: 'ended' }]],
  ['the same text is nothing to do', 'ended', []],
  ['nor is any after an edit that another device has made', null, []],
])('a message that another tab has sent before this device kept its last text: %s', async (_, unedited, left) => {
  const outbox = open();
  outbox.send(id, message, ['begun', null, null]);
  outbox.edit(id, message, null, 'ended');
  const entry = outbox.get(messageKey(message))!;
  if (entry.kind !== 'message') throw new Error('no message');
  outbox.logged([{ entry, unedited }], 7);
  await settled();
  expect(outbox.entries()).toMatchObject(left);
  expect(outbox.entries()).toHaveLength(left.length);
});

describe('a private value', () => {
  const key = `d${id}`;
  const marks = `c${id}`;
  test('[D8] is one entry for a key, the newest', async () => {
    const outbox = open();
    outbox.set(me, key, 'a');
    outbox.set(me, key, 'ab');
    await settled();
    expect(outbox.of(me)).toMatchObject([{ id: privateKey(key), kind: 'private', value: 'ab' }]);
  });

  test('[D8] of marks keeps those that wait; what failed is forgotten by the next', () => {
    const outbox = open();
    outbox.set(me, marks, { mute: 5 });
    outbox.set(me, marks, { pin: 1 });
    expect(outbox.get(privateKey(marks))).toMatchObject({ value: { mute: 5, pin: 1 } });
    outbox.fail([privateKey(marks)], 'quota');
    outbox.set(me, marks, { archive: true });
    expect(outbox.get(privateKey(marks))).toMatchObject({ value: { archive: true }, state: { kind: 'waiting' } });
  });
});
