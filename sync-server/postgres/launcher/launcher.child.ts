import { FolderInUseError, startPostgres } from './launcher.ts';

/** A process of its own around the launcher, for tests: prints what runs as one line of JSON, stops on SIGTERM, ends when the server ends. */
const { DATA_DIR = '' } = process.env;
try {
  const postgres = await startPostgres({ dataDir: DATA_DIR });
  process.once('SIGTERM', () => void postgres.stop());
  process.stdout.write(`${JSON.stringify({ url: postgres.url, pid: postgres.pid })}\n`);
  process.exitCode = (await postgres.ended) === 'stopped' ? 0 : 2;
} catch (error) {
  process.stderr.write(`${error instanceof FolderInUseError ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
