import { systemClock } from '../shared/clock.ts';
import { readConfig } from './config.ts';
import { describeReport, titleOf } from './core/rights/describe-report.ts';
import type { Report, Reports } from './core/rights/reports.ts';
import { joinDatabase } from './database.ts';
import { makeReports } from './postgres/reports.ts';

const LISTED = 100;

const USAGE = `npm run reports                  lists open reports, the newest first
npm run reports -- all           lists closed ones too
npm run reports -- show <id>     shows one, with the messages as they stood when it was made
npm run reports -- close <id>    closes one

The beginning of an id is enough. DATABASE_URL and DATA_DIR name the database as for the server, which may be running or not.`;

/** What the operator asks for at the terminal. */
type Command = { kind: 'list'; which: 'open' | 'all' } | { kind: 'show' | 'close'; id: string };

function readCommand([kind = 'open', id, ...rest]: readonly string[]): Command | null {
  if (rest.length > 0) return null;
  if ((kind === 'open' || kind === 'all') && id === undefined) return { kind: 'list', which: kind };
  return (kind === 'show' || kind === 'close') && id !== undefined && /^[0-9a-f][0-9a-f-]*$/i.test(id)
    ? { kind, id: id.toLowerCase() }
    : null;
}

async function find(reports: Reports, id: string): Promise<Report> {
  const report = await reports.find(id);
  if (!report) throw new Error(`No report, or more than one, begins with ${id}.`);
  return report;
}

async function carryOut(reports: Reports, command: Command): Promise<string> {
  if (command.kind === 'list') {
    const found = await reports.list(command.which, LISTED);
    return found.length === 0 ? 'There are no reports.' : found.map(titleOf).join('\n');
  }
  const report = await find(reports, command.id);
  if (command.kind === 'show') return describeReport(report);
  return (await reports.close(report.id, systemClock.now())) ? `${report.id} is closed.` : `${report.id} was closed already.`;
}

/** Runs one command; what it says, or throws what a person can read. */
async function run(args: readonly string[]): Promise<string> {
  const command = readCommand(args);
  if (!command) throw new Error(USAGE);
  const read = readConfig(process.env);
  if ('wrong' in read) throw new Error(read.wrong.join('\n'));
  const database = await joinDatabase(read.config);
  try {
    return await carryOut(makeReports(database.sql), command);
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
