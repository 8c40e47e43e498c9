import { mkdir, readFile, realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { findBinaries } from './binaries.ts';
import { ensureCluster } from './cluster.ts';
import { lockFolder } from './folder-lock.ts';
import { endPrevious, readPidFile } from './pid-file.ts';
import { chooseOwner, makeCommand, type Command } from './privileges.ts';
import { until } from './process-table.ts';
import { runServer, type ServerProcess } from './server-process.ts';

export { FolderInUseError } from './folder-lock.ts';

export interface StartOptions {
  /** Holds `postgres/` (the cluster), `postgres.log`, `postgres.password` and, while in use, `postgres.lock`. Made when missing. */
  dataDir: string;
  /** Default: a free one, another at each start. */
  port?: number;
  /** Default true. False only for clusters to be thrown away. */
  fsync?: boolean;
  /** Aborting gives up the start, or stops the server. */
  signal?: AbortSignal;
}

export interface RunningPostgres {
  /** For postgres.js; holds the password, so never to be logged. */
  url: string;
  pid: number;
  /** Settles when the server has ended: by `stop` (or the signal), or of itself. */
  ended: Promise<'stopped' | 'died'>;
  /** Ends the server cleanly and waits for it; may be called again. Open connections are closed. */
  stop(): Promise<void>;
}

const READY_MS = 300_000;
const PORT_TRIES = 5;

/**
 * Starts the bundled PostgreSQL on the data folder and resolves when it takes connections on 127.0.0.1.
 *
 * - What was committed is there at the next start, whichever of the processes were killed, and how.
 * - One process at a time: while another has the folder, `FolderInUseError`, whose message is for the person who started it.
 * - The server ends with this process: cleanly by `stop`, by itself when this process is killed; one left behind all the same
 *   (where the system has no such signal) is ended by the next start.
 *
 * Call it from the main thread.
 */
export async function startPostgres(options: StartOptions): Promise<RunningPostgres> {
  await mkdir(options.dataDir, { recursive: true });
  const folder = await realpath(options.dataDir);
  const lock = await lockFolder(folder);
  try {
    const clusterFolder = join(folder, 'postgres');
    const passwordFile = join(folder, 'postgres.password');
    const fsync = options.fsync ?? true;
    const binaries = await findBinaries();
    const owner = await chooseOwner(clusterFolder);
    const command = makeCommand(owner, [folder, binaries.postgres, binaries.initdb]);
    await endPrevious(folder, clusterFolder, lock.inherited);
    const initdb = (args: string[]) => command(binaries.initdb, args);
    const password = await ensureCluster({ clusterFolder, passwordFile, owner, fsync, initdb });
    const postgres = (port: number) => command(binaries.postgres, serverArguments(clusterFolder, port, fsync));
    const { port, server } = await startServer(postgres, folder, options);
    const ended = server.ended.finally(() => lock.release());
    const stop = async () => {
      await server.stop();
      await ended;
    };
    return { url: urlOf(password, port), pid: server.pid, ended, stop };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

const urlOf = (password: string, port: number): string => `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;

/**
 * Where the server takes connections that another process has started on this folder; null when none does. Only for who may read the
 * folder: the password is in it.
 */
export async function findPostgres(dataDir: string): Promise<string | null> {
  const file = readPidFile(join(dataDir, 'postgres'));
  if (!file?.ready) return null;
  return urlOf((await readFile(join(dataDir, 'postgres.password'), 'utf8')).trim(), file.port);
}

function serverArguments(clusterFolder: string, port: number, fsync: boolean): string[] {
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'shared_buffers=64MB', ...(fsync ? [] : ['fsync=off'])];
  return ['-D', clusterFolder, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
}

/** A free port may be taken before the server has it; then the next one is tried. */
async function startServer(postgres: (port: number) => Command, folder: string, { port: wanted, signal }: StartOptions) {
  const logFile = join(folder, 'postgres.log');
  for (let tries = 1; ; tries++) {
    const port = wanted ?? (await findFreePort());
    const server = runServer(postgres(port), logFile, signal);
    if (await becomesReady(server, join(folder, 'postgres'))) return { port, server };
    await server.stop();
    signal?.throwIfAborted();
    const said = server.said();
    if (wanted === undefined && tries < PORT_TRIES && said.includes('Address already in use')) continue;
    throw new Error(`PostgreSQL did not start: ${lastLines(said)} (the whole log: ${logFile})`);
  }
}

/** Line 8 of the server's own file says so; line 1 that the file is this server's. */
async function becomesReady(server: ServerProcess, clusterFolder: string): Promise<boolean> {
  let hasEnded = false;
  void server.ended.then(() => (hasEnded = true));
  const isReady = () => {
    const file = readPidFile(clusterFolder);
    return file?.pid === server.pid && file.ready;
  };
  await until(() => hasEnded || isReady(), READY_MS);
  return !hasEnded && isReady();
}

async function findFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No free port was found.');
  return address.port;
}

function lastLines(said: string): string {
  return said.trim().split('\n').slice(-4).join(' / ') || 'it said nothing';
}
