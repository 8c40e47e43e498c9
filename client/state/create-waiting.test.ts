import { createRoot } from 'solid-js';
import { afterEach, expect, test } from 'vitest';
import { systemRandom } from '../../shared/clock.ts';
import { makeMessageId, makeUuid } from '../../shared/ids.ts';
import { draftKey, marksKey, settingKey } from '../../shared/user-document.ts';
import { changeKey, messageKey, openKey, privateKey, reactKey } from '../sync/outbox/entry.ts';
import { settled } from '../sync/test-server.ts';
import { createWaiting } from './create-waiting.ts';
import { makeTestSync } from './test-sync.ts';

const [ben, one, two] = [1, 2, 3].map((n) => makeUuid(n, systemRandom)) as [string, string, string];
const messageId = (): string => makeMessageId(1_000_000, systemRandom);
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

function setUp() {
  const device = makeTestSync();
  closers.push(device.outbox.close);
  const waiting = createRoot((dispose) => {
    closers.push(dispose);
    return createWaiting({ sync: device.sync, nameOf: (id) => (id === one ? 'Ben' : 'Chiara') });
  });
  return { ...device, waiting };
}

test('[C6.2] messages and edits of all conversations in order of writing; deletions and positions leave quietly', async () => {
  const { waiting, outbox } = setUp();
  const [a, b, c] = [messageId(), messageId(), messageId()];
  outbox.send(one, a, ['first', null, null]);
  outbox.edit(two, b, 1, 'second');
  outbox.remove(two, c, 1);
  outbox.read(one, 7);
  expect(waiting.entries).toMatchObject([
    { id: messageKey(a), conversationId: one, name: 'Ben', text: 'first', failure: null },
    { id: changeKey(b), conversationId: two, name: 'Chiara', text: 'second', failure: null },
  ]);
  expect([waiting.count(), waiting.failed(), outbox.entries().length]).toEqual([2, 0, 4]);
});

test('[C6.5] changed or taken back here, it is what will be sent, or nothing; the others keep their place', async () => {
  const { waiting, outbox } = setUp();
  const ids = [messageId(), messageId(), messageId()];
  ids.forEach((id, i) => outbox.send(one, id, [`text ${i}`, null, null]));
  const [, row] = waiting.entries;
  waiting.edit(messageKey(ids[1]!), 'changed');
  waiting.remove(messageKey(ids[0]!));
  expect(waiting.entries.map(({ text }) => text)).toEqual(['changed', 'text 2']);
  expect(waiting.entries[0]).toBe(row);
  const sent = messageId();
  outbox.edit(two, sent, 4, 'an edit');
  waiting.edit(changeKey(sent), 'another');
  expect(outbox.get(changeKey(sent))).toMatchObject({ kind: 'edit', n: 4, body: 'another' });
  waiting.remove(changeKey(sent));
  waiting.remove('m:never was');
  await settled();
  expect([waiting.count(), outbox.entries().length]).toEqual([2, 2]);
});

test('[C6.3, C6.4] what failed says why, keeps its text, and goes again under the same id, alone or with all', async () => {
  const { waiting, outbox, world } = setUp();
  const [a, b] = [messageId(), messageId()];
  for (const id of [a, b]) outbox.send(one, id, ['text', null, null]);
  outbox.fail([messageKey(a), messageKey(b)], 'blocked');
  expect([waiting.failed(), waiting.entries.every(({ failure, text }) => failure !== null && text === 'text')]).toEqual([2, true]);
  waiting.retry(messageKey(a));
  expect([waiting.failed(), outbox.get(messageKey(a))]).toMatchObject([1, { messageId: a, state: { kind: 'waiting' } }]);
  waiting.sendNow();
  expect([waiting.failed(), world.woken]).toEqual([0, 1]);
  // Changing what failed sends it as well.
  outbox.fail([messageKey(b)], 'refused');
  waiting.edit(messageKey(b), 'better');
  expect([waiting.failed(), waiting.entries.at(-1)]).toMatchObject([0, { text: 'better' }]);
});

test('[C6.3] what leaves quietly is there when it has failed, with words and something to know it by', () => {
  const { waiting, outbox } = setUp();
  const id = messageId();
  const me = makeUuid(9, systemRandom);
  outbox.react(one, id, 1, { emoji: '👍', isOn: true });
  outbox.remove(one, messageId(), 1);
  outbox.set(me, draftKey(two), 'a long draft');
  outbox.set(me, marksKey(two), { pin: 1 });
  outbox.set(me, settingKey('density'), 'compact');
  expect(waiting.count()).toBe(0);
  outbox.fail(
    outbox.entries().map((entry) => entry.id),
    'quota',
  );
  expect(waiting.entries.map(({ name, text, isEditable }) => [name, text, isEditable])).toEqual([
    ['Ben', '👍', false],
    ['Ben', 'A message is to be deleted.', false],
    ['Chiara', 'a long draft', false],
    ['Chiara', 'A change of this conversation.', false],
  ]);
  const words = waiting.entries.map(({ failure }) => failure);
  expect([new Set(words).size, words.every((each) => each?.endsWith('.'))]).toEqual([4, true]);
  waiting.remove(reactKey(id));
  waiting.retry(privateKey(draftKey(two)));
  expect(waiting.entries.map(({ text }) => text)).toEqual(['A message is to be deleted.', 'A change of this conversation.']);
});

test('a conversation that cannot be opened fails all that was written into it, and goes again with it', () => {
  const { waiting, outbox } = setUp();
  const id = messageId();
  outbox.open(one, ben);
  outbox.send(one, id, ['hello', null, null]);
  expect([waiting.count(), waiting.failed()]).toEqual([1, 0]);
  outbox.fail([openKey(one)], 'refused');
  expect(waiting.failed()).toBe(1);
  waiting.retry(messageKey(id));
  expect([waiting.failed(), outbox.get(openKey(one))?.state]).toEqual([0, { kind: 'waiting' }]);
});

test('[F14] counts what is in this tab only', async () => {
  const { waiting, outbox } = setUp();
  outbox.send(one, messageId(), ['text', null, null]);
  outbox.edit(two, messageId(), 1, 'an edit');
  expect([waiting.count(), waiting.onlyHere()]).toEqual([2, 2]);
  await settled();
  expect([waiting.count(), waiting.onlyHere()]).toEqual([2, 0]);
});

test('[F14] says when this device does not keep it', () => {
  const { waiting, world, notify } = setUp();
  expect(waiting.isMemoryOnly()).toBe(false);
  world.isMemoryOnly = true;
  notify();
  expect(waiting.isMemoryOnly()).toBe(true);
});
