import { expect, test } from 'vitest';
import type { ThreadMessage } from '../../state/thread.ts';
import { actionsFor, hasMenu } from './message-actions.ts';

const message = (change: Partial<ThreadMessage>): ThreadMessage =>
  ({ id: 'm', text: 'hello', isOwn: false, failure: null, change: null, ...change }) as ThreadMessage;
const nothing = (): void => {};
const acts = { copy: nothing, edit: nothing, remove: nothing, report: nothing };
const words = (change: Partial<ThreadMessage>, edit: typeof acts.edit | null = nothing): string[] =>
  actionsFor(message(change), { ...acts, edit }).map((action) => action.words);

test('[G4] others’ messages are reported, own ones changed and deleted', () => {
  expect(words({})).toEqual(['Copy', 'Report…']);
  expect(words({ isOwn: true })).toEqual(['Copy', 'Edit', 'Delete']);
  expect(words({ isOwn: true }, null)).toEqual(['Copy', 'Delete']);
  expect(words({ isOwn: true, failure: 'blocked' })).toEqual(['Copy', 'Delete']);
});

test('nothing is offered for what is deleted', () => {
  expect([{}, { text: null }, { change: 'delete' as const }].map((change) => hasMenu(message(change)))).toEqual([true, false, false]);
});
