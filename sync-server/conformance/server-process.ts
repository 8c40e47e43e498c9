import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What `npm start` runs: the bundle, built where it is not; from source the database's driver is not mended. */
export const START = ['sync-server/bin/start.mjs'];
/** Ends a program with the tests that started it, however they end: then nobody holds the other end of its input. */
const END_WITH_US = `data:text/javascript,process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL')).resume().unref()`;
const READY = /^Homing is at http:\/\/localhost:(\d+)$/m;

/** A program of ours in a process of its own: what it says, and how it ends. */
export interface Program {
  pid: number;
  /** Everything it wrote, outputs apart. */
  said: { out: string; err: string };
  hasEnded(): boolean;
  /** Settles with exit code or signal. */
  ended: Promise<number | NodeJS.Signals>;
  /** Resolves with the port once it takes requests; rejects with what it said when it ends before. */
  ready: Promise<number>;
  signal(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/** Runs `node …args` in the project's folder with `env` and nothing else that would steer a server. */
export function runProgram(args: readonly string[], env: NodeJS.ProcessEnv): Program {
  const { PATH, HOME } = process.env;
  const child: ChildProcess = spawn(process.execPath, ['--import', END_WITH_US, ...args], {
    cwd: ROOT,
    env: { PATH, HOME, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  const ended = new Promise<number | NodeJS.Signals>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'SIGKILL')),
  );
  const ready = new Promise<number>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said.out += text;
      const port = READY.exec(said.out)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said.err += text));
    void ended.then((code) => reject(new Error(`ended with ${code}: ${said.err}${said.out}`)));
  });
  ready.catch(() => {});
  return {
    pid: child.pid ?? 0,
    said,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    ended,
    ready,
    signal(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

/** Builds what is to be started, so that a server says nothing but its own. */
export async function build(): Promise<void> {
  const script = `const { ensureBuilt } = await import('./sync-server/bin/build.mjs'); process.exit((await ensureBuilt()) ? 0 : 1);`;
  const builder = runProgram(['--input-type=module', '--eval', script], {});
  if ((await builder.ended) !== 0) throw new Error(`the build failed: ${builder.said.err}`);
}

/** A server that may be killed and started again at its place. */
export interface Server {
  origin: string;
  /** For `WebsocketProvider`: `ws://…/api/sync`. */
  syncUrl: string;
  dataDir: string;
  process(): Program;
  /** Starts it again, on the same folder and port, once the last process has ended. */
  start(): Promise<void>;
  /** Process id of the embedded PostgreSQL. */
  postgresPid(): number;
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

export async function startServer(env: NodeJS.ProcessEnv = {}): Promise<Server> {
  await build();
  const dataDir = await mkdtemp(join(tmpdir(), 'homing-conformance-'));
  const port = await findFreePort();
  const run = (): Program => runProgram(START, { DATA_DIR: dataDir, PORT: String(port), HOST: '127.0.0.1', LOG_LEVEL: 'warn', ...env });
  let program = run();
  const server: Server = {
    origin: `http://127.0.0.1:${port}`,
    syncUrl: `ws://127.0.0.1:${port}/api/sync`,
    dataDir,
    process: () => program,
    async start() {
      await program.ended;
      program = run();
      await program.ready;
    },
    postgresPid: () => Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]),
    async close() {
      await program.signal('SIGTERM');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  try {
    await program.ready;
    return server;
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** Outside of the range from which systems take ports for outgoing connections: it must be free again at each start. */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const probe = createServer();
    probe.listen(20_000 + Math.floor(Math.random() * 12_000), '0.0.0.0');
    try {
      await once(probe, 'listening');
    } catch {
      continue;
    }
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }
}
