import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { CLOSE } from '../../../shared/close-codes.ts';
import { signedIn } from '../../../shared/api.ts';
import { HTTP_RATES } from '../../../shared/limits.ts';
import { listen } from '../testing/listen.ts';
import { type TestApi, openTestApi } from '../test-api.ts';

let api: TestApi;
let server: Awaited<ReturnType<typeof listen>>;
beforeEach(async () => {
  api = await openTestApi();
  server = await listen(api);
});
afterEach(async () => {
  await server.close();
  await api.close();
});

/** The close code of a socket, or null once it stays. */
const closeOf = (token: string): Promise<number | null> =>
  new Promise((resolve) => {
    const socket = new WebSocket(server.url, { headers: { Authorization: `Bearer ${token}` } });
    socket.on('close', (code) => resolve(code));
    socket.on('open', () => {
      socket.ping();
      socket.on('pong', () => {
        resolve(null);
        socket.terminate();
      });
    });
    socket.on('error', () => {});
  });

test.each([-24 * 3_600_000, -300_000, 300_000])(
  '[F9] the clock of the server jumps by %i ms: nobody is signed out, and a renewal mends it',
  async (jump) => {
    const ada = await api.register('ada');
    api.jump(jump);
    const before = await api.call('GET', '/api/me', undefined, { Authorization: `Bearer ${ada.accessToken}` });
    expect(before).toMatchObject(jump < 0 ? { status: 401, body: { code: 'expired' } } : { status: 200 });
    expect(await closeOf(ada.accessToken)).toBe(jump < 0 ? CLOSE.expired.code : null);
    const renewed = await api.call('POST', '/api/auth/refresh', { refreshToken: ada.refreshToken });
    expect(renewed.status).toBe(200);
    const { accessToken } = signedIn.parse(renewed.body);
    expect((await api.call('GET', '/api/me', undefined, { Authorization: `Bearer ${accessToken}` })).status).toBe(200);
    expect(await closeOf(accessToken)).toBeNull();
    // Another tab presents the same refresh token, by its own clock a moment later.
    expect((await api.call('POST', '/api/auth/refresh', { refreshToken: ada.refreshToken })).status).toBe(200);
  },
);

test('[F9] a clock that is put back neither locks anybody out nor lets anybody guess on', async () => {
  await api.register('ada');
  const guess = async (): Promise<number> =>
    (await api.call('POST', '/api/auth/login', { handle: 'ada', password: 'wrong horse', client: 'program' })).status;
  const { burst, perMinute } = HTTP_RATES.logInBoth;
  for (let i = 0; i < burst; i++) expect(await guess()).toBe(401);
  api.jump(-3_600_000);
  expect(await guess()).toBe(429);
  api.jump(7_200_000);
  expect(await guess()).toBe(429);
  api.pass(60_000);
  for (let i = 0; i < perMinute; i++) expect(await guess()).toBe(401);
  expect(await guess()).toBe(429);
});
