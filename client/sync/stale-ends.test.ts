import { expect, test } from 'vitest';
import { CLOSE } from '../../shared/close-codes.ts';
import type { ReplicaStatus } from './replica.ts';
import type { SegmentReplica } from './segment-replica.ts';
import { watchStaleEnds } from './stale-ends.ts';
import { makeTestClock } from './test-server.ts';

const ended = (code: number): ReplicaStatus => ({ kind: 'ended', code, reason: '' });

function setUp() {
  const clock = makeTestClock();
  const statuses = new Map<number, ReplicaStatus>([
    [1, ended(CLOSE.notFound.code)],
    [2, ended(CLOSE.notMember.code)],
    [3, { kind: 'live' }],
  ]);
  const segments = new Map([...statuses.keys()].map((n) => [n, { n, status: () => statuses.get(n)! } as SegmentReplica]));
  const reopened: number[] = [];
  let isIn = true;
  const watch = watchStaleEnds({
    clock,
    segments,
    isIn: () => isIn,
    reopen: (n) => void reopened.push(n),
    onChange: () => watch.look(),
  });
  watch.look();
  return { clock, statuses, reopened, watch, setIn: (next: boolean) => void (isIn = next) };
}

test('[W4] what was closed to a member as to none is opened again, every 5 s until it stays open; what stands before their coming back is not', () => {
  const { clock, statuses, reopened, watch } = setUp();
  clock.pass(4_999);
  expect(reopened).toEqual([]);
  clock.pass(1);
  watch.look();
  clock.pass(5_000);
  expect(reopened).toEqual([2, 2]);
  statuses.set(2, { kind: 'live' });
  clock.pass(60_000);
  expect(reopened).toEqual([2, 2]);
});

test('[W4] whoever is out by then is left out', () => {
  const { clock, reopened, setIn } = setUp();
  setIn(false);
  clock.pass(60_000);
  expect(reopened).toEqual([]);
});

test('nothing is opened after the end', () => {
  const { clock, reopened, watch } = setUp();
  watch.close();
  clock.pass(60_000);
  expect(reopened).toEqual([]);
});
