import { existsSync } from 'node:fs';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startPostgres } from '../postgres/launcher/launcher.ts';
import { register } from './person.ts';
import { type Program, ROOT, START, build, findFreePort, runProgram } from './server-process.ts';

/** How the server starts, and what it says to the person at the terminal when it cannot. */
let folder: string;
let dataDir: string;
const running: Program[] = [];

beforeAll(build);
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'homing-launch-')));
  dataDir = join(folder, 'data');
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((program) => program.signal('SIGTERM')));
  await rm(folder, { recursive: true, force: true });
});

function run(env: NodeJS.ProcessEnv): Program {
  const program = runProgram(START, { DATA_DIR: dataDir, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'warn', ...env });
  running.push(program);
  return program;
}
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

describe('npm start', () => {
  test('[B3] serves the app; a second one on the same folder says so in one sentence and ends', async () => {
    const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } };
    expect(scripts.start).toBe(['node', ...START].join(' '));
    const first = run({});
    const port = await first.ready;
    const page = await fetch(`http://127.0.0.1:${port}/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
    const second = run({});
    expect(await second.ended).toBe(1);
    expect(lines(second.said.err)).toEqual([`The data folder ${dataDir} is already in use by process ${first.pid}.`]);
    // The first has noticed nothing.
    expect((await fetch(`http://127.0.0.1:${port}/api/health`)).status).toBe(200);
    expect(await first.signal('SIGTERM')).toBe(0);
    expect(first.said.err).toBe('');
  });
});

describe('the server', () => {
  test('a port that is taken is one sentence, and the database is let go', async () => {
    const port = await findFreePort();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
    const program = run({ PORT: String(port) });
    expect(await program.ended).toBe(1);
    expect(lines(program.said.err)).toEqual([`Port ${port} is taken: set PORT to another one, or end what uses it.`]);
    await new Promise((resolve) => taken.close(resolve));
    const again = run({ PORT: String(port) });
    expect(await again.ready).toBe(port);
  });

  test('a bad environment is a list of all that is wrong, and nothing is started', async () => {
    const env = { PORT: 'http', LOG_LEVEL: 'loud', REGISTRATION: 'maybe', DATABASE_URL: 'mysql://me:secret@host/db' };
    const program = run(env);
    expect(await program.ended).toBe(1);
    expect(lines(program.said.err)).toEqual([
      'PORT is "http", but should be a number from 0 to 65535.',
      'DATABASE_URL should start with postgres:// or postgresql://.',
      'REGISTRATION is "maybe", but should be one of open, invite, closed.',
      'LOG_LEVEL is "loud", but should be one of fatal, error, warn, info, debug, trace, silent.',
    ]);
    expect(existsSync(dataDir)).toBe(false);
  });

  test('[B1] with DATABASE_URL the embedded database is never started', async () => {
    const own = await startPostgres({ dataDir: join(folder, 'own') });
    try {
      const program = run({ DATABASE_URL: own.url });
      const port = await program.ready;
      await register(`http://127.0.0.1:${port}`, 'ada');
      expect(existsSync(dataDir)).toBe(false);
      expect(await program.signal('SIGTERM')).toBe(0);
    } finally {
      await own.stop();
    }
  });

  test('[F2] refuses to run on a Postgres that may forget what it has confirmed, and says how to mend that', async () => {
    const unsafe = await startPostgres({ dataDir: join(folder, 'unsafe'), fsync: false });
    try {
      const program = run({ DATABASE_URL: unsafe.url });
      expect(await program.ended).toBe(1);
      expect(lines(program.said.err)).toEqual([
        'This Postgres has fsync off: it may lose messages that were shown as sent. Turn it on (for this server, database and role) and start again.',
      ]);
    } finally {
      await unsafe.stop();
    }
  });

  test('a DATABASE_URL that nobody answers is one sentence without the password', async () => {
    const port = await findFreePort();
    const program = run({ DATABASE_URL: `postgres://me:secret@127.0.0.1:${port}/db` });
    expect(await program.ended).toBe(1);
    expect(lines(program.said.err)).toHaveLength(1);
    expect(program.said.err).toContain(String(port));
    expect(program.said.err).not.toContain('secret');
    expect(existsSync(dataDir)).toBe(false);
  });
});
