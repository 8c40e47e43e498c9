import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { pino } from 'pino';
import { systemClock, systemRandom } from '../shared/clock.ts';
import { readConfig } from './config.ts';
import { type Database, joinDatabase } from './database.ts';
import { readBackup, writeBackup } from './postgres/backup.ts';
import { migrate } from './postgres/migrate.ts';
import { makeRestores } from './postgres/restores.ts';
import { makePostgresLog } from './postgres/update-log.ts';
import { seeToRestore } from './restored.ts';

const USAGE = `npm run backup -- make <file>        writes all that the database holds, as of one moment, beside a running server
npm run backup -- restore <file>     reads that into an empty database, and begins every conversation anew; stop all servers before
npm run backup -- restored           begins every conversation anew after the database was put back in another way: by a copy of its folder or disk

The file holds everything: texts, password hashes and signing keys. DATABASE_URL and DATA_DIR name the database as for the server.`;

/** What the operator asks for at the terminal. */
type Command = { kind: 'make' | 'restore'; file: string } | { kind: 'restored' };

function readCommand([kind, file, ...rest]: readonly string[]): Command | null {
  if (rest.length > 0) return null;
  if ((kind === 'make' || kind === 'restore') && file !== undefined) return { kind, file };
  return kind === 'restored' && file === undefined ? { kind } : null;
}

/** The file is whole or not there. */
async function make({ sql }: Database, file: string): Promise<string> {
  const draft = `${file}.part`;
  const handle = await open(draft, 'w', 0o600);
  try {
    await writeBackup(sql, handle.createWriteStream({ autoClose: false }), new Date(systemClock.now()));
    await handle.sync();
    const { size } = await handle.stat();
    await rename(draft, file);
    return `${file} holds everything, in ${size} bytes.`;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function beginAnew({ sql }: Database): Promise<string> {
  await migrate(sql);
  const log = makePostgresLog(sql);
  const logger = pino({ level: 'silent' });
  const restored = await seeToRestore({ restores: makeRestores(sql), log, random: systemRandom, logger }, true);
  const backTo = restored?.backTo == null ? '' : ` The newest thing in it is of ${new Date(restored.backTo).toISOString()}.`;
  return `Every conversation begins anew, and everybody signs in again: start the servers.${backTo}`;
}

async function carryOut(command: Command, database: Database): Promise<string> {
  if (command.kind === 'make') return make(database, command.file);
  if (command.kind === 'restore')
    await readBackup(database.sql, createReadStream(command.file), (migrations) => migrate(database.sql, migrations));
  return beginAnew(database);
}

/** Runs one command; what it says, or throws what a person can read. */
async function run(args: readonly string[]): Promise<string> {
  const command = readCommand(args);
  if (!command) throw new Error(USAGE);
  const read = readConfig(process.env);
  if ('wrong' in read) throw new Error(read.wrong.join('\n'));
  const database = await joinDatabase(read.config, async (sql) => (command.kind === 'make' ? migrate(sql) : undefined));
  try {
    return await carryOut(command, database);
  } finally {
    await database.close();
  }
}

try {
  process.stdout.write(`${await run(process.argv.slice(2))}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
