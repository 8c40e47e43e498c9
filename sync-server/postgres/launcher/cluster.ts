import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { giveTo, type Command, type Owner } from './privileges.ts';

export interface ClusterPlan {
  clusterFolder: string;
  passwordFile: string;
  owner: Owner | null;
  /** Off: nothing of this survives a power cut, for throw-away clusters. */
  fsync: boolean;
  initdb: (args: string[]) => Command;
}

/** PostgreSQL's own locale is the same everywhere; macOS has no `C.UTF-8` in its C library. */
const LOCALE =
  process.platform === 'darwin' ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : ['--locale=C.UTF-8'];

/**
 * Makes the cluster unless it is there, and tells the password of its one user `postgres`. The password is random, lies in a file only the
 * owner (and root) may read, and is asked for on loopback too. A cluster appears whole: killed half-way, the next start begins anew.
 */
export async function ensureCluster(plan: ClusterPlan): Promise<string> {
  const { clusterFolder, passwordFile, owner } = plan;
  if (!existsSync(clusterFolder)) await createCluster(plan);
  if (owner && (await lstat(clusterFolder)).uid !== owner.uid) await giveTo(owner, clusterFolder);
  const password = await readFile(passwordFile, 'utf8').catch((cause: unknown) => {
    throw new Error(`The password of the database in ${clusterFolder} cannot be read from ${passwordFile}.`, { cause });
  });
  return password.trim();
}

async function createCluster({ clusterFolder, passwordFile, owner, fsync, initdb }: ClusterPlan): Promise<void> {
  const draft = `${clusterFolder}.new`;
  await rm(draft, { recursive: true, force: true });
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flush: true });
  await mkdir(draft, { mode: 0o700 });
  if (owner) for (const path of [draft, passwordFile]) await chown(path, owner.uid, owner.gid);

  const where = ['-D', draft, '-U', 'postgres', '-E', 'UTF8', ...LOCALE];
  const access = ['-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '--no-instructions'];
  const { file, args, options } = initdb([...where, ...access, ...(fsync ? [] : ['--no-sync'])]);
  try {
    await promisify(execFile)(file, args, options);
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Error(`PostgreSQL could not prepare ${clusterFolder}: ${said || String(error)}`, { cause: error });
  }
  await rename(draft, clusterFolder);
}
