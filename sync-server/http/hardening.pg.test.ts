import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type Answer, type TestApi, type TestPerson, openTestApi } from './test-api.ts';
import { listen } from './testing/listen.ts';

// The client's plugin makes the test runner resolve `ws` as a browser would; here it is Node's.
vi.mock('ws', () => {
  const ws = createRequire(import.meta.url)('../../node_modules/ws/index.js') as typeof import('ws');
  return { WebSocket: ws.WebSocket, WebSocketServer: ws.WebSocketServer };
});

const SHOP = 'https://shop.example';
let api: TestApi;
let server: Awaited<ReturnType<typeof listen>>;
let ada: TestPerson;
let cookie: string;
const warnings: Record<string, unknown>[] = [];
beforeAll(async () => {
  api = await openTestApi((deps) => ({
    ...deps,
    allowedOrigins: [SHOP],
    logger: { ...deps.logger, warn: (fields) => void warnings.push(fields) },
  }));
  server = await listen(api);
  ada = await api.register('ada');
  cookie = `homing_session=${ada.accessToken}`;
});
afterAll(async () => {
  await server.close();
  await api.close();
});

const FOREIGN = (own: string): [string, string | undefined][] => [
  ['another site', 'https://evil.example'],
  ['a sandboxed page', 'null'],
  ['no origin', undefined],
  ['an empty one', ''],
  ['ours as a part', `${own}.evil.example`],
  ['ours at the end', own.replace('://', '://evil-')],
  ['a neighbour', own.replace('://', '://sub.')],
  ['another port', `${own}1`],
  ['a path behind it', `${own}/`],
  ['in capitals', own.toUpperCase()],
  ['the allowed one in capitals', 'https://SHOP.example'],
  ['the allowed one without TLS', 'http://shop.example'],
  ['the allowed one as a part', `${SHOP}.evil.example`],
  ['two of them', `${own}, ${SHOP}`],
];

/** How an upgrade by a browser with its cookie ends: `open`, or the status of its refusal. */
const upgrade = (origin: string | undefined): Promise<number | 'open'> =>
  new Promise((resolve) => {
    const socket = new WebSocket(server.url, { headers: { Cookie: cookie, ...(origin === undefined ? {} : { Origin: origin }) } });
    socket.on('open', () => {
      resolve('open');
      socket.close();
    });
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
    socket.on('error', () => {});
  });
const patch = (origin: string | undefined): Promise<Answer> =>
  api.call('PATCH', '/api/me', { bio: 'x' }, { Cookie: cookie, ...(origin === undefined ? {} : { Origin: origin }) });

describe('[S3] with cookies of the person', () => {
  test('our own page and the allowed origin change things and open sockets', async () => {
    const own = server.url.replace('ws:', 'http:').replace('/api/sync', '');
    for (const origin of [own, SHOP]) expect(await upgrade(origin)).toBe('open');
    for (const origin of ['http://localhost', SHOP]) expect((await patch(origin)).status).toBe(200);
  });

  test.each(FOREIGN('http://localhost'))('nothing is changed from %s: %s', async (_, origin) => {
    expect(await patch(origin)).toMatchObject({ status: 403, body: { code: 'origin' } });
  });

  test('no socket is opened from anywhere else', async () => {
    const own = server.url.replace('ws:', 'http:').replace('/api/sync', '');
    for (const [name, origin] of FOREIGN(own)) expect([name, await upgrade(origin)]).toEqual([name, 403]);
  });

  test('every unsafe method asks for the origin', async () => {
    for (const [method, path] of [
      ['POST', '/api/messaging/conversations'],
      ['PUT', '/api/me/avatar'],
      ['DELETE', '/api/me/avatar'],
      ['PATCH', '/api/me'],
      ['POST', '/api/auth/logout'],
      ['POST', '/api/auth/refresh'],
      ['POST', '/api/auth/login'],
      ['POST', '/api/auth/enter'],
      ['POST', '/api/sync/x'],
      ['POST', '/api/csp-reports'],
    ] as const)
      expect([path, (await api.call(method, path, {}, { Cookie: cookie, Origin: 'https://evil.example' })).status]).toEqual([path, 403]);
  });
});

test('[S3] no route that changes something takes a foreign page’s word, whatever the body pretends to be', async () => {
  const { paths } = (await api.call('GET', '/api/openapi.json')).body as { paths: Record<string, Record<string, unknown>> };
  const unsafe = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).flatMap((method) =>
      method === 'get' ? [] : [[method.toUpperCase(), path.replaceAll(/\{[^}]+\}/g, ada.id)] as const],
    ),
  );
  expect(unsafe.length).toBeGreaterThan(30);
  for (const [method, path] of unsafe)
    for (const [name, origin] of FOREIGN('http://localhost'))
      for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
        const headers = { Cookie: cookie, 'Content-Type': type, ...(origin === undefined ? {} : { Origin: origin }) };
        const { status, body } = await api.call(method, path, '{}', headers);
        expect([status, (body as { code?: string }).code], `${method} ${path}, ${name}, ${type}`).toEqual([403, 'origin']);
      }
});

describe('[S3] answers may be read by', () => {
  const crossOrigin = (headers: Headers): string[] => [...headers.keys()].filter((name) => name.startsWith('access-control-'));

  test('the allowed origin, with credentials, refusals too', async () => {
    for (const path of ['/api/me', '/api/users/nobody', '/api/gone']) {
      const { headers } = await api.call('GET', path, undefined, { Cookie: cookie, Origin: SHOP });
      expect(headers.get('access-control-allow-origin')).toBe(SHOP);
      expect(headers.get('access-control-allow-credentials')).toBe('true');
      expect(headers.get('vary')).toContain('Origin');
    }
  });

  test.each(FOREIGN('http://localhost').filter(([, origin]) => origin !== undefined))('nobody else: %s', async (_, origin) => {
    const answer = await api.call('GET', '/api/me', undefined, { Cookie: cookie, Origin: origin! });
    expect([answer.status, crossOrigin(answer.headers)]).toEqual([200, []]);
    expect(answer.headers.get('vary')).toContain('Origin');
  });

  test('a preflight is answered for the allowed origin, before anybody is signed in', async () => {
    const asks = { Origin: SHOP, 'Access-Control-Request-Method': 'PATCH', 'Access-Control-Request-Headers': 'authorization,content-type' };
    const { status, headers } = await api.call('OPTIONS', '/api/me', undefined, asks);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-methods')).toContain('PATCH');
    expect(headers.get('access-control-allow-headers')).toBe('Authorization, Content-Type');
    expect(headers.get('access-control-max-age')).toBe('600');
    const other = await api.call('OPTIONS', '/api/me', undefined, { ...asks, Origin: 'https://evil.example' });
    expect([other.status, crossOrigin(other.headers)]).toEqual([403, []]);
  });
});

test('what a browser stopped is counted and told, without what may stand behind an address', async () => {
  const report = {
    'csp-report': {
      'document-uri': 'http://localhost/',
      'effective-directive': 'script-src-elem',
      'blocked-uri': 'https://evil.example/x.js?secret=1#secret',
      'source-file': 'http://localhost/assets/main.js?secret',
      'line-number': 7,
    },
  };
  const headers = { 'Content-Type': 'application/csp-report', Origin: 'http://localhost' };
  for (let i = 0; i < 100; i++) expect((await api.call('POST', '/api/csp-reports', report, headers)).status).toBe(204);
  expect(warnings).toHaveLength(20);
  expect(warnings[0]).toEqual({
    directive: 'script-src-elem',
    blocked: 'https://evil.example/x.js',
    source: 'http://localhost/assets/main.js',
    line: 7,
  });
  expect(await api.deps.registry.metrics()).toContain('homing_csp_reports_total 100');
  for (const body of ['', '{}', '[]', '{"csp-report":7}', 'x'.repeat(70_000)])
    expect([400, 413]).toContain((await api.call('POST', '/api/csp-reports', body, headers)).status);
});

test('the policy lets text become markup by one policy and a worker come from one', async () => {
  const { headers } = await api.call('GET', '/api/health');
  const policy = headers.get('content-security-policy')!;
  for (const part of [
    "default-src 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types solid-template service-worker',
    "base-uri 'none'",
    "form-action 'self'",
  ])
    expect(policy.split('; ')).toContain(part);
  expect(policy).not.toMatch(/unsafe|allow-duplicates|https?:|\*/);
  expect(headers.get('permissions-policy')).toContain('camera=()');
});
