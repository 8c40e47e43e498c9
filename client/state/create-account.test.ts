import { createRoot } from 'solid-js';
import { expect, test } from 'vitest';
import type { Me } from '../../shared/api.ts';
import { systemRandom } from '../../shared/clock.ts';
import { makeUuid } from '../../shared/ids.ts';
import { type Api, ApiError, makeApi } from '../sync/api.ts';
import { type Account, createAccount } from './create-account.ts';

const id = makeUuid(1, systemRandom);
const ana: Me = { id, handle: 'ana', displayName: 'Ana', bio: '', avatarUrl: null, document: `user:${id}/1` };

function setUp(remembered: Me | null, answer: () => Promise<Me>) {
  let memory = remembered;
  const forgotten: string[] = [];
  const api: Api = { ...makeApi({ fetch }), me: answer, logout: async () => {} };
  const account: Account = createRoot(() =>
    createAccount(api, { read: () => memory, write: (me) => (memory = me), forget: async (account) => void forgotten.push(account) }),
  );
  return { account, forgotten, memory: () => memory };
}
const refuse = (status: number, code: string) => (): Promise<Me> => Promise.reject(new ApiError(status, code, 'words'));

test('[C6.9] who was here last is here without a network, and with an expired session that nobody can renew', async () => {
  const { account, memory } = setUp(ana, refuse(0, 'unreachable'));
  await account.load();
  expect(account.state()).toEqual({ kind: 'signed-in', me: ana });
  expect(memory()).toEqual(ana);
});

test('nobody was here and nobody answers: nobody knows', async () => {
  const { account } = setUp(null, refuse(0, 'unreachable'));
  await account.load();
  expect(account.state()).toEqual({ kind: 'unreachable' });
});

test('the server’s word counts: a newer profile, and the end of a session, which takes nothing from the device', async () => {
  const renamed = setUp(ana, async () => ({ ...ana, displayName: 'Anna' }));
  await renamed.account.load();
  expect(renamed.account.state()).toMatchObject({ me: { displayName: 'Anna' } });
  const over = setUp(ana, refuse(401, 'unauthorized'));
  await over.account.load();
  expect(over.account.state()).toEqual({ kind: 'signed-out', returning: true });
  expect([over.memory(), over.forgotten]).toEqual([null, []]);
});

test('signing out takes this person’s data from the device', async () => {
  const { account, forgotten } = setUp(ana, async () => ana);
  await account.load();
  await account.signOut();
  expect(forgotten).toEqual([id]);
});
