import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process id alone says little: ids are given again, so `started` tells one life of an id from the next. */
export interface ProcessEntry {
  /** A zombie has ended; only its parent has not noticed yet. */
  state: 'alive' | 'zombie';
  started: string;
  command: string;
}

/** What the system knows of this process id, or null when nothing has it. */
export function findProcess(pid: number): ProcessEntry | null {
  return process.platform === 'linux' ? findInProc(pid) : findByPs(pid);
}

/** Looks again every 25 ms until it is so (true) or the time is over (false). */
export async function until(isSo: () => boolean, withinMs: number): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await delay(25)) if (isSo()) return true;
  return isSo();
}

/** `/proc/<pid>/stat` is `pid (name) state …`, the name may hold anything; the start time is its 22nd field. */
function findInProc(pid: number): ProcessEntry | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return { state: fields[0] === 'Z' || fields[0] === 'X' ? 'zombie' : 'alive', started: fields[19] ?? '', command };
  } catch {
    return null;
  }
}

function findByPs(pid: number): ProcessEntry | null {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=,command=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C' },
    });
    const match = /^\s*(\S+)\s+(\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)/.exec(line);
    if (!match) return null;
    const [, state = '', started = '', command = ''] = match;
    return { state: state.startsWith('Z') ? 'zombie' : 'alive', started, command };
  } catch {
    return null;
  }
}
