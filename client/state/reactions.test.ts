import { expect, test } from 'vitest';
import { systemRandom } from '../../shared/clock.ts';
import { makeMessageId } from '../../shared/ids.ts';
import type { EntryState, ReactEntry, Toggle } from '../sync/outbox/entry.ts';
import { makeReactions, projectReactions } from './reactions.ts';

const [ana, ben] = ['ana', 'ben'];
const messageId = makeMessageId(1, systemRandom);
const entry = (toggles: Toggle[], state: EntryState = { kind: 'waiting' }): ReactEntry => ({
  ...{ id: `e:${messageId}`, conversationId: 'c', order: 1, at: 1, kind: 'react', messageId, n: 1 },
  toggles,
  state,
});
const stored = (...all: [string, string[]][]) => new Map<string, readonly string[]>(all);

test('[C8.3] what waits is shown as if it were there, in the order of the document, own ones marked', () => {
  const there = stored(['👍', [ben]], ['🎉', [ana, ben]], ['🔥', [ana]]);
  const toggles = [
    { emoji: '👍', isOn: true },
    { emoji: '🔥', isOn: false },
    { emoji: '❤️', isOn: true },
    { emoji: '🎉', isOn: true },
  ];
  expect(projectReactions(there, entry(toggles), ana)).toEqual([
    { emoji: '👍', people: [ben, ana], isOwn: true },
    { emoji: '🎉', people: [ana, ben], isOwn: true },
    { emoji: '❤️', people: [ana], isOwn: true },
  ]);
  expect(there.get('🔥')).toEqual([ana]);
});

test('what failed is undone, and says why', () => {
  const there = stored(['👍', [ben]]);
  const reactionsTo = makeReactions(ana, () => entry([{ emoji: '👍', isOn: true }], { kind: 'failed', code: 'blocked' }));
  expect(reactionsTo(messageId, there)).toEqual({ shown: [{ emoji: '👍', people: [ben], isOwn: false }], failure: 'blocked' });
});

test('the same answer as long as it says the same, whoever stored it again', () => {
  let now: ReactEntry | undefined;
  const reactionsTo = makeReactions(ana, () => now);
  const first = reactionsTo(messageId, stored(['👍', [ben]])).shown;
  expect(reactionsTo(messageId, stored(['👍', [ben]])).shown).toBe(first);
  now = entry([{ emoji: '👍', isOn: true }]);
  const second = reactionsTo(messageId, stored(['👍', [ben]])).shown;
  expect(second).not.toBe(first);
  now = undefined;
  expect(reactionsTo(messageId, stored(['👍', [ben, ana]])).shown).toBe(second);
  expect(reactionsTo(messageId, stored()).shown).toEqual([]);
  expect(reactionsTo(messageId, stored()).shown).toBe(reactionsTo('another', stored()).shown);
});
