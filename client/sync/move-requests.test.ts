import { afterEach, expect, test } from 'vitest';
import type { Conversation } from '../../shared/api.ts';
import { systemRandom } from '../../shared/clock.ts';
import { makeUuid } from '../../shared/ids.ts';
import { ApiError } from './api.ts';
import { openRequestMover } from './move-requests.ts';
import type { Entry } from './outbox/entry.ts';
import { makeMemoryOutboxStore } from './outbox/outbox-store.ts';
import { NO_SIBLINGS, openOutbox } from './outbox/outbox.ts';
import { makeTestClock, settled } from './test-server.ts';

const [ben, one, two, ana] = [1, 2, 3, 4].map((n) => makeUuid(n, systemRandom)) as [string, string, string, string];
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

async function setUp() {
  const clock = makeTestClock();
  const outbox = openOutbox({ store: makeMemoryOutboxStore(), siblings: NO_SIBLINGS, clock });
  const asked: string[] = [];
  const answered: (string | null)[][] = [];
  const world = { failure: null as ApiError | null, isReachable: true, moves: (_entry: Entry): boolean => true };
  const answer = async <T>(words: string, value: T): Promise<T> => {
    asked.push(words);
    await settled();
    if (world.failure) throw world.failure;
    return value;
  };
  const mover = openRequestMover({
    outbox,
    clock,
    random: (size) => new Uint8Array(size).fill(255),
    api: {
      openDirect: (userId) => answer(`open ${userId}`, { id: one } as Conversation),
      markRead: (id, seq) => answer(`read ${id} ${seq}`, undefined),
      accept: (id) => answer(`accept ${id}`, { id } as Conversation),
      hide: (id) => answer(`hide ${id}`, undefined),
      removeMember: (id, userId) => answer(`remove ${userId} from ${id}`, undefined),
      setBlocked: (userId, isBlocked) => answer(`${isBlocked ? 'block' : 'unblock'} ${userId}`, undefined),
    },
    me: { id: ana },
    moves: (entry) => world.moves(entry),
    isReachable: () => world.isReachable,
    row: (id) => ({ id }) as Conversation,
    onAnswered: (before, now) => answered.push([before.id, now?.id ?? null]),
    onBlocked: () => answer('who is blocked?', undefined),
  });
  closers.push(mover.close, outbox.close);
  await settled();
  const pass = async (ms: number): Promise<void> => {
    clock.pass(ms);
    await settled();
    await settled();
  };
  return { clock, outbox, mover, asked, answered, world, pass };
}
const refusal = (status: number): ApiError => new ApiError(status, 'some-code', 'words');

test('a first contact is opened once, told, and done', async () => {
  const { outbox, asked, answered, pass } = await setUp();
  outbox.open(one, ben);
  outbox.open(one, ben);
  await pass(0);
  expect([asked, answered, outbox.entries()]).toEqual([[`open ${ben}`], [[one, one]], []]);
});

test('[C4.7] reading on makes one request of the last position; one that moved on meanwhile goes too', async () => {
  const { outbox, asked, pass } = await setUp();
  for (const seq of [1, 2, 5]) outbox.read(one, seq);
  outbox.read(two, 9);
  await pass(999);
  expect(asked).toEqual([]);
  await pass(1);
  expect(asked).toEqual([`read ${one} 5`, `read ${two} 9`]);
  expect(outbox.entries()).toEqual([]);

  outbox.read(one, 6);
  await pass(500);
  outbox.read(one, 7);
  await pass(500);
  expect(asked.slice(2)).toEqual([`read ${one} 7`]);
  expect(outbox.entries()).toEqual([]);
});

test('nothing is asked where nobody answers, or where another tab moves it', async () => {
  const { outbox, mover, asked, world, pass } = await setUp();
  world.isReachable = false;
  outbox.open(one, ben);
  await pass(60_000);
  expect(asked).toEqual([]);
  world.isReachable = true;
  world.moves = ({ kind }) => kind === 'read';
  mover.move();
  await pass(60_000);
  expect(asked).toEqual([]);
  world.moves = () => true;
  mover.move();
  await pass(0);
  expect(asked).toEqual([`open ${ben}`]);
});

test.each([0, 401, 408, 429, 500, 503])('a request that failed with %i waits, ever longer, and goes again', async (status) => {
  const { outbox, asked, world, pass } = await setUp();
  world.failure = refusal(status);
  outbox.open(one, ben);
  await pass(0);
  // A change of something else is no reason to hurry.
  outbox.read(two, 1);
  await pass(0);
  expect(asked).toEqual([`open ${ben}`]);
  await pass(1_100);
  expect(asked.filter((words) => words.startsWith('open'))).toHaveLength(2);
  world.failure = null;
  for (let i = 0; i < 6; i++) await pass(10_000);
  expect(outbox.entries()).toEqual([]);
});

test('what will never be taken fails with its text kept; a read position like that is forgotten', async () => {
  const { outbox, asked, world, pass } = await setUp();
  world.failure = refusal(403);
  outbox.open(one, ben);
  outbox.read(two, 3);
  await pass(1_000);
  expect(outbox.entries()).toMatchObject([{ kind: 'open', state: { kind: 'failed', code: 'refused' } }]);
  const before = asked.length;
  await pass(60_000);
  expect(asked).toHaveLength(before);
});

test('[G3] a request is taken or goes off the list: told here when the server has it', async () => {
  const { outbox, asked, answered, pass } = await setUp();
  outbox.answer(one, 'accept');
  outbox.answer(two, 'hide');
  outbox.answer(ben, 'leave');
  await pass(0);
  expect(asked).toEqual([`accept ${one}`, `hide ${two}`, `remove ${ana} from ${ben}`]);
  expect([answered, outbox.entries()]).toEqual([
    [
      [one, one],
      [two, null],
      [ben, null],
    ],
    [],
  ]);
});

test('[G1] a block waits until this device knows it from the server; taken back meanwhile, that goes too', async () => {
  const { outbox, asked, world, pass } = await setUp();
  outbox.block(one, ben, true);
  expect(outbox.entries()).toHaveLength(1);
  await pass(1);
  expect([asked, outbox.entries()]).toEqual([[`block ${ben}`, 'who is blocked?'], []]);

  outbox.block(one, ben, false);
  await pass(1);
  asked.length = 0;
  outbox.block(one, ben, true);
  outbox.block(one, ben, false);
  await pass(1);
  await pass(1);
  expect(asked.filter((words) => words.includes(ben)).at(-1)).toBe(`unblock ${ben}`);
  expect(outbox.entries()).toEqual([]);

  // Of somebody who is gone: there is nothing more to do.
  world.failure = refusal(404);
  outbox.block(one, ben, true);
  await pass(1);
  expect(outbox.entries()).toEqual([]);
});

test('closed, it asks for nothing more', async () => {
  const { outbox, mover, asked, world, pass } = await setUp();
  world.failure = refusal(0);
  outbox.open(one, ben);
  await pass(0);
  mover.close();
  await pass(60_000);
  outbox.open(two, ben);
  await pass(1_000);
  expect(asked).toHaveLength(1);
});

test('[F9] a clock that was put back is no reason to wait longer after a failure', async () => {
  const { clock, outbox, asked, world, pass } = await setUp();
  world.failure = refusal(503);
  outbox.open(one, ben);
  await pass(0);
  expect(asked).toHaveLength(1);
  world.failure = null;
  clock.putBack(3_600_000);
  await pass(60_000);
  expect([asked.length, outbox.entries()]).toEqual([2, []]);
});
