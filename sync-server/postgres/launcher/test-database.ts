import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';
import './test-cluster.ts';

export interface TestDatabase {
  url: string;
  /** Closes what is still connected to it, too. */
  drop(): Promise<void>;
}

/** An empty database of the test's own in the run's cluster. Unmigrated: pass its url on to what migrates. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const clusterUrl = inject('postgresUrl');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await inCluster(clusterUrl, (sql) => sql`create database ${sql(name)}`);
  const url = new URL(clusterUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => inCluster(clusterUrl, (sql) => sql`drop database if exists ${sql(name)} with (force)`) };
}

async function inCluster(clusterUrl: string, run: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(clusterUrl, { max: 1, onnotice: () => {} });
  try {
    await run(sql);
  } finally {
    await sql.end();
  }
}
