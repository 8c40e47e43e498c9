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
 * The way to run PostgreSQL's programs here. With `setpriv` they end when we do (even by kill -9), and under root they run as the owner
 * while still reaching through folders that only root may enter. Without it (macOS, busybox, a container with few capabilities): plain.
 */
export function makeCommand(owner: Owner | null): (binary: string, args: string[]) => Command {
  const flags = setprivFlags(owner);
  const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
  if (process.platform === 'linux' && spawnSync('setpriv', [...flags, '--', 'true'], { stdio: 'ignore' }).status === 0) {
    return (binary, args) => ({ file: 'setpriv', args: [...flags, '--', binary, ...args], options: { env } });
  }
  return (binary, args) => ({ file: binary, args, options: { ...owner, env } });
}

/** SIGINT is PostgreSQL's fast, clean shutdown. The parent's death is noticed for the thread that spawned: call from the main thread. */
function setprivFlags(owner: Owner | null): string[] {
  if (owner === null) return ['--pdeathsig=INT'];
  const only = '-all,+dac_override';
  return [
    `--reuid=${owner.uid}`,
    `--regid=${owner.gid}`,
    '--clear-groups',
    `--inh-caps=${only}`,
    `--ambient-caps=${only}`,
    `--bounding-set=${only}`,
    '--pdeathsig=INT',
  ];
}
