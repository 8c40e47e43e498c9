import { createRequire } from 'node:module';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { signedIn } from '../../../shared/api.ts';
import { systemRandom } from '../../../shared/clock.ts';
import { makeManualClock } from '../../core/testing/manual-clock.ts';
import { makeSigningKeys } from '../../postgres/signing-keys.ts';
import { createApp } from '../app.ts';
import { type KeyRing, openKeyRing } from '../identity/key-ring.ts';
import { AHEAD_MS, importStored, makeStoredKey } from '../identity/signing-keys.ts';
import type { App } from '../route.ts';
import { type TestApi, openTestApi } from '../test-api.ts';

vi.mock('ws', () => {
  const ws = createRequire(import.meta.url)('../../../node_modules/ws/index.js') as typeof import('ws');
  return { WebSocket: ws.WebSocket, WebSocketServer: ws.WebSocketServer };
});

const clock = makeManualClock(Date.now());
let api: TestApi;
let nodes: { app: App; keys: KeyRing }[];
beforeAll(async () => {
  api = await openTestApi();
  const stored = makeSigningKeys(api.sql);
  await api.sql`delete from signing_keys`;
  const open = async (): Promise<{ app: App; keys: KeyRing }> => {
    const load = async () => importStored(await stored.load(() => makeStoredKey(clock.now())));
    const keys = await openKeyRing({ load, clock, logger: { error() {} } });
    return { keys, app: createApp({ ...api.deps, keys, clock, registry: new (await import('prom-client')).Registry() }) };
  };
  nodes = [await open(), await open()];
});
afterAll(async () => {
  for (const { keys } of nodes) keys.stop();
  await api.close();
});

interface Person {
  accessToken: string;
  refreshToken: string;
  renewAt: number;
}

/** Any node, as a load balancer picks it. */
async function call(method: string, path: string, body: unknown, token?: string): Promise<{ status: number; body: unknown }> {
  const { app } = nodes[systemRandom(1)[0]! % nodes.length]!;
  const headers = { 'Content-Type': 'application/json', ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) };
  const response = await app.request(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return { status: response.status, body: await response.json() };
}

test('[S5] keys are rotated three times under load on two nodes, and nobody is signed out', async () => {
  const people: Person[] = [];
  for (let i = 0; i < 8; i++) {
    const { body } = await call('POST', '/api/auth/register', {
      handle: `rotating${i}`,
      displayName: 'R',
      password: 'correct horse',
      client: 'program',
    });
    const { accessToken, refreshToken } = signedIn.parse(body);
    people.push({ accessToken, refreshToken: refreshToken!, renewAt: clock.now() + (14 - i) * 60_000 });
  }
  const kids = new Set<string>();
  const statuses = new Map<number, number>();
  const count = (status: number): void => void statuses.set(status, (statuses.get(status) ?? 0) + 1);
  for (let minute = 0; minute < 90; minute++) {
    if (minute % 30 === 10) await makeSigningKeys(api.sql).add(await makeStoredKey(clock.now() + AHEAD_MS));
    await Promise.all(
      people.map(async (person) => {
        if (clock.now() >= person.renewAt) {
          const renewed = await call('POST', '/api/auth/refresh', { refreshToken: person.refreshToken });
          count(renewed.status);
          const answer = signedIn.parse(renewed.body);
          Object.assign(person, { accessToken: answer.accessToken, refreshToken: answer.refreshToken, renewAt: clock.now() + 14 * 60_000 });
        }
        kids.add(decodeProtectedHeader(person.accessToken).kid!);
        count((await call('GET', '/api/me', undefined, person.accessToken)).status);
      }),
    );
    await clock.advance(60_000);
  }
  expect([...statuses.keys()]).toEqual([200]);
  expect(statuses.get(200)).toBeGreaterThan(90 * 8);
  expect(kids.size).toBe(4);
});

const published = z.object({ keys: z.array(z.record(z.string(), z.string())) });

test('[S5] the public halves are published, and nothing but them', async () => {
  for (const path of ['/.well-known/jwks.json', '/api/auth/jwks']) {
    const response = await nodes[0]!.app.request(path);
    expect(response.headers.get('cache-control')).toBe('public, max-age=60');
    const { keys } = published.parse(await response.json());
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  }
});
