import { afterEach, expect, test } from 'vitest';
import type { User } from '../../shared/api.ts';
import { systemRandom } from '../../shared/clock.ts';
import { makeUuid } from '../../shared/ids.ts';
import { ApiError } from './api.ts';
import { makeBlocksWatch, openBlocks } from './blocks.ts';
import { makeMemoryOutboxStore } from './outbox/outbox-store.ts';
import { NO_SIBLINGS, openOutbox } from './outbox/outbox.ts';
import { makeTestClock, settled } from './test-server.ts';

const person = (handle: string): User => ({ id: makeUuid(1, systemRandom), handle, displayName: handle, bio: '', avatarUrl: null });
const [ben, chiara] = [person('ben'), person('chiara')];
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** A device, and a server that answers each question when the test says so. */
async function setUp(device = new Map<string, unknown>()) {
  const questions: { answer: (users: User[]) => void; fail: (error: Error) => void }[] = [];
  let changes = 0;
  const blocks = openBlocks({
    database: {
      read: async (name) => device.get(name),
      write: async (name, value) => void device.set(name, value),
    },
    api: { blocked: () => new Promise((answer, fail) => void questions.push({ answer, fail })) },
    onChange: () => (changes += 1),
  });
  await blocks.ready;
  return { device, blocks, questions, handles: () => [...blocks.people().values()].map(({ handle }) => handle), changes: () => changes };
}

test('[G1] whom one has blocked is known at a start without a network', async () => {
  const first = await setUp();
  const asked = first.blocks.refresh();
  first.questions[0]!.answer([ben]);
  await asked;
  expect([first.handles(), first.changes()]).toEqual([['ben'], 1]);
  const again = await setUp(first.device);
  expect([again.handles(), again.changes()]).toEqual([['ben'], 1]);
});

test('an answer to an older question replaces none to a newer one; what the device held is no word of the server', async () => {
  const { blocks, questions, handles } = await setUp(new Map([['blocks', { users: 'nonsense' }]]));
  expect(handles()).toEqual([]);
  const both = [blocks.refresh(), blocks.refresh()];
  questions[1]!.answer([chiara]);
  questions[0]!.answer([ben]);
  await Promise.all(both);
  expect(handles()).toEqual(['chiara']);
});

test('it asks when the server can be reached again, when a change has left, and when somebody looks; not else', async () => {
  const { blocks, questions } = await setUp();
  const outbox = openOutbox({ store: makeMemoryOutboxStore(), siblings: NO_SIBLINGS, clock: makeTestClock() });
  closers.push(outbox.close);
  await settled();
  let isUp = false;
  const look = makeBlocksWatch({ blocks, outbox, isReachable: () => isUp });
  const count = (...looks: (boolean | undefined)[]): number => {
    looks.forEach((isLookedAt) => look(isLookedAt));
    return questions.length;
  };
  expect(count(undefined, true)).toBe(0);
  isUp = true;
  expect(count(undefined, undefined)).toBe(1);
  outbox.block(ben.id, ben.id, true);
  expect(count(undefined)).toBe(1);
  outbox.done(outbox.entries());
  expect(count(undefined, undefined)).toBe(2);
  expect(count(true)).toBe(3);
  // Nobody answers: it is asked again at the next occasion.
  questions[2]!.fail(new ApiError(0, 'unreachable', 'words'));
  await settled();
  isUp = false;
  look();
  isUp = true;
  expect(count(undefined)).toBe(4);
});
