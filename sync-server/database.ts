import type { Config } from './config.ts';
import type { Logger } from './core/ports.ts';
import { type Sql, connect } from './postgres/connect.ts';
import { FolderInUseError, type RunningPostgres, findPostgres, startPostgres } from './postgres/launcher/launcher.ts';
import { migrate } from './postgres/migrate.ts';

/** The database of this process, migrated. */
export interface Database {
  sql: Sql;
  /** Ends the connections, and the embedded server if it is ours. */
  close(): Promise<void>;
}

const RESTART_MS = 500;

/** Connects to `DATABASE_URL`, or starts the embedded PostgreSQL in `DATA_DIR` and keeps it running (B1, B2). */
export async function openDatabase({ databaseUrl, dataDir }: Pick<Config, 'databaseUrl' | 'dataDir'>, logger: Logger): Promise<Database> {
  const embedded = databaseUrl === null ? await keepPostgres(dataDir, logger) : null;
  try {
    const sql = await connect(databaseUrl ?? embedded!.url);
    await migrate(sql);
    return {
      sql,
      async close() {
        await sql.end({ timeout: 5 });
        await embedded?.stop();
      },
    };
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}

const JOIN_MS = 30_000;
const LOOK_MS = 100;

/**
 * The database for a command, which may run beside the server: the embedded PostgreSQL is shared where it runs already, and otherwise
 * started for as long as the command takes. `bringUp` readies it: by itself, the whole schema.
 */
export async function joinDatabase(
  { databaseUrl, dataDir }: Pick<Config, 'databaseUrl' | 'dataDir'>,
  bringUp: (sql: Sql) => Promise<void> = migrate,
): Promise<Database> {
  const { url, stop } = databaseUrl === null ? await joinPostgres(dataDir) : { url: databaseUrl, stop: async () => {} };
  try {
    const sql = await connect(url, { max: 4 });
    await bringUp(sql);
    return {
      sql,
      async close() {
        await sql.end({ timeout: 5 });
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Whoever has the folder may be about to start its server, or to let go of it. */
async function joinPostgres(dataDir: string): Promise<{ url: string; stop(): Promise<void> }> {
  for (let waited = 0; ; waited += LOOK_MS) {
    try {
      return await startPostgres({ dataDir });
    } catch (error) {
      if (!(error instanceof FolderInUseError)) throw error;
      const url = await findPostgres(dataDir);
      if (url !== null) return { url, stop: async () => {} };
      if (waited >= JOIN_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}

/** The embedded server, started again at the same place whenever it dies of itself. */
async function keepPostgres(dataDir: string, logger: Logger): Promise<{ url: string; stop(): Promise<void> }> {
  const stopping = new AbortController();
  const first = await startPostgres({ dataDir });
  const port = Number(new URL(first.url).port);
  let running: RunningPostgres = first;

  async function watch(): Promise<void> {
    while ((await running.ended) === 'died' && !stopping.signal.aborted) {
      logger.error({ dataDir }, 'the embedded PostgreSQL died; starting it again');
      await restart();
    }
  }

  async function restart(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        running = await startPostgres({ dataDir, port, signal: stopping.signal });
        return;
      } catch (error) {
        logger.error({ error: String(error) }, 'the embedded PostgreSQL did not start');
        await new Promise((resolve) => setTimeout(resolve, RESTART_MS));
      }
    }
  }

  const watching = watch();
  return {
    url: first.url,
    async stop() {
      stopping.abort();
      await running.stop();
      await watching;
    },
  };
}
