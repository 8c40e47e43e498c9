import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../postgres/launcher/launcher.ts';
import { type Program, build, findFreePort, runProgram } from '../server-process.ts';

/** One node in a process of its own. */
export interface NodeProcess {
  origin: string;
  /** For `WebsocketProvider`: `ws://…/api/sync`. */
  syncUrl: string;
  port: number;
  program: Program;
}

/** A PostgreSQL, and nodes on it that a test starts, stops, freezes and ends one by one. */
export interface Nodes {
  databaseUrl: string;
  /** `url`: by which way it comes to the database. */
  start(url?: string): Promise<NodeProcess>;
  close(): Promise<void>;
}

const MAIN = ['dist/server/main.mjs'];

export async function openNodes(): Promise<Nodes> {
  await build();
  const dataDir = await mkdtemp(join(tmpdir(), 'homing-nodes-'));
  const postgres = await startPostgres({ dataDir });
  const programs: Program[] = [];
  return {
    databaseUrl: postgres.url,
    async start(url = postgres.url) {
      const port = await findFreePort();
      const env = { NODE_ENV: 'production', DATABASE_URL: url, PORT: String(port), HOST: '127.0.0.1', LOG_LEVEL: 'error' };
      const program = runProgram(MAIN, env);
      programs.push(program);
      await program.ready;
      return { origin: `http://127.0.0.1:${port}`, syncUrl: `ws://127.0.0.1:${port}/api/sync`, port, program };
    },
    async close() {
      await Promise.all(programs.map((program) => program.signal('SIGKILL')));
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
