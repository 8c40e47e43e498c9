import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Patch } from './planted.ts';
import type { Outcome } from './world.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SOURCES = ['shared', 'sync-server/core', 'sync-server/memory', 'client/sync'];

/** A copy of the core's source with changes in it, ready to run seeds. `name` names its folder. Throws when a change no longer fits. */
export async function loadWorld(name: string, patches: readonly Patch[]): Promise<(seed: number) => Promise<Outcome>> {
  const folder = join(ROOT, '.tmp', 'simulator', name.replaceAll(/[^a-z0-9]+/gi, '-'));
  await rm(folder, { recursive: true, force: true });
  for (const source of SOURCES) {
    await mkdir(dirname(join(folder, source)), { recursive: true });
    await cp(join(ROOT, source), join(folder, source), { recursive: true, filter: (path) => !/\.(?:test|bench|contract)\.ts$/.test(path) });
  }
  for (const patch of patches) await applyPatch(join(folder, patch.file), patch);
  const world = (await import(/* @vite-ignore */ pathToFileURL(join(folder, 'sync-server/core/simulator/world.ts')).href)) as {
    runSeed(seed: number): Promise<Outcome>;
  };
  return world.runSeed;
}

async function applyPatch(path: string, { file, find, replace }: Patch): Promise<void> {
  const source = await readFile(path, 'utf8');
  if (source.split(find).length !== 2) throw new Error(`${file}: the planted change no longer fits: ${find}`);
  await writeFile(
    path,
    source.replace(find, () => replace),
  );
}
