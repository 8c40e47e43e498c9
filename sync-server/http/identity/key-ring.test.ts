import { expect, test } from 'vitest';
import { systemRandom } from '../../../shared/clock.ts';
import type { StoredKey } from '../../core/identity.ts';
import { makeManualClock } from '../../core/testing/manual-clock.ts';
import { openRing } from '../testing/keys.ts';
import { signAccessToken, verifyAccessToken } from './access-token.ts';
import type { KeyRing } from './key-ring.ts';
import { ACCESS_MS, AHEAD_MS, makeStoredKey } from './signing-keys.ts';

const who = { userId: '0190a0a0-0000-7000-8000-000000000001', sid: '0190a0a0-0000-7000-8000-000000000002', rotation: 0 };
const MINUTE = 60_000;

/** One store of keys, and nodes on it with one clock. */
async function openWorld() {
  const clock = makeManualClock();
  let stored: StoredKey[] = [await makeStoredKey(clock.now())];
  let reads = 0;
  let isDown = false;
  const open = () =>
    openRing(() => {
      reads += 1;
      if (isDown) throw new Error('down');
      return stored;
    }, clock);
  return {
    clock,
    open,
    rotate: async () => void (stored = [await makeStoredKey(clock.now() + AHEAD_MS), ...stored]),
    put: (keys: StoredKey[]) => void (stored = keys),
    stored: () => stored,
    reads: () => reads,
    fail: (down: boolean) => void (isDown = down),
    sign: async (ring: KeyRing) => (await signAccessToken(ring, { ...who, now: clock.now(), random: systemRandom })).token,
    verify: async (ring: KeyRing, token: string) => (await verifyAccessToken(ring, token, clock.now())).kind,
  };
}

test('[S5] a rotation is noticed by every node before the new key signs, and no token is refused on the way', async () => {
  const { clock, open, rotate, sign, verify } = await openWorld();
  const nodes = [await open(), await open()];
  const kids = new Set<string>();
  const issued: { token: string; until: number }[] = [];
  for (let minute = 0; minute < 60; minute++) {
    if (minute === 5) await rotate();
    for (const node of nodes) {
      kids.add(node.signing(clock.now()).kid);
      issued.push({ token: await sign(node), until: clock.now() + ACCESS_MS });
    }
    for (const { token, until } of issued)
      if (clock.now() < until) for (const node of nodes) expect(await verify(node, token)).toBe('valid');
    await clock.advance(MINUTE);
  }
  expect(kids.size).toBe(2);
  // Its last token is over: the older key is good for nothing any more.
  expect(nodes.map((node) => node.published(clock.now()).length)).toEqual([1, 1]);
  for (const node of nodes) node.stop();
});

test('[S5] a key that is not known here is looked for at once, but not for everybody who names one', async () => {
  const { clock, open, put, stored, reads, sign, verify } = await openWorld();
  const [early, late] = [await open(), await open()];
  await clock.advance(10_000);
  put([await makeStoredKey(clock.now()), ...stored()]);
  const newer = await open();
  const token = await sign(newer);
  expect(await verify(late, token)).toBe('valid');
  const before = reads();
  const strangers = await openWorld();
  const foreign = await strangers.sign(await strangers.open());
  for (let i = 0; i < 1_000; i++) expect(await verify(early, foreign)).toBe('invalid');
  expect(reads() - before).toBe(1);
});

test('[S5] the older key verifies until its last token is over, and not longer', async () => {
  const { clock, open, rotate, sign, verify } = await openWorld();
  const node = await open();
  await rotate();
  await clock.advance(AHEAD_MS - 1);
  const last = await sign(node);
  await clock.advance(ACCESS_MS);
  expect(await verify(node, last)).toBe('valid');
  const older = node.published(clock.now()).at(-1)!.kid!;
  await clock.advance(2 * AHEAD_MS + MINUTE);
  expect(await node.verifying(older, clock.now())).toBeNull();
});

test('[S5] while keys cannot be read, a node goes on with those it has, and nobody is told that a token is bad', async () => {
  const { clock, open, fail, sign, verify } = await openWorld();
  const node = await open();
  const strangers = await openWorld();
  const unknown = await strangers.sign(await strangers.open());
  fail(true);
  await clock.advance(10 * MINUTE);
  expect(await verify(node, await sign(node))).toBe('valid');
  await expect(verify(node, unknown)).rejects.toThrow('down');
  fail(false);
  expect(await verify(node, unknown)).toBe('invalid');
});

test('[S5] a ring without keys does not open', async () => {
  await expect(openRing(() => [])).rejects.toThrow('no signing key');
});
