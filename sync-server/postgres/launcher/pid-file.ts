import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FolderInUseError } from './folder-lock.ts';
import { findProcess, until } from './process-table.ts';

/** PostgreSQL's own `postmaster.pid`: line 1 the process, 4 its port, 7 its shared memory (`key id`), 8 its state. */
export interface PidFile {
  pid: number;
  port: number;
  sharedMemoryId: string | null;
  ready: boolean;
}

const ORPHAN_SHUTDOWN_MS = 20_000;
const OTHER_SHUTDOWN_MS = 5_000;
const BACKENDS_END_MS = 5_000;

export function readPidFile(clusterFolder: string): PidFile | null {
  let lines: string[];
  try {
    lines = readFileSync(join(clusterFolder, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return null;
  }
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  return { pid, port: Number(lines[3]), sharedMemoryId: lines[6]?.trim().split(/\s+/)[1] ?? null, ready: lines[7]?.trim() === 'ready' };
}

/**
 * Afterwards no server runs in the cluster, and nothing that one left behind keeps the next from starting. `inherited`: it is the server
 * of a launcher that is dead, so it is asked to stop; any other has a moment to end by itself, then `FolderInUseError`.
 */
export async function endPrevious(folder: string, clusterFolder: string, inherited: boolean): Promise<void> {
  const file = readPidFile(clusterFolder);
  // A power cut can leave it empty, which PostgreSQL refuses too.
  if (file === null) return rmSync(join(clusterFolder, 'postmaster.pid'), { force: true });
  const isRunning = () => {
    const entry = findProcess(file.pid);
    return entry?.state === 'alive' && entry.command.includes(clusterFolder);
  };
  if (isRunning()) {
    if (inherited) askToStop(file.pid);
    if (!(await until(() => !isRunning(), inherited ? ORPHAN_SHUTDOWN_MS : OTHER_SHUTDOWN_MS)))
      throw new FolderInUseError(folder, file.pid);
  }
  // Killed alone, the postmaster leaves backends that may write for a moment more: they hold its shared memory.
  if (!(await until(() => !isAttached(file.sharedMemoryId), BACKENDS_END_MS))) throw new FolderInUseError(folder, file.pid);
  // PostgreSQL clears up after a process that is gone. It takes a zombie, and another program that has the number now, for a running server.
  if (findProcess(file.pid) && readPidFile(clusterFolder)?.pid === file.pid) rmSync(join(clusterFolder, 'postmaster.pid'), { force: true });
}

function askToStop(pid: number): void {
  try {
    process.kill(pid, 'SIGINT');
  } catch {
    // It has just ended, or is not ours to stop: the wait will tell.
  }
}

/** Linux lists the segments as `key shmid perms size cpid lpid nattch …`; where no list can be read, PostgreSQL's own check remains. */
function isAttached(sharedMemoryId: string | null): boolean {
  if (sharedMemoryId === null) return false;
  try {
    const rows = readFileSync('/proc/sysvipc/shm', 'utf8').split('\n');
    const row = rows.map((line) => line.trim().split(/\s+/)).find((fields) => fields[1] === sharedMemoryId);
    return Number(row?.[6] ?? 0) > 0;
  } catch {
    return false;
  }
}
