import { expect, test } from 'vitest';
import type { Uuid } from '../../shared/ids.ts';
import type { InboxRequest } from '../../shared/inbox.ts';
import { makeDeliveredReporter } from './delivered.ts';
import { makeTestClock } from './test-server.ts';

function setUp() {
  const clock = makeTestClock();
  const stored = new Map<Uuid, number>();
  const told: InboxRequest[] = [];
  let isOpen = true;
  const reporter = makeDeliveredReporter({
    clock,
    replicas: () => new Map([...stored].map(([id, seq]) => [id, { storedSeq: () => seq }])),
    connection: { tell: (request) => isOpen && told.push(request) > 0 },
  });
  return { clock, stored, told, reporter, setOpen: (next: boolean) => void (isOpen = next) };
}

test('[I5] tells what is stored once a second at most, only what moved on, all conversations at once', () => {
  const { clock, stored, told, reporter } = setUp();
  for (let seq = 1; seq <= 30; seq++) {
    stored.set('a', seq).set('b', 7);
    reporter.look();
    clock.pass(30);
  }
  expect(told).toEqual([]);
  clock.pass(100);
  expect(told).toEqual([{ delivered: { a: 30, b: 7 } }]);
  reporter.look();
  clock.pass(1_000);
  expect(told).toHaveLength(1);
  stored.set('b', 8);
  reporter.look();
  clock.pass(1_000);
  expect(told.at(-1)).toEqual({ delivered: { b: 8 } });
});

test('what is not stored yet, or was told to nobody, is told later; all of it again on a new line', () => {
  const { clock, stored, told, reporter, setOpen } = setUp();
  stored.set('a', 0);
  reporter.look();
  clock.pass(1_000);
  expect(told).toEqual([]);
  setOpen(false);
  stored.set('a', 3);
  reporter.look();
  clock.pass(1_000);
  setOpen(true);
  reporter.again();
  clock.pass(1_000);
  expect(told).toEqual([{ delivered: { a: 3 } }]);
  // The last word on the line before may have been lost with it.
  reporter.again();
  clock.pass(1_000);
  expect(told).toEqual([{ delivered: { a: 3 } }, { delivered: { a: 3 } }]);
});

test('[I5] more conversations than one message may name go in several', () => {
  const { clock, stored, told, reporter } = setUp();
  for (let i = 0; i < 300; i++) stored.set(`conversation ${i}`, i + 1);
  reporter.look();
  clock.pass(1_000);
  clock.pass(1_000);
  const named = told.map((request) => ('delivered' in request ? Object.keys(request.delivered).length : 0));
  expect(named).toEqual([256, 44]);
});

test('closed, it says nothing more', () => {
  const { clock, stored, told, reporter } = setUp();
  stored.set('a', 1);
  reporter.look();
  reporter.close();
  clock.pass(5_000);
  expect(told).toEqual([]);
});
