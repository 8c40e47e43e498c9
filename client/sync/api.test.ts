import { expect, test } from 'vitest';
import { ApiError, makeApi } from './api.ts';

const json = (status: number, body: unknown): Response => new Response(JSON.stringify(body), { status });
const problem = (status: number, code: string): Response =>
  json(status, { type: `/problems/${code}`, title: 'words', status, code, errors: [{ path: 'handle', message: 'must be longer' }] });
const me = {
  id: '018f0000-0000-7000-8000-000000000001',
  handle: 'ana',
  displayName: 'Ana',
  bio: '',
  avatarUrl: null,
  document: 'user:018f0000-0000-7000-8000-000000000001/1',
};

/** An API over answers by path, each used in turn; the last one stays. */
function over(answers: Record<string, (() => Response)[]>) {
  const asked: string[] = [];
  const api = makeApi({
    fetch: async (input) => {
      const path = input as string;
      asked.push(path);
      const left = answers[path];
      const answer = left && (left.length > 1 ? left.shift() : left[0]);
      if (!answer) throw new TypeError('no network');
      return answer();
    },
  });
  return { api, asked };
}

test('[S4] an expired session is renewed once and the call made again', async () => {
  const { api, asked } = over({
    '/api/me': [() => problem(401, 'expired'), () => json(200, me)],
    '/api/auth/refresh': [() => json(200, {})],
  });
  expect(await api.me()).toEqual(me);
  expect(asked).toEqual(['/api/me', '/api/auth/refresh', '/api/me']);
});

test('still expired after a renewal: thrown, not tried for ever', async () => {
  const { api, asked } = over({ '/api/me': [() => problem(401, 'expired')], '/api/auth/refresh': [() => json(200, {})] });
  await expect(api.me()).rejects.toMatchObject({ code: 'expired' });
  expect(asked).toHaveLength(3);
});

test('[C6.9] expired, and nobody there to renew it: that is no network, not a sign-out', async () => {
  const { api } = over({ '/api/me': [() => problem(401, 'expired')] });
  await expect(api.me()).rejects.toMatchObject({ status: 0, code: 'unreachable' });
});

test('[S2] many calls at once make one renewal', async () => {
  const { api, asked } = over({
    '/api/me': [...Array.from({ length: 3 }, () => () => problem(401, 'expired')), () => json(200, me)],
    '/api/auth/refresh': [() => json(200, {})],
  });
  await Promise.all([api.me(), api.me(), api.me()]);
  expect(asked.filter((path) => path === '/api/auth/refresh')).toHaveLength(1);
});

test('what a renewal came to: refused is signed out, silence is nobody’s fault', async () => {
  expect(await over({ '/api/auth/refresh': [() => problem(401, 'unauthorized')] }).api.renew()).toBe('signed-out');
  expect(await over({ '/api/auth/refresh': [() => json(503, null)] }).api.renew()).toBe('unreachable');
  expect(await over({}).api.renew()).toBe('unreachable');
});

test('[H1] a problem keeps its code, words and fields; no answer and an odd one have words too', async () => {
  const refused = await over({ '/api/me': [() => problem(400, 'bad-request')] })
    .api.me()
    .catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ApiError);
  expect(refused).toMatchObject({ code: 'bad-request', message: 'words', fields: new Map([['handle', 'must be longer']]) });
  await expect(over({}).api.me()).rejects.toMatchObject({ status: 0, code: 'unreachable' });
  await expect(over({ '/api/me': [() => json(200, { id: 7 })] }).api.me()).rejects.toMatchObject({ code: 'internal' });
});

test('[F7] what is not answered in time counts as no network; a picture has longer', async () => {
  const limits: { ms: number; end: () => void }[] = [];
  const api = makeApi({
    timeout(ms) {
      const controller = new AbortController();
      limits.push({ ms, end: () => controller.abort() });
      return controller.signal;
    },
    fetch: (_path, init) =>
      new Promise((_resolve, reject) => init!.signal!.addEventListener('abort', () => reject(new DOMException('ended', 'AbortError')))),
  });
  const asked = api.logout();
  limits[0]!.end();
  await expect(asked).rejects.toMatchObject({ status: 0, code: 'unreachable' });
  const sent = api.setPicture(new Blob(['picture']));
  limits[1]!.end();
  await expect(sent).rejects.toBeInstanceOf(ApiError);
  expect(limits.map(({ ms }) => ms)).toEqual([25_000, 300_000]);
});
