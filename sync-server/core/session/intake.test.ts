import { expect, test } from 'vitest';
import { LIMITS, WAIT_MS } from '../../../shared/limits.ts';
import { fakeSocket } from '../testing/fake-socket.ts';
import { makeManualClock } from '../testing/manual-clock.ts';
import { makeIntake } from './intake.ts';

/** An intake whose `take` answers what the test says; it keeps what was taken. */
function intake(wait: (frame: Uint8Array) => number = () => 0) {
  const clock = makeManualClock();
  const socket = fakeSocket();
  const taken: number[] = [];
  const gaveUp: string[] = [];
  const reader = { isBehind: false };
  const made = makeIntake({
    socket,
    clock,
    take(frame) {
      const ms = wait(frame);
      if (ms === 0) taken.push(frame[0]!);
      return ms;
    },
    isPatient: () => reader.isBehind,
    giveUp(reason) {
      gaveUp.push(reason);
      made.stop();
    },
  });
  return { ...made, clock, socket, taken, gaveUp, reader };
}
const frame = (n: number): Uint8Array => Uint8Array.of(n);

test('[R2] [W13] frames wait until somebody takes them, in order', () => {
  const { receive, open, taken } = intake();
  for (let i = 0; i < 5; i++) receive(frame(i));
  expect(taken).toEqual([]);
  open();
  receive(frame(5));
  expect(taken).toEqual([0, 1, 2, 3, 4, 5]);
});

test('[W13] a frame that has to wait holds up those behind it, and is looked at again when its time has come', async () => {
  let until = 0;
  const { receive, open, taken, clock } = intake(([n]) => (n === 2 ? Math.max(0, until - clock.now()) : 0));
  until = clock.now() + 500;
  open();
  for (let i = 0; i < 4; i++) receive(frame(i));
  expect(taken).toEqual([0, 1]);
  await clock.advance(499);
  expect(taken).toEqual([0, 1]);
  await clock.advance(1);
  expect(taken).toEqual([0, 1, 2, 3]);
});

test('[W13] the socket is not read while more than a little waits, and is again when it was taken', async () => {
  let isHeld = true;
  const { receive, open, socket, clock, taken } = intake(() => (isHeld ? 100 : 0));
  open();
  for (let i = 0; i < LIMITS.pauseFrames; i++) receive(frame(i));
  expect(socket.isPaused).toBe(false);
  receive(frame(99));
  expect(socket.isPaused).toBe(true);
  isHeld = false;
  await clock.advance(100);
  expect([socket.isPaused, taken.length]).toEqual([false, LIMITS.pauseFrames + 1]);
  isHeld = true;
  receive(new Uint8Array(LIMITS.pauseBytes + 1));
  expect(socket.isPaused).toBe(true);
});

test('[W13] what has waited 30 s is given up, and what makes progress is not', async () => {
  const slow = intake(() => 1_000);
  slow.open();
  slow.receive(frame(0));
  await slow.clock.advance(WAIT_MS - 1);
  expect(slow.gaveUp).toEqual([]);
  await slow.clock.advance(1);
  expect(slow.gaveUp).toEqual(['too fast']);

  let next = 0;
  const steady = intake(() => Math.max(0, next - steady.clock.now()));
  next = steady.clock.now();
  const { receive, open, clock, taken } = steady;
  open();
  for (let i = 0; i < 10; i++) receive(frame(i));
  for (let i = 0; i < 10; i++) {
    next = clock.now() + WAIT_MS - 1;
    receive(frame(i));
    await clock.advance(WAIT_MS);
  }
  expect(steady.gaveUp).toEqual([]);
  expect(taken.length).toBeGreaterThan(10);
});

test('[W13] it is bounded in frames and in bytes, and then not taken any more', () => {
  const many = intake();
  for (let i = 0; i <= LIMITS.waitingFrames; i++) many.receive(frame(0));
  const large = intake();
  for (let i = 0; i < 3; i++) large.receive(new Uint8Array(LIMITS.step2));
  expect([many.gaveUp, large.gaveUp]).toEqual([['too much at once'], ['too much at once']]);
  many.open();
  expect([many.taken, many.socket.isPaused]).toEqual([[], false]);
});

test('[W7] [W13] what waits for its own reader waits as long as that one reads, and only then 30 s more', async () => {
  const { receive, open, gaveUp, clock, reader } = intake(() => 100);
  reader.isBehind = true;
  open();
  receive(frame(1));
  await clock.advance(4 * WAIT_MS);
  expect(gaveUp).toEqual([]);
  reader.isBehind = false;
  await clock.advance(WAIT_MS + 100);
  expect(gaveUp).toEqual(['too fast']);
});
