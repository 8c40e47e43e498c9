import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { signedIn } from '../../shared/api.ts';
import { PASSWORD } from './person.ts';
import { openRaw } from './raw-socket.ts';
import { START, type Server, build, runProgram, startServer } from './server-process.ts';

/** What must never be written down, and keys beside a running server. */
let server: Server;
beforeAll(async () => {
  server = await startServer({ LOG_LEVEL: 'trace' });
});
afterAll(() => server.close());

const secrets = new Set<string>([PASSWORD]);
const AS_BROWSER = { 'Content-Type': 'application/json' };

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(server.origin + path, { method: 'POST', headers: { ...AS_BROWSER, ...headers }, body: text });
  for (const cookie of response.headers.getSetCookie()) {
    const value = /^[^=]+=([^;]+)/.exec(cookie)?.[1];
    if (value) secrets.add(value);
  }
  return response;
}

/** Signs in as a program; what it gets is secret. */
async function getTokens(path: string, body: object): Promise<{ accessToken: string; refreshToken: string }> {
  const { accessToken, refreshToken } = signedIn.parse(await (await post(path, body)).json());
  for (const token of [accessToken, refreshToken!]) secrets.add(token);
  return { accessToken, refreshToken: refreshToken! };
}

test('[S3] no token and no password stands in a log, whatever is asked and however it fails', async () => {
  const ada = { handle: 'ada', displayName: 'Ada', password: PASSWORD };
  const { accessToken, refreshToken } = await getTokens('/api/auth/register', { ...ada, client: 'program' });
  await post('/api/auth/login', ada);
  await getTokens('/api/auth/login', { ...ada, client: 'program' });
  const wrong = 'another wrong password';
  secrets.add(wrong);
  await post('/api/auth/login', { ...ada, password: wrong });
  await post('/api/auth/login', `{"handle":"ada","password":"${PASSWORD}"`);
  await post('/api/auth/register', { ...ada, handle: PASSWORD });
  const renewed = await getTokens('/api/auth/refresh', { refreshToken });
  const bearer = { Authorization: `Bearer ${renewed.accessToken}` };
  for (const path of ['/api/me', `/api/me?token=${renewed.accessToken}`, `/api/gone?access_token=${accessToken}`, `/?token=${accessToken}`])
    await fetch(server.origin + path, { headers: bearer });
  await fetch(`${server.origin}/api/me`, { headers: { Authorization: `Bearer ${accessToken.slice(0, -4)}AAAA` } });
  await fetch(`${server.origin}/api/me`, { method: 'TRACE', headers: bearer }).catch(() => null);
  await post('/api/messaging/messages', { nonsense: accessToken }, bearer);
  await post('/api/auth/exchange', { token: accessToken });
  await post('/api/csp-reports', {
    'csp-report': { 'blocked-uri': `https://x.example/?t=${accessToken}#${refreshToken}`, 'effective-directive': 'img-src' },
  });
  for (const path of ['', `?token=${renewed.accessToken}`, '/nonsense']) {
    const socket = openRaw(server, path, { token: renewed.accessToken });
    await Promise.race([socket.opened, socket.closed]);
    socket.close();
  }
  await openRaw(server, '', { token: `${renewed.accessToken}x` }).closed;

  // The database dies while tokens are on their way to it, and is started again.
  const patient = { timeout: 30_000, interval: 100 };
  process.kill(server.postgresPid(), 'SIGKILL');
  await Promise.all([1, 2, 3].map(() => post('/api/auth/refresh', { refreshToken: renewed.refreshToken }).catch(() => null)));
  await vi.waitFor(async () => expect((await fetch(`${server.origin}/api/me`, { headers: bearer })).status).toBe(200), patient);
  await getTokens('/api/auth/refresh', { refreshToken: renewed.refreshToken });

  // A stolen token comes back: the one case that is told, by whose it is.
  const [stolen] = [await getTokens('/api/auth/login', { ...ada, client: 'program' })];
  let latest = stolen;
  for (let i = 0; i < 2; i++) latest = await getTokens('/api/auth/refresh', { refreshToken: latest.refreshToken });
  expect((await post('/api/auth/refresh', { refreshToken: stolen.refreshToken })).status).toBe(401);

  const { out, err } = server.process().said;
  await vi.waitFor(() => expect(server.process().said.out).toContain('a refresh token was used again'), patient);
  expect(out).toContain('"msg"');
  for (const secret of secrets) {
    expect(out + err).not.toContain(secret);
    // Nor the part of a token that is secret.
    expect(out + err).not.toContain(secret.split('.').at(-1)!);
  }
});

const jwks = z.object({ keys: z.array(z.object({ kid: z.string() })) });
const kidsOf = (listed: string): string[] => [...listed.matchAll(/^(\S+)  signs from /gm)].map((found) => found[1]!);

/** `npm run keys` on the folder of the running server. */
async function keys(...words: string[]): Promise<{ code: unknown; out: string; err: string }> {
  const program = runProgram([...START, 'keys', ...words], { DATA_DIR: server.dataDir, LOG_LEVEL: 'warn' });
  program.ready.catch(() => {});
  const code = await program.ended;
  return { code, ...program.said };
}

describe('[S5] npm run keys', () => {
  test('is there as the readme has it', async () => {
    const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as { scripts: { keys: string } };
    expect(scripts.keys).toBe(['node', ...START, 'keys'].join(' '));
  });

  test('lists, rotates and revokes beside a running server, whose people stay signed in', async () => {
    const { accessToken } = await getTokens('/api/auth/login', { handle: 'ada', password: PASSWORD, client: 'program' });
    const before = await keys();
    expect(before).toMatchObject({ code: 0, err: '' });
    const [first] = kidsOf(before.out);
    expect(jwks.parse(await (await fetch(`${server.origin}/.well-known/jwks.json`)).json()).keys).toMatchObject([{ kid: first }]);

    const rotated = await keys('rotate');
    expect(rotated.code).toBe(0);
    const [second, older] = kidsOf(rotated.out);
    expect(older).toBe(first);
    expect(Date.parse(/signs from (\S+)/.exec(rotated.out)![1]!)).toBeGreaterThan(Date.now());
    const me = await fetch(`${server.origin}/api/me`, { headers: { Authorization: `Bearer ${accessToken}` } });
    expect(me.status).toBe(200);
    await vi.waitFor(
      async () =>
        expect(jwks.parse(await (await fetch(`${server.origin}/api/auth/jwks`)).json()).keys).toMatchObject([
          { kid: second },
          { kid: first },
        ]),
      { timeout: 70_000, interval: 500 },
    );

    const revoked = await keys('revoke', second!);
    expect(kidsOf(revoked.out)).toEqual([first]);
    expect((await keys('revoke', 'nobody')).err).toBe('There is no key nobody.\n');
    for (const words of [['turn'], ['rotate', 'now'], ['revoke'], ['list', 'all']]) {
      const answer = await keys(...words);
      expect([answer.code, answer.err]).toEqual([1, expect.stringContaining('npm run keys')]);
    }
  });
});

test('[S5] a key from the environment signs, and what is none is one sentence that does not repeat it', async () => {
  await build();
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'homing-env-key-')));
  const start = (key: string) =>
    runProgram(START, { DATA_DIR: join(folder, 'data'), HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'warn', AUTH_PRIVATE_KEY: key });
  const bad = start('-----BEGIN PRIVATE KEY-----\nsecretsecret\n-----END PRIVATE KEY-----');
  expect(await bad.ended).toBe(1);
  expect(bad.said.err).toMatch(/^The signing key is not an Ed25519 key as PKCS #8 PEM; [^\n]+\n$/);
  expect(bad.said.err + bad.said.out).not.toContain('secretsecret');
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const good = start(pem.replaceAll('\n', '\\n'));
  const port = await good.ready;
  expect(jwks.parse(await (await fetch(`http://127.0.0.1:${port}/.well-known/jwks.json`)).json()).keys).toHaveLength(1);
  expect(await good.signal('SIGTERM')).toBe(0);
  await rm(folder, { recursive: true, force: true });
});
