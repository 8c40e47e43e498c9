import { createRoot } from 'solid-js';
import { afterEach, expect, test } from 'vitest';
import type { Me } from '../../shared/api.ts';
import { systemRandom } from '../../shared/clock.ts';
import { makeUuid } from '../../shared/ids.ts';
import { type Api, ApiError, makeApi } from '../sync/api.ts';
import type { Remembered } from '../sync/storage/account-memory.ts';
import { settled } from '../sync/test-server.ts';
import { type Account, createAccount } from './create-account.ts';

const id = makeUuid(1, systemRandom);
const ana: Me = { id, handle: 'ana', displayName: 'Ana', bio: '', avatarUrl: null, document: `user:${id}/1` };
const ben: Me = { ...ana, id: makeUuid(2, systemRandom), handle: 'ben', displayName: 'Ben' };
const NOBODY: Remembered = { kind: 'nobody' };
const here = (me: Me): Remembered => ({ kind: 'here', me });
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** A browser: its memory, and as many tabs as the test opens. */
function setUp(remembered: Remembered, answer: () => Promise<Me>) {
  let memory = remembered;
  const done: string[] = [];
  const listeners = new Map<Account, (value: Remembered) => void>();
  const world = { isHeld: false };
  const calls: Partial<Api> = { logout: async () => void done.push('logout') };
  function open(): Account {
    let hear = (_value: Remembered): void => {};
    const account: Account = createRoot((dispose) => {
      closers.push(dispose);
      return createAccount(
        { ...makeApi({ fetch }), me: answer, login: answer, ...calls },
        {
          async read() {
            await settled();
            return memory;
          },
          async write(value) {
            await settled();
            memory = value;
            for (const [other, listener] of listeners) if (other !== account) listener(value);
          },
          async forget(account) {
            done.push(`forget ${account}`);
            return !world.isHeld;
          },
          subscribe(listener) {
            hear = listener;
            return () => {};
          },
        },
      );
    });
    listeners.set(account, (value) => hear(value));
    return account;
  }
  return { open, done, calls, world, memory: () => memory, forget: () => void (memory = NOBODY) };
}
const refuse = (status: number, code: string) => (): Promise<Me> => Promise.reject(new ApiError(status, code, 'words'));

test('[C6.9] who was here last is here without a network, and with an expired session that nobody can renew', async () => {
  const { open, memory } = setUp(here(ana), refuse(0, 'unreachable'));
  const account = open();
  await account.load();
  expect(account.state()).toEqual({ kind: 'signed-in', me: ana });
  expect(memory()).toEqual(here(ana));
});

test('nobody was here and nobody answers: nobody knows', async () => {
  const account = setUp(NOBODY, refuse(0, 'unreachable')).open();
  await account.load();
  expect(account.state()).toEqual({ kind: 'unreachable' });
});

test('[C6.6] the first page is shown only when a start without a network would show it too', async () => {
  const { open, memory } = setUp(NOBODY, async () => ana);
  const account = open();
  const entering = account.signIn('ana', 'password');
  const seen: [string, string][] = [];
  for (let i = 0; i < 30; i++) {
    seen.push([account.state().kind, memory().kind]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await entering).toBe(null);
  expect(seen.at(-1)).toEqual(['signed-in', 'here']);
  expect(seen.filter(([state, kept]) => state === 'signed-in' && kept !== 'here')).toEqual([]);
});

test('the server’s word counts: a newer profile, and the end of a session, which takes nothing from the device', async () => {
  const renamed = setUp(here(ana), async () => ({ ...ana, displayName: 'Anna' })).open();
  await renamed.load();
  expect(renamed.state()).toMatchObject({ me: { displayName: 'Anna' } });
  const over = setUp(here(ana), refuse(401, 'unauthorized'));
  const account = over.open();
  await account.load();
  expect(account.state()).toEqual({ kind: 'signed-out', returning: true });
  expect([over.memory(), over.done]).toEqual([NOBODY, []]);
});

test('[C11.1] signing out takes this person’s data from the device, and all tabs to the entrance', async () => {
  const { open, done, memory } = setUp(here(ana), async () => ana);
  const tabs = [open(), open(), open()];
  for (const tab of tabs) await tab.load();
  await tabs[1]!.signOut();
  expect(tabs.map((tab) => tab.state())).toEqual(Array(3).fill({ kind: 'signed-out', returning: true }));
  expect([done, memory()]).toEqual([['logout', `forget ${id}`], NOBODY]);
});

test('[C11.1] who signs in, or changes their name, does so in all tabs', async () => {
  const { open, calls } = setUp(NOBODY, async () => ana);
  const [one, other] = [open(), open()];
  await one.signIn('ana', 'password');
  expect(other.state()).toEqual({ kind: 'signed-in', me: ana });
  calls.changeProfile = async () => ({ ...ana, displayName: 'Anna' });
  const third = open();
  await third.changeProfile({ displayName: 'Anna', bio: '' });
  expect([one, other].map((tab) => tab.state())).toEqual(Array(2).fill({ kind: 'signed-in', me: { ...ana, displayName: 'Anna' } }));
});

test('signed out without a network, the page is left at once, and the server is told at the next start', async () => {
  const { open, done, calls, memory } = setUp(here(ana), refuse(0, 'unreachable'));
  calls.logout = () => Promise.reject(new ApiError(0, 'unreachable', 'words'));
  const account = open();
  await account.load();
  await account.signOut();
  expect([account.state(), memory(), done]).toEqual([
    { kind: 'signed-out', returning: true },
    { kind: 'leaving', account: id },
    [`forget ${id}`],
  ]);
  calls.logout = async () => void done.push('logout');
  const again = open();
  await again.load();
  expect([again.state().kind, memory(), done.slice(1)]).toEqual(['signed-out', NOBODY, ['logout', `forget ${id}`]]);
});

test('what another tab still held is taken away at the next start', async () => {
  const { open, done, world, memory } = setUp(here(ana), async () => ana);
  const account = open();
  await account.load();
  world.isHeld = true;
  await account.signOut();
  expect(memory()).toEqual({ kind: 'leaving', account: id });
  world.isHeld = false;
  await open().load();
  expect([memory(), done.filter((what) => what !== 'logout')]).toEqual([NOBODY, [`forget ${id}`, `forget ${id}`]]);
});

test('an answer that comes after the person has left brings nobody back', async () => {
  let answer = (_me: Me): void => {};
  const { open, memory } = setUp(here(ana), () => new Promise<Me>((resolve) => (answer = resolve)));
  const account = open();
  const loading = account.load();
  await expect.poll(() => account.state().kind).toBe('signed-in');
  await account.signOut();
  answer(ana);
  await loading;
  expect([account.state().kind, memory()]).toEqual(['signed-out', NOBODY]);
});

test('[G5] a deleted account is gone from this device and from all tabs, also where the end of its session is heard first', async () => {
  const { open, done, calls, memory } = setUp(here(ana), async () => ana);
  const tabs: Account[] = [];
  calls.deleteMe = async (password) => {
    done.push(`delete by ${password}`);
    tabs.forEach((tab) => tab.ended());
    await settled();
  };
  tabs.push(open(), open());
  for (const tab of tabs) await tab.load();
  expect(await tabs[0]!.remove('password')).toBe(null);
  expect(tabs.map((tab) => tab.state().kind)).toEqual(['signed-out', 'signed-out']);
  expect([done, memory()]).toEqual([['delete by password', 'logout', `forget ${id}`], NOBODY]);
});

test('[G5] an account that the server does not delete stays, with its words', async () => {
  const { open, done, calls, memory } = setUp(here(ana), async () => ana);
  calls.deleteMe = refuse(403, 'wrong-password') as unknown as Api['deleteMe'];
  const account = open();
  await account.load();
  expect(await account.remove('no')).toMatchObject({ words: 'words' });
  expect([account.state(), memory(), done]).toEqual([{ kind: 'signed-in', me: ana }, here(ana), []]);
});

test('somebody who comes while another one’s leaving is being finished stays', async () => {
  const { open, calls, memory } = setUp(here(ana), async () => ben);
  let finish = (): void => {};
  calls.logout = () => new Promise<void>((resolve) => (finish = resolve));
  const [one, other] = [open(), open()];
  await one.load();
  const leaving = one.signOut();
  await expect.poll(() => memory().kind).toBe('leaving');
  await other.signIn('ben', 'password');
  finish();
  await leaving;
  expect([memory(), one.state(), other.state()]).toEqual([here(ben), ...Array(2).fill({ kind: 'signed-in', me: ben })]);
});

test('[F14] who is here is written again for a device that has forgotten it; who is not, is not', async () => {
  const device = setUp(NOBODY, async () => ana);
  const account = device.open();
  account.keepAgain();
  await settled();
  expect(device.memory()).toEqual(NOBODY);
  await account.signIn('ana', 'password');
  device.forget();
  account.keepAgain();
  await settled();
  expect([device.memory(), account.state()]).toEqual([here(ana), { kind: 'signed-in', me: ana }]);
});
