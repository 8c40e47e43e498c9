import { systemClock, systemRandom } from '../shared/clock.ts';
import { makeUuid } from '../shared/ids.ts';
import { readConfig } from './config.ts';
import { type Database, joinDatabase } from './database.ts';
import { makeToken } from './http/identity/link-token.ts';
import { makeInvites } from './postgres/invites.ts';
import { makePasswordStore } from './postgres/password-store.ts';

const DAY_MS = 24 * 3_600_000;
const RESET_MS = DAY_MS;
const INVITE_MS = 7 * DAY_MS;
/** More open links than any operator needs: a script gone wild ends here. */
const INVITES_MAX = 1000;

const USAGE = `npm run user -- reset <handle> [address]   prints a link that sets a new password for somebody, once, within 24 hours, and removes their passkeys
npm run user -- invite [address]           prints a link that lets one person register, within 7 days

address: where people reach this server, like https://chat.example.org; http://localhost:3000 (or PORT) when it is left out.
DATABASE_URL and DATA_DIR name the database as for the server, which may be running or not.`;

/** What somebody asks for at the terminal. */
type Command = { kind: 'reset'; handle: string; address: string | undefined } | { kind: 'invite'; address: string | undefined };

function readCommand([kind, ...rest]: readonly string[]): Command | null {
  if (kind === 'invite' && rest.length <= 1) return { kind, address: rest[0] };
  const [handle, address] = rest;
  if (kind === 'reset' && handle !== undefined && rest.length <= 2)
    return { kind, handle: handle.trim().replace(/^@/, '').toLowerCase(), address };
  return null;
}

/** The address without anything behind it; null when it is none. */
function readAddress(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url && /^https?:$/.test(url.protocol) && url.pathname === '/' && !url.search && !url.hash ? url.origin : null;
}

async function resetLink({ sql }: Database, handle: string, address: string): Promise<string> {
  const { token, hash } = makeToken(systemRandom);
  const expiresAt = systemClock.now() + RESET_MS;
  if (!(await makePasswordStore(sql).openReset(handle, { tokenHash: hash, expiresAt }))) throw new Error(`Nobody here is @${handle}.`);
  return `Whoever opens this link sets a new password for @${handle}; once, until ${new Date(expiresAt).toISOString()}:
${address}/reset#${token}`;
}

async function inviteLink({ sql }: Database, address: string): Promise<string> {
  const { token, hash } = makeToken(systemRandom);
  const now = systemClock.now();
  const expiresAt = now + INVITE_MS;
  const invite = { id: makeUuid(now, systemRandom), createdBy: null, createdAt: now, expiresAt, uses: 1, usesLeft: 1 };
  if (!(await makeInvites(sql).open({ ...invite, tokenHash: hash }, INVITES_MAX))) throw new Error(`${INVITES_MAX} invites are open.`);
  return `One person can register with this link until ${new Date(expiresAt).toISOString()}:
${address}/join#${token}`;
}

/** Runs one command; what it says, or throws what a person can read. */
async function run(args: readonly string[]): Promise<string> {
  const command = readCommand(args);
  if (!command) throw new Error(USAGE);
  const read = readConfig(process.env);
  if ('wrong' in read) throw new Error(read.wrong.join('\n'));
  const { config } = read;
  const address = readAddress(command.address ?? `http://localhost:${config.port}`);
  if (address === null) throw new Error(`"${command.address}" should be an address like https://chat.example.org.`);
  const database = await joinDatabase(config);
  try {
    return command.kind === 'reset' ? await resetLink(database, command.handle, address) : await inviteLink(database, address);
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
