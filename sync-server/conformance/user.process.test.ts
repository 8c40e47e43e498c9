import { existsSync } from 'node:fs';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { sessions } from '../../shared/account-api.ts';
import { signedIn } from '../../shared/api.ts';
import { startPostgres } from '../postgres/launcher/launcher.ts';
import { PASSWORD, register } from './person.ts';
import { openRaw } from './raw-socket.ts';
import { type Program, ROOT, START, type Server, build, runProgram, startServer } from './server-process.ts';

/** `npm run user`, as an operator runs it; and sessions that end on whichever node they are. */
const USER = ['sync-server/bin/user.mjs'];
let folder: string;
let dataDir: string;
const running: Program[] = [];

beforeAll(build);
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'homing-user-')));
  dataDir = join(folder, 'data');
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((program) => program.signal('SIGTERM')));
  await rm(folder, { recursive: true, force: true });
});

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
  const program = runProgram(args, { DATA_DIR: dataDir, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'warn', ...env });
  running.push(program);
  return program;
}
/** What the command says, and the token in its link. */
async function link(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const command = run([...USER, ...args], env);
  expect([await command.ended, command.said.err]).toEqual([0, '']);
  const [, url = '', token = ''] = /(https?:\S+?)#([\w-]{43})$/m.exec(command.said.out) ?? [];
  return { said: command.said.out, url, token };
}
async function post(origin: string, path: string, body: unknown) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(origin + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json()) as unknown };
}
const registerWith = (origin: string, handle: string, invite?: string) =>
  post(origin, '/api/auth/register', { handle, displayName: handle, password: PASSWORD, client: 'program', ...(invite && { invite }) });
const logIn = (origin: string, handle: string, password: string) =>
  post(origin, '/api/auth/login', { handle, password, client: 'program' });

describe('npm run user', () => {
  test('is what the README says', async () => {
    const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { scripts: { user: string } };
    expect(scripts.user).toBe(['node', ...USER].join(' '));
  });

  test('[U5] lets the first person in on a fresh server that is closed, before it has ever run', async () => {
    const { url, token } = await link(['invite', 'https://chat.example.org/']);
    expect(url).toBe('https://chat.example.org/join');
    const server = run(START, { REGISTRATION: 'closed' });
    const origin = `http://127.0.0.1:${await server.ready}`;
    expect((await registerWith(origin, 'ada')).status).toBe(403);
    expect((await registerWith(origin, 'ada', token)).status).toBe(201);
    expect((await registerWith(origin, 'grace', token)).status).toBe(410);
  });

  test('[U3] gives somebody a new password beside a running server, whose sockets close', async () => {
    const server = await startServer();
    try {
      const ada = await register(server.origin, 'ada');
      const socket = openRaw(server, await ada.privateDocument(), { token: ada.token });
      await socket.opened;
      const env = { DATA_DIR: server.dataDir, PORT: '8080' };
      const { said, url, token } = await link(['reset', '@Ada'], env);
      expect(url).toBe('http://localhost:8080/reset');
      expect(said).toContain('@ada');
      // Nothing has happened yet.
      expect((await ada.call('GET', '/api/me')).status).toBe(200);
      expect(await post(server.origin, '/api/auth/reset', { token, password: 'battery staple' })).toEqual({
        status: 200,
        body: { handle: 'ada' },
      });
      expect(await socket.closed).toMatchObject({ code: 4401 });
      expect((await logIn(server.origin, 'ada', PASSWORD)).status).toBe(401);
      expect((await logIn(server.origin, 'ada', 'battery staple')).status).toBe(200);
      expect((await post(server.origin, '/api/auth/reset', { token, password: 'battery staple' })).status).toBe(410);
      // The server has its database still.
      expect((await fetch(`${server.origin}/api/health`)).status).toBe(200);
    } finally {
      await server.close();
    }
  });

  test('says in a sentence what it cannot do, and ends', async () => {
    const refusals: [string[], RegExp][] = [
      [[], /^npm run user -- reset <handle>/],
      [['reset'], /^npm run user -- reset <handle>/],
      [['invite', 'chat.example.org'], /^"chat.example.org" should be an address like https:\/\/chat.example.org\.\n$/],
      [['invite', 'https://chat.example.org/homing'], /should be an address/],
    ];
    for (const [args, words] of refusals) {
      const command = run([...USER, ...args]);
      expect(await command.ended).toBe(1);
      expect(command.said.err).toMatch(words);
      expect(existsSync(dataDir)).toBe(false);
    }
    const nobody = run([...USER, 'reset', 'nobody']);
    expect([await nobody.ended, nobody.said.err]).toEqual([1, 'Nobody here is @nobody.\n']);
    const bad = run([...USER, 'invite'], { DATABASE_URL: 'mysql://me:secret@host/db' });
    expect([await bad.ended, bad.said.err]).toEqual([1, 'DATABASE_URL should start with postgres:// or postgresql://.\n']);
  });
});

describe('two nodes on one DATABASE_URL', () => {
  let postgres: Awaited<ReturnType<typeof startPostgres>>;
  let data: string;
  const nodes: Server[] = [];
  beforeAll(async () => {
    data = await realpath(await mkdtemp(join(tmpdir(), 'homing-user-pg-')));
    postgres = await startPostgres({ dataDir: data });
    for (let i = 0; i < 2; i++) nodes.push(await startServer({ DATABASE_URL: postgres.url }));
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await postgres?.stop();
    await rm(data, { recursive: true, force: true });
  });
  const withRefresh = signedIn.extend({ refreshToken: z.string() });

  test('[U1, U2] a session that is ended on one node has its sockets closed on the other within a second', async () => {
    const [here, there] = nodes as [Server, Server];
    const ada = await register(here.origin, 'ada');
    const document = await ada.privateDocument();
    const own = openRaw(there, document, { token: ada.token });
    await own.opened;

    async function another() {
      const { accessToken } = withRefresh.parse((await logIn(there.origin, 'ada', PASSWORD)).body);
      const socket = openRaw(there, document, { token: accessToken });
      await socket.opened;
      return socket;
    }
    async function closesAtOnce(socket: ReturnType<typeof openRaw>, asked: Promise<unknown>): Promise<void> {
      await asked;
      const since = performance.now();
      expect(await socket.closed).toMatchObject({ code: 4401 });
      expect(performance.now() - since).toBeLessThan(1000);
    }

    const first = await another();
    const listed = sessions.parse((await ada.call('GET', '/api/me/sessions')).body).sessions;
    const other = listed.find(({ isCurrent }) => !isCurrent)!;
    await closesAtOnce(first, ada.call('DELETE', `/api/me/sessions/${other.id}`));
    await closesAtOnce(await another(), ada.call('DELETE', '/api/me/sessions'));
    const next = 'battery staple';
    await closesAtOnce(await another(), ada.call('POST', '/api/me/password', { current: PASSWORD, next }));
    // This session's own socket has seen all of it.
    expect(await Promise.race([own.closed, ada.call('GET', '/api/me')])).toMatchObject({ status: 200 });
    own.close();
  });

  test('npm run user works on that database, and starts none of its own', async () => {
    const { token } = await link(['invite'], { DATABASE_URL: postgres.url });
    expect(existsSync(dataDir)).toBe(false);
    expect((await post(nodes[0]!.origin, '/api/auth/invite', { invite: token })).body).toEqual({ invitedBy: null });
  });
});
