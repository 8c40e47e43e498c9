import { spawnSync } from 'node:child_process';
import { lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface Owner {
  uid: number;
  gid: number;
}

/** How to start a program of PostgreSQL: for `spawn(file, args, options)`. */
export interface Command {
  file: string;
  args: string[];
  options: { uid?: number; gid?: number; env: NodeJS.ProcessEnv };
}

/** In every Linux, bare images included. */
const NOBODY: Owner = { uid: 65534, gid: 65534 };

/**
 * Who PostgreSQL runs as, null for "as we do". It refuses to be root: started by root, it is whoever owns the cluster already, else
 * nobody. Started by anyone else, the cluster must be theirs.
 */
export async function chooseOwner(clusterFolder: string): Promise<Owner | null> {
  const uid = process.getuid?.();
  const stats = await lstat(clusterFolder).catch(() => null);
  if (uid !== 0) {
    if (stats && uid !== undefined && stats.uid !== uid) {
      throw new Error(`The data folder ${clusterFolder} belongs to user ${stats.uid}: start as that user or as root.`);
    }
    return null;
  }
  return stats && stats.uid !== 0 ? { uid: stats.uid, gid: stats.gid } : NOBODY;
}

/** Gives a folder and all in it to the owner (as after root restored a backup), itself last, so that half-way shows. Follows no links. */
export async function giveTo(owner: Owner, folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await giveTo(owner, path);
    else await lchown(path, owner.uid, owner.gid);
  }
  await lchown(folder, owner.uid, owner.gid);
}

/**
 * The way to run PostgreSQL's programs here. With `setpriv` they end when we do (even by kill -9), and under root they run as the owner,
 * who is let through closed folders on the way to `reach` only if there are any. Without it (macOS, busybox, few capabilities): plain.
 * The parent's death is that of the thread that spawned: call from the main thread.
 */
export function makeCommand(owner: Owner | null, reach: string[]): (binary: string, args: string[]) => Command {
  const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
  const flags = process.platform === 'linux' ? setprivFlags(owner).find((flags) => reaches(flags, reach)) : undefined;
  if (flags) return (binary, args) => ({ file: 'setpriv', args: [...flags, '--', binary, ...args], options: { env } });
  return (binary, args) => ({ file: binary, args, options: { ...owner, env } });
}

/** From the fewest rights to more. SIGINT is PostgreSQL's fast, clean shutdown. */
function setprivFlags(owner: Owner | null): string[][] {
  if (owner === null) return [['--pdeathsig=INT']];
  const asOwner = [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups', '--pdeathsig=INT'];
  const sets = (caps: string) => [`--inh-caps=${caps}`, `--ambient-caps=${caps}`, `--bounding-set=${caps}`];
  // initdb asks access(2), which heeds capabilities of a user other than root only with this bit (seen 2026-11 below /root).
  return [
    [...asOwner, ...sets('-all')],
    [...asOwner, ...sets('-all,+dac_override'), '--securebits=+no_setuid_fixup'],
  ];
}

function reaches(flags: string[], paths: string[]): boolean {
  const tests = paths.flatMap((path) => ['-a', '-x', path]).slice(1);
  return spawnSync('setpriv', [...flags, '--', 'test', ...tests], { stdio: 'ignore' }).status === 0;
}
