import { createHash } from 'node:crypto';
import { readFile, readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Plugin, build } from 'vite';
import { outdated } from './cache-policy.ts';

type Built = Extract<Awaited<ReturnType<typeof build>>, { output: unknown }>;

/**
 * Builds `service-worker.ts` into `sw.js` with the list of what to precache: every file of this build and of `public`. The version is a hash of
 * all of it. Hashed files of older builds stay for those who still run them, and go after 30 days.
 */
export function serviceWorkerBuild(): Plugin {
  let root = '';
  let publicDir = '';
  let outDir = '';
  return {
    name: 'homing:service-worker',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      root = config.root;
      publicDir = config.publicDir;
      outDir = resolve(config.root, config.build.outDir);
    },
    async generateBundle(_options, bundle) {
      const hash = createHash('sha256');
      const paths: string[] = [];
      for (const file of Object.values(bundle).sort((a, b) => a.fileName.localeCompare(b.fileName))) {
        paths.push(file.fileName === 'index.html' ? '/' : `/${file.fileName}`);
        hash.update(file.fileName).update(file.type === 'chunk' ? file.code : file.source);
      }
      for (const name of (await readdir(publicDir)).sort()) {
        paths.push(`/${name}`);
        hash.update(name).update(await readFile(join(publicDir, name)));
      }
      const worker = await readFile(join(root, 'service-worker.ts'));
      const version = hash.update(worker).digest('hex').slice(0, 12);
      this.emitFile({ type: 'asset', fileName: 'sw.js', source: await compile(join(root, 'service-worker.ts'), { version, paths }) });
    },
    async writeBundle(_options, bundle) {
      const assets = join(outDir, 'assets');
      const names = await readdir(assets);
      const files = await Promise.all(names.map(async (name) => ({ name, builtAt: (await stat(join(assets, name))).mtimeMs })));
      const current = new Set(names.filter((name) => `assets/${name}` in bundle));
      await Promise.all(outdated(files, { current, now: Date.now() }).map((name) => rm(join(assets, name))));
    },
  };
}

/** One classic script: every browser with service workers runs it. */
async function compile(entry: string, precache: object): Promise<string> {
  const result = (await build({
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    define: { PRECACHE: JSON.stringify(precache) },
    build: { write: false, target: 'es2022', modulePreload: false, rollupOptions: { input: entry, output: { format: 'iife' } } },
  })) as Built;
  const [chunk] = result.output;
  return chunk.code;
}
