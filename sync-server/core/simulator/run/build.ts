import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Plugin, build } from 'vite';
import type { Patch } from './planted-patch.ts';
import { SMALL } from './planted.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** The product's source with changes in it. Throws when one no longer fits. */
const patching = (patches: readonly Patch[], done: Set<Patch>): Plugin => ({
  name: 'planted changes',
  enforce: 'pre',
  transform(source, id) {
    let changed = source;
    for (const patch of patches) {
      if (!id.endsWith(`/${patch.file}`)) continue;
      if (changed.split(patch.find).length !== 2) throw new Error(`${patch.file}: the planted change no longer fits: ${patch.find}`);
      changed = changed.replace(patch.find, () => patch.replace);
      done.add(patch);
    }
    return changed === source ? null : changed;
  },
});

/** Bundles the world with these changes; answers the file that a child process runs. */
export async function buildWorld(name: string, patches: readonly Patch[] = []): Promise<string> {
  const all = [...SMALL, ...patches];
  const done = new Set<Patch>();
  const outDir = join(ROOT, '.tmp', 'simulator');
  const file = `${name.replaceAll(/[^a-z0-9]+/gi, '-')}.mjs`;
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'error',
    plugins: [patching(all, done)],
    ssr: { noExternal: true },
    build: {
      ssr: join(ROOT, 'sync-server/core/simulator/run/child.ts'),
      outDir,
      emptyOutDir: false,
      minify: false,
      rollupOptions: { output: { entryFileNames: file, codeSplitting: false } },
    },
  });
  for (const patch of all) if (!done.has(patch)) throw new Error(`${patch.file} is not part of the world`);
  return join(outDir, file);
}
