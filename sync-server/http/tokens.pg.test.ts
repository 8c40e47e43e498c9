import { createRequire } from 'node:module';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { CLOSE } from '../../shared/close-codes.ts';
import { makeSigningKeys } from '../postgres/signing-keys.ts';
import { importStored, makeStoredKey } from './identity/signing-keys.ts';
import { type TestApi, type TestPerson, openTestApi } from './test-api.ts';
import { listen } from './testing/listen.ts';
import { type Forge, TOKEN_MUTATIONS } from './testing/token-mutations.ts';

// The client's plugin makes the test runner resolve `ws` as a browser would; here it is Node's.
vi.mock('ws', () => {
  const ws = createRequire(import.meta.url)('../../node_modules/ws/index.js') as typeof import('ws');
  return { WebSocket: ws.WebSocket, WebSocketServer: ws.WebSocketServer };
});

let api: TestApi;
let server: Awaited<ReturnType<typeof listen>>;
let ada: TestPerson;
let forge: Forge;
beforeAll(async () => {
  api = await openTestApi();
  server = await listen(api);
  ada = await api.register('ada');
  const [key] = await importStored(await makeSigningKeys(api.sql).load(() => makeStoredKey(0)));
  const claims = decodeJwt(ada.accessToken);
  forge = { token: ada.accessToken, refreshToken: ada.refreshToken!, key: key!, claims, iat: claims.iat! };
});
afterAll(async () => {
  await server.close();
  await api.close();
});

/** How a socket ends that comes with these headers: its close code, or the status that it was refused with. */
const closeOf = (path: string, headers: Record<string, string>): Promise<number> =>
  new Promise((resolve) => {
    const socket = new WebSocket(`${server.url}${path}`, { headers });
    socket.on('close', resolve);
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
    socket.on('error', () => {});
  });
const PRINTABLE = /^[\x21-\x7e]+$/;

describe('[S2] lets nobody in, over HTTP and at the socket: a token', () => {
  test.each(Object.entries(TOKEN_MUTATIONS))('%s', async (_, mutate) => {
    const token = await mutate(forge);
    expect(token).toMatch(PRINTABLE);
    const bearer = { Authorization: `Bearer ${token}` };
    const cookie = { Cookie: `homing_session=${token}`, Origin: server.url.replace('ws:', 'http:').replace('/api/sync', '') };
    for (const headers of [bearer, { ...cookie, Origin: 'http://localhost' }])
      expect(await api.call('GET', '/api/me', undefined, headers)).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    for (const path of ['', `/${ada.user.document}`])
      for (const headers of [bearer, cookie]) expect(await closeOf(path, headers)).toBe(CLOSE.unauthorized.code);
  });

  test('of 100 kB', async () => {
    const headers = { Authorization: `Bearer ${'x'.repeat(100_000)}` };
    expect((await api.call('GET', '/api/me', undefined, headers)).status).toBe(401);
    expect(await closeOf('', headers)).toBe(431);
  });

  test('in the address', async () => {
    for (const name of ['token', 'access_token', 'auth']) {
      expect((await api.call('GET', `/api/me?${name}=${ada.accessToken}`)).status).toBe(401);
      expect(await closeOf(`?${name}=${ada.accessToken}`, {})).toBe(CLOSE.unauthorized.code);
    }
  });

  test('of an access token, where a refresh token is asked for', async () => {
    const answer = await api.call('POST', '/api/auth/refresh', { refreshToken: ada.accessToken.slice(0, 200) });
    expect(answer.status).toBe(401);
  });
});

test('[S2] after all of that the good token is still good', async () => {
  expect(await ada.call('GET', '/api/me')).toMatchObject({ status: 200, body: { handle: 'ada' } });
  const socket = new WebSocket(server.url, { headers: { Authorization: `Bearer ${ada.accessToken}` } });
  await vi.waitFor(() => expect(socket.readyState).toBe(WebSocket.OPEN));
  socket.close();
});
