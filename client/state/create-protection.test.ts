import { createRoot } from 'solid-js';
import { afterEach, expect, test } from 'vitest';
import { directConversationId } from '../../shared/ids.ts';
import { ApiError } from '../sync/api.ts';
import { blockKey } from '../sync/outbox/entry.ts';
import { createProtection } from './create-protection.ts';
import { makePerson, makeTestSync } from './test-sync.ts';

const [ana, ben, chiara] = [makePerson('ana'), makePerson('ben'), makePerson('chiara')];
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

function setUp() {
  const device = makeTestSync();
  const world = { failure: null as ApiError | null };
  const reports: unknown[] = [];
  const protection = createRoot((dispose) => {
    closers.push(dispose, device.outbox.close);
    return createProtection({
      sync: device.sync,
      me: ana.id,
      person: (id) => [ben, chiara].find((user) => user.id === id),
      api: {
        async report(...asked) {
          reports.push(asked);
          if (world.failure) throw world.failure;
        },
      },
    });
  });
  return { ...device, protection, reports, failing: world };
}
const handles = ({ protection }: ReturnType<typeof setUp>): string[] => protection.blocked().map(({ handle }) => handle);

test('[G1] a block holds on the screen at once, without a network, and so does its end', async () => {
  const device = setUp();
  const { protection, world, outbox, notify } = device;
  world.blocked = [chiara];
  notify();
  expect([handles(device), protection.isBlocked(chiara.id), protection.isBlocked(ben.id)]).toEqual([['chiara'], true, false]);
  await protection.setBlocked(ben.id, true);
  await protection.setBlocked(chiara.id, false);
  expect([handles(device), protection.isBlocked(chiara.id), protection.isBlocked(ben.id)]).toEqual([['ben'], false, true]);
  expect(outbox.get(blockKey(ben.id))).toMatchObject({ conversationId: await directConversationId(ana.id, ben.id), isBlocked: true });

  // Then the server has both, and says so.
  outbox.done(outbox.entries());
  world.blocked = [ben];
  notify();
  expect([handles(device), protection.isBlocked(ben.id)]).toEqual([['ben'], true]);
});

test('[G4] a report goes to the server, and what it answers is said', async () => {
  const { protection, reports, failing } = setUp();
  expect(await protection.report('c', 'm', 'Spam')).toEqual({ kind: 'done', value: undefined });
  failing.failure = new ApiError(429, 'too-many-requests', 'Later.');
  expect(await protection.report('c', 'm', 'Spam')).toMatchObject({ kind: 'failed', problem: { words: 'Later.' } });
  expect(reports).toEqual(Array(2).fill(['c', 'm', 'Spam']));
});
