import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProcess } from './process-table.ts';

/** Another process works on this data folder. The message is one sentence for the person at the terminal. */
export class FolderInUseError extends Error {
  override name = 'FolderInUseError';
  readonly folder: string;
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(`The data folder ${folder} is already in use by process ${pid}.`);
    this.folder = folder;
    this.pid = pid;
  }
}

export interface FolderLock {
  /** The process that held it before ended without releasing it, so a server it started may still run. */
  inherited: boolean;
  release(): Promise<void>;
}

/**
 * Makes this process the only one that starts a server in the folder, or throws `FolderInUseError` at once. The lock is a file with
 * the holder's process id and start time: it ends with its holder, however that ends.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, 'postgres.lock');
  const own = `${process.pid} ${findProcess(process.pid)?.started ?? ''}\n`;
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, own, { mode: 0o644 });
  try {
    let inherited = false;
    while (!(await linked(draft, path))) {
      const held = await readFile(path, 'utf8').catch(() => null);
      if (held === null) continue;
      const pid = holder(held);
      if (pid !== null) throw new FolderInUseError(folder, pid);
      inherited = await removed(path, held);
    }
    return { inherited, release: () => release(path, own) };
  } finally {
    await rm(draft, { force: true });
  }
}

/** A link appears whole or not at all, and never replaces what is there. */
async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function holder(held: string): number | null {
  const [pid = '', ...started] = held.trim().split(' ');
  const entry = findProcess(Number(pid));
  return entry?.state === 'alive' && entry.started === started.join(' ') ? Number(pid) : null;
}

/** Takes the dead holder's file away; should a third process have been faster, what it took away is put back. */
async function removed(path: string, held: string): Promise<boolean> {
  const aside = `${path}.${process.pid}.stale`;
  try {
    await rename(path, aside);
  } catch {
    return false;
  }
  const stale = (await readFile(aside, 'utf8')) === held;
  if (!stale) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
  return stale;
}

async function release(path: string, own: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => '')) === own) await rm(path, { force: true });
}
