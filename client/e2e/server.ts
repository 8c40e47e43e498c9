import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const BUILD = `import { ensureBuilt } from './sync-server/bin/build.mjs'; process.exit((await ensureBuilt()) ? 0 : 1);`;

/** The real thing: the built server with its own database, in a folder that goes with it. */
export interface TestServer {
  origin: string;
  /** Ends it as a power cut would, the database with it. */
  kill: () => Promise<void>;
  /** Starts it again, at the same address and on the same data. */
  start: () => Promise<void>;
  stop: () => Promise<void>;
  /** What `npm run user` prints: the link in it. */
  operatorsLink: (...args: string[]) => Promise<string>;
  /** Everything that it wrote to its log. */
  said: () => string;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === 'string') throw new Error('No port was given.');
  return address.port;
}

/** Resolves when the server takes requests. */
async function launch(
  env: NodeJS.ProcessEnv,
  hear: (text: string) => void,
): Promise<{ origin: string; end: (signal: NodeJS.Signals) => Promise<void> }> {
  const child = spawn(process.execPath, [join(root, 'dist', 'server', 'main.mjs')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const origin = await new Promise<string>((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (bytes: Buffer) => {
      output += bytes.toString();
      hear(bytes.toString());
      const found = /Homing is at (\S+)\n/.exec(output)?.[1];
      if (found) resolve(found);
    });
    ended.then(() => reject(new Error(`The server ended at once: ${output}`)), reject);
  });
  return {
    origin,
    async end(signal) {
      child.kill(signal);
      await ended;
    },
  };
}

/** Starts the production build, making it first where it is missing or old. */
export async function startServer(change: NodeJS.ProcessEnv = {}): Promise<TestServer> {
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', BUILD], { cwd: root });
  const folder = await mkdtemp(join(tmpdir(), 'homing-e2e-'));
  const env = {
    ...process.env,
    PORT: String(await freePort()),
    DATA_DIR: join(folder, 'data'),
    DATABASE_URL: '',
    LOG_LEVEL: 'error',
    ...change,
  };
  let said = '';
  const hear = (text: string): void => void (said += text);
  let running = await launch(env, hear);
  return {
    origin: running.origin,
    async operatorsLink(...args) {
      const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'dist', 'server', 'user.mjs'), ...args], { env });
      return /https?:\S+#\S+/.exec(stdout)![0];
    },
    kill: () => running.end('SIGKILL'),
    async start() {
      running = await launch(env, hear);
    },
    said: () => said,
    async stop() {
      await running.end('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
