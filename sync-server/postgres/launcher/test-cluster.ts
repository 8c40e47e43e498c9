import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startPostgres } from './launcher.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The run's own cluster; use `createTestDatabase`. */
    postgresUrl: string;
  }
}

/** Vitest's global set-up: one throw-away cluster for the run, without fsync, gone with all its databases afterwards. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'homing-pg-'));
  const remove = () => rm(dataDir, { recursive: true, force: true });
  try {
    const postgres = await startPostgres({ dataDir, fsync: false });
    project.provide('postgresUrl', postgres.url);
    return async () => {
      await postgres.stop();
      await remove();
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
