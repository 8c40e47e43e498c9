import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type TestApi, openTestApi } from './test-api.ts';

let api: TestApi;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'homing-client-'));
  await mkdir(join(dir, 'assets'));
  await writeFile(join(dir, 'index.html'), '<!doctype html><title>Homing</title>');
  await writeFile(join(dir, 'service-worker.js'), 'self');
  await writeFile(join(dir, 'assets', 'main-1234.js'), 'export {}');
  await writeFile(join(dir, '..', 'homing-outside.txt'), 'outside');
  api = await openTestApi((deps) => ({
    ...deps,
    clientDir: dir,
    mount(app, door) {
      app.get('/api/sync/*', async (c) => c.json({ foreign: door.isForeign(c), identity: await door.authenticate(c) }));
      app.post('/api/sync/*', async (c) => c.json({ bytes: (await c.req.arrayBuffer()).byteLength }));
    },
  }));
});
afterAll(async () => {
  await api.close();
  await rm(dir, { recursive: true });
  await rm(join(tmpdir(), 'homing-outside.txt'));
});

const description = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), z.object({ responses: z.record(z.string(), z.unknown()) }))),
});
const get = (path: string, headers: Record<string, string> = {}) => api.call('GET', path, undefined, headers);

test.each([
  ['/', 'text/html', 'no-cache', 'Homing'],
  ['/c/some/place', 'text/html', 'no-cache', 'Homing'],
  ['/@ada.lovelace', 'text/html', 'no-cache', 'Homing'],
  ['/service-worker.js', 'text/javascript', 'no-cache', 'self'],
  ['/assets/main-1234.js', 'text/javascript', 'public, max-age=31536000, immutable', 'export {}'],
])('%s is served as %s, %s', async (path, type, cache, text) => {
  const { status, headers, body } = await get(path);
  expect(status).toBe(200);
  expect(headers.get('content-type')).toContain(type);
  expect(headers.get('cache-control')).toBe(cache);
  expect(body).toContain(text);
});

test.each(['/assets/gone-1234.js', '/assets/', '/gone.js', '/api/gone', '/api', '/icons/gone.png'])(
  '%s is missing, and no page in its stead',
  async (path) => expect(await get(path)).toMatchObject({ status: 404, body: { code: 'not-found' } }),
);

test.each(['/../homing-outside.txt', '/%2e%2e/homing-outside.txt', '/..%2fhoming-outside.txt', '/assets/..%5c..%5chosts'])(
  'nothing outside the folder is served: %s',
  async (path) => expect((await get(path)).body ?? '').not.toContain('outside'),
);

test('every answer carries the security headers', async () => {
  for (const path of ['/', '/assets/main-1234.js', '/api/health', '/api/gone']) {
    const { headers } = await get(`http://chat.example:3000${path}`);
    const policy = headers.get('content-security-policy')!;
    expect(policy).toMatch(/^default-src 'none'; /);
    expect(policy).toContain("connect-src 'self' ws://chat.example:3000;");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('strict-transport-security')).toBeNull();
  }
  const { headers } = await get('http://chat.example/', { 'X-Forwarded-Proto': 'https' });
  expect(headers.get('content-security-policy')).toContain("connect-src 'self' wss://chat.example;");
  expect(headers.get('strict-transport-security')).toMatch(/^max-age=\d+$/);
});

test('answers of the API are never stored', async () => {
  for (const path of ['/api/health', '/api/me', '/api/openapi.json'])
    expect((await get(path)).headers.get('cache-control')).toBe('no-store');
});

test('the API describes every route of it, with its refusals', async () => {
  const { status, body } = await get('/api/openapi.json');
  expect(status).toBe(200);
  const { openapi, paths } = description.parse(body);
  expect(openapi).toBe('3.1.0');
  const described = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
  const routes = api.app.routes
    .filter(({ method, path }) => method !== 'ALL' && /^\/(api|.well-known)\//.test(path) && !/openapi|sync|csp-reports/.test(path))
    .map(({ method, path }) => `${method.toLowerCase()} ${path.replaceAll(/:([^/]+)/g, '{$1}')}`);
  expect(described.sort()).toEqual([...new Set(routes)].sort());
  for (const methods of Object.values(paths))
    for (const { responses } of Object.values(methods))
      expect(responses.default).toMatchObject({ content: { 'application/problem+json': {} } });
});

test('health is the database’s', async () => {
  expect(await get('/api/health')).toMatchObject({ status: 200, body: { status: 'ok', database: true } });
  const down = await openTestApi((deps) => ({ ...deps, ping: () => Promise.reject(new Error('gone')) }));
  expect(await down.call('GET', '/api/health')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  await down.close();
  const stuck = await openTestApi((deps) => ({
    ...deps,
    ping: () => new Promise(() => {}),
    clock: { ...deps.clock, after: (ms, task) => deps.clock.after(ms === 2_000 ? 0 : ms, task) },
  }));
  expect((await stuck.call('GET', '/api/health')).status).toBe(503);
  await stuck.close();
});

test('metrics count answers by route, never by what stands in a path', async () => {
  const person = await api.register('counted');
  await person.call('GET', '/api/users/counted');
  await get('/api/users/nobody');
  for (const token of [{}, { Authorization: 'Bearer another token' }, { Authorization: `Bearer ${person.accessToken}` }])
    expect((await get('/metrics', token)).status).toBe(401);
  const { status, headers, body } = await get('/metrics', { Authorization: `Bearer ${api.deps.metricsToken}` });
  expect(status).toBe(200);
  expect(headers.get('content-type')).toContain('text/plain');
  expect(body).toContain('homing_http_answers_total{method="GET",route="/api/users/:handle",status="200"} 1');
  expect(body).toContain('homing_http_answers_total{method="GET",route="/api/users/:handle",status="401"} 1');
  expect(body).toContain('process_cpu_seconds_total');
  expect(body).not.toContain('/counted"');
});

test('[H6] who asks or changes too much is told how long to wait: by person, and by address before that', async () => {
  let from: string[] = [];
  const limited = await openTestApi((deps) => ({
    ...deps,
    limits: {
      ...deps.limits,
      person: (_, changes) => (changes ? 2_000 : 0),
      address(address) {
        from.push(address);
        return address === '203.0.113.9' ? 5_000 : 0;
      },
    },
  }));
  const person = await limited.register('hasty');
  from = [];
  const changed = await person.call('PATCH', '/api/me', { bio: 'in a hurry' });
  expect([changed.status, changed.headers.get('retry-after')]).toEqual([429, '2']);
  expect((await person.call('GET', '/api/me')).status).toBe(200);
  const refused = await limited.call('GET', '/api/health', undefined, { 'X-Forwarded-For': '198.51.100.1, 203.0.113.9' });
  expect([refused.status, refused.headers.get('retry-after'), from.at(-1)]).toEqual([429, '5', '203.0.113.9']);
  await limited.close();
});

test('without a token for them there are no metrics', async () => {
  const without = await openTestApi((deps) => ({ ...deps, metricsToken: null }));
  expect((await without.call('GET', '/metrics')).status).toBe(404);
  expect((await without.call('GET', '/metrics', undefined, { Authorization: 'Bearer null' })).status).toBe(404);
  await without.close();
});

test('[S3] a mounted route stands before the files, and asks the door who comes and from where', async () => {
  const person = await api.register('visitor');
  const signedIn = await person.call('GET', '/api/sync/x');
  expect(signedIn.body).toEqual({
    foreign: false,
    identity: { kind: 'signed-in', userId: person.id, sid: person.refreshToken!.split('.')[0], expiresAt: Date.parse(person.expiresAt) },
  });
  expect((await get('/api/sync/x', { Origin: 'https://evil.example' })).body).toEqual({ foreign: true, identity: { kind: 'none' } });
  api.pass(16 * 60_000);
  expect((await person.call('GET', '/api/sync/x')).body).toMatchObject({ identity: { kind: 'expired' } });
});

test('[S3] the sockets’ paths have limits of their own, but the same check of the origin', async () => {
  const large = 'x'.repeat(200_000);
  expect((await api.call('POST', '/api/sync/x', large)).body).toEqual({ bytes: 200_000 });
  expect((await api.call('POST', '/api/sync/x', 'x', { Origin: 'https://evil.example' })).status).toBe(403);
});
