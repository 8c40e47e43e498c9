import { expect, test } from 'vitest';
import { makeMemoryMembership } from '../../memory/membership.ts';
import { makeMemoryStore } from '../../memory/store.ts';
import type { Positions, Privacy } from '../ports.ts';
import { type Known, makeStored } from './stored.ts';

/** Tables whose answers come when the test says so, each of the moment at which it was asked for. */
function slowTables() {
  const answers: ((read: number, privacy?: Privacy) => void)[] = [];
  const before: Known[] = [];
  let positionsAsked: (positions: Map<string, Positions>) => void;
  const stored = makeStored({
    conversationId: 'c',
    membership: {
      ...makeMemoryMembership(makeMemoryStore()),
      positions: () => new Promise((resolve) => (positionsAsked = resolve)),
      privacy: () =>
        new Promise((resolve) => {
          const resolvePositions = positionsAsked;
          answers.push((read, privacy = { silent: [], apart: [] }) => {
            resolvePositions(new Map([['ana', { read, delivered: read }]]));
            resolve(privacy);
          });
        }),
    },
    logger: { info() {}, warn() {}, error() {} },
    onLooked: (known) => void before.push(known),
  });
  return { stored, answers, before };
}

test('[P6] of two looks the one that began later counts, whichever ends first', async () => {
  const { stored, answers } = slowTables();
  const looks = [stored.look(), stored.look()];
  answers[1]!(1, { silent: ['ana'], apart: [] });
  await looks[1];
  answers[0]!(1);
  await looks[0];
  expect(stored.discretion()?.isShown('ana')).toBe(false);
});

test('[P6] a look that began before all was forgotten says nothing', async () => {
  const { stored, answers } = slowTables();
  const old = stored.look();
  stored.forget();
  const fresh = stored.look();
  answers[0]!(1);
  await old;
  expect([stored.discretion(), stored.hasLooked()]).toEqual([null, false]);
  answers[1]!(2);
  await fresh;
  expect([stored.positions().get('ana')?.read, stored.hasLooked()]).toEqual([2, true]);
});

test('[P4] positions only move forward, and what moved meanwhile stays', async () => {
  const { stored, answers, before } = slowTables();
  const look = stored.look();
  expect([stored.moved('ana', 5), stored.moved('ana', 5), stored.moved('ana', 4)]).toEqual([true, false, false]);
  answers[0]!(3);
  await look;
  expect(stored.positions().get('ana')).toEqual({ read: 5, delivered: 3 });
  expect(before).toHaveLength(1);
});
