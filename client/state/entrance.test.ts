import { expect, test } from 'vitest';
import type { RequestOptions, SignedPasskey } from '../../shared/account-api.ts';
import { systemRandom } from '../../shared/clock.ts';
import { makeUuid } from '../../shared/ids.ts';
import { type Api, ApiError, makeApi } from '../sync/api.ts';
import { type PasskeyDevice, makeAccountCare } from './account-care.ts';
import type { Account } from './create-account.ts';
import { makeEntrance } from './entrance.ts';

const id = makeUuid(1, systemRandom);
const options: RequestOptions = { challenge: 'c', rpId: 'localhost', timeout: 1, userVerification: 'required' };
const signed: SignedPasskey = {
  id: 'k',
  rawId: 'k',
  type: 'public-key',
  response: { clientDataJSON: '', authenticatorData: '', signature: '', userHandle: '' },
  clientExtensionResults: {},
};
const refuse = (status: number, code: string) => (): Promise<never> => Promise.reject(new ApiError(status, code, 'words'));
const problem = { words: 'words', fields: new Map<string, string>() };

function setUp(changes: {
  api?: Partial<Api>;
  device?: Partial<PasskeyDevice>;
  signIns?: Awaited<ReturnType<Account['signIn']>>[];
  passkeyOf?: string;
}) {
  const cancelled: string[] = [];
  const device: PasskeyDevice = {
    isSupported: true,
    make: async () => ({ kind: 'cancelled' }),
    sign: async () => signed,
    canSuggest: async () => true,
    suggest: async () => signed,
    cancel: () => void cancelled.push('cancelled'),
    ...changes.device,
  };
  const api: Api = { ...makeApi({ fetch }), passkeyToSign: async () => options, ...changes.api };
  const answers = [...(changes.signIns ?? [])];
  const tried: SignedPasskey[] = [];
  const removed: (string | null)[] = [];
  const becomes = { id };
  const account = {
    state: () => ({ kind: 'signed-in', me: becomes }),
    remove: async (password: string | null) => (removed.push(password), answers.shift() ?? null),
    signInByPasskey: async (passkey: SignedPasskey) => (
      tried.push(passkey),
      (becomes.id = changes.passkeyOf ?? id),
      answers.shift() ?? null
    ),
  } as unknown as Account;
  return {
    entrance: makeEntrance({ api, account, device }),
    care: makeAccountCare({ api, account, device, origin: 'https://here' }),
    removed,
    cancelled,
    tried,
  };
}

test('[U4] a passkey signs in; a person who thinks better of it is told nothing', async () => {
  const well = setUp({});
  expect(await well.entrance.signInByPasskey()).toBeNull();
  expect(well.tried).toEqual([signed]);
  const cancelled = setUp({ device: { sign: async () => null } });
  expect([await cancelled.entrance.signInByPasskey(), cancelled.tried]).toEqual([null, []]);
  const offline = setUp({ api: { passkeyToSign: refuse(0, 'unreachable') } });
  expect(await offline.entrance.signInByPasskey()).toEqual(problem);
});

test('[U4] a suggestion that was refused is made anew, and the person is told; without a network none is made', async () => {
  const problems: unknown[] = [];
  const refused = setUp({ signIns: [problem, null] });
  await refused.entrance.suggestPasskeys(new AbortController().signal, (each) => problems.push(each));
  expect([refused.tried.length, problems]).toEqual([2, [problem]]);
  const offline = setUp({ api: { passkeyToSign: refuse(0, 'unreachable') } });
  await offline.entrance.suggestPasskeys(new AbortController().signal, (each) => problems.push(each));
  const unable = setUp({ device: { canSuggest: async () => false } });
  await unable.entrance.suggestPasskeys(new AbortController().signal, (each) => problems.push(each));
  expect([offline.tried, unable.tried, problems.length]).toEqual([[], [], 1]);
});

test('[U4] who leaves the form ends the suggestion', async () => {
  const leaving = new AbortController();
  let settle: (found: null) => void;
  const { entrance, cancelled, tried } = setUp({ device: { suggest: () => new Promise((resolve) => (settle = resolve)) } });
  const suggesting = entrance.suggestPasskeys(leaving.signal, () => {});
  await expect.poll(() => typeof settle).toBe('function');
  leaving.abort();
  expect(cancelled).toEqual(['cancelled']);
  settle!(null);
  await suggesting;
  expect(tried).toEqual([]);
});

test('[U5] the door says who may come in', async () => {
  const welcome = (api: Partial<Api>, invite: string | null) => setUp({ api }).entrance.welcome(invite);
  const byInvitation = { registration: async () => 'invite' as const };
  expect(await welcome({ registration: async () => 'open' }, null)).toEqual({ kind: 'open' });
  expect(await welcome(byInvitation, null)).toEqual({ kind: 'closed' });
  expect(await welcome({ ...byInvitation, invitation: async () => 'Ana' }, 't')).toEqual({ kind: 'invited', by: 'Ana' });
  expect(await welcome({ registration: async () => 'closed', invitation: async () => null }, 't')).toEqual({ kind: 'invited', by: null });
  expect(await welcome({ ...byInvitation, invitation: refuse(410, 'link-ended') }, 't')).toEqual({ kind: 'ended', words: 'words' });
  expect(await welcome({ registration: refuse(0, 'unreachable') }, null)).toBeNull();
});

test('[U5] an invite is passed on as a link of this place', async () => {
  const invite = { id, createdAt: '', expiresAt: '', uses: 1, usesLeft: 1 };
  const { care } = setUp({ api: { makeInvite: async () => ({ invite, token: 'abc' }) } });
  expect(await care.invite(1, 7)).toEqual({ kind: 'done', value: 'https://here/join#abc' });
});

test('[U4] a passkey that is not made is said in words', async () => {
  const make = (kind: 'known' | 'cancelled') =>
    setUp({ api: { passkeyToMake: async () => ({}) as never }, device: { make: async () => ({ kind }) } }).care.addPasskey('n', null);
  expect(await make('known')).toMatchObject({ problem: { words: 'This device has a passkey for you already.' } });
  expect(await make('cancelled')).toMatchObject({ problem: { words: 'No passkey was made.' } });
});

test('[G5] an account is deleted by the password, by a passkey of this person asked for now, or by a fresh sign-in; and by nothing else', async () => {
  const done = { kind: 'done', value: undefined };
  const byPassword = setUp({});
  expect([await byPassword.care.deleteAccount({ kind: 'password', password: 'p' }), byPassword.removed]).toEqual([done, ['p']]);
  const fresh = setUp({});
  expect([await fresh.care.deleteAccount({ kind: 'sign-in' }), fresh.removed, fresh.tried]).toEqual([done, [null], []]);
  const byPasskey = setUp({});
  expect([await byPasskey.care.deleteAccount({ kind: 'passkey' }), byPasskey.removed, byPasskey.tried]).toEqual([done, [null], [signed]]);

  const wrong = setUp({ signIns: [problem] });
  expect(await wrong.care.deleteAccount({ kind: 'password', password: 'p' })).toEqual({ kind: 'failed', problem });
  const cancelled = setUp({ device: { sign: async () => null } });
  expect(await cancelled.care.deleteAccount({ kind: 'passkey' })).toMatchObject({
    problem: { words: expect.stringMatching(/^Nothing was/) as string },
  });
  const refused = setUp({ signIns: [problem] });
  expect(await refused.care.deleteAccount({ kind: 'passkey' })).toEqual({ kind: 'failed', problem });
  const another = setUp({ passkeyOf: 'somebody else' });
  expect(await another.care.deleteAccount({ kind: 'passkey' })).toMatchObject({
    problem: { words: expect.stringMatching(/another account/) as string },
  });
  expect([cancelled.removed, refused.removed, another.removed]).toEqual([[], [], []]);
});
