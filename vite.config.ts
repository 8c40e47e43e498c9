import { fileURLToPath } from 'node:url';
import solid from 'vite-plugin-solid';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { serviceWorkerBuild } from './client/platform/service-worker-build.ts';

const root = fileURLToPath(new URL('.', import.meta.url));

/**
 * postgres.js 3.4.9 writes to a socket that has closed: the process ends with a TypeError, or the connection is never written to again
 * (its issues 1208 and 1216, open in November 2026). These lines, and one of COPY, are mended as they are bundled.
 */
const MENDS = [
  [
    'clearImmediate(nextWriteTimer)\n    socket.removeListener',
    'clearImmediate(nextWriteTimer)\n    chunk = nextWriteTimer = null\n    socket.removeListener',
  ],
  [
    '    if (q.cancelled)\n      return\n',
    "    if (q.cancelled)\n      return\n\n    if (socket === null)\n      return queryError(q, Errors.connection('CONNECTION_CLOSED', options, socket))\n",
  ],
  // Where the last rows of a COPY filled the reader's buffer, the socket stayed paused for good.
  ['stream && stream.push(null)\n    stream = null', 'stream && stream.push(null)\n    stream = null\n    socket && socket.resume()'],
  ['const x = socket.write(chunk, fn)', 'const x = socket === null || socket.write(chunk, fn)'],
] as const;
/** Changes lines of a library as it is bundled; a version that they do not fit fails the build. */
const mend = (name: string, path: string, lines: readonly (readonly [find: string, replace: string])[]): Plugin => ({
  name,
  enforce: 'pre',
  transform(code, id) {
    if (!id.includes(path)) return null;
    return lines.reduce((source, [find, replace]) => {
      if (source.split(find).length !== 2) throw new Error(`${path} has changed; look whether it still needs mending: ${find}`);
      return source.replace(find, () => replace);
    }, code);
  },
});
const mendPostgres = mend('mend-postgres', '/node_modules/postgres/src/connection.js', MENDS);
/**
 * The page's policy lets no text become markup. Compiled templates are markup by nature, so Solid gets the one policy that makes it, in a
 * place where nothing else can reach it (1.9.19 has no way to be told).
 */
const trustTemplates = mend('trust-templates', '/node_modules/solid-js/web/dist/web.js', [
  [
    'function template(html,',
    "const templates = globalThis.trustedTypes?.createPolicy('solid-template', { createHTML: html => html }) ?? { createHTML: html => html };\nfunction template(html,",
  ],
  ['    t.innerHTML = html;', '    t.innerHTML = templates.createHTML(html);'],
]);

/** Kinds of test by the end of their name: what each needs decides where and how long it runs. */
const project = (name: string, include: string[], exclude: string[], testTimeout: number, extra = {}) => ({
  extends: true as const,
  // vite-plugin-solid would ask for a DOM otherwise.
  test: {
    name,
    root,
    environment: 'node',
    include,
    exclude: ['**/node_modules/**', ...exclude],
    testTimeout,
    hookTimeout: 180_000,
    ...extra,
  },
});
/** vite-plugin-solid asks for a browser's build of every package in tests; that of ws has no sockets. */
const sockets = { find: /^ws$/, replacement: `${root}node_modules/ws/wrapper.mjs` };
const unit = ['{shared,sync-server,client}/**/*.test.ts'];
const special = ['pg', 'web', 'fuzz', 'process'].map((kind) => `**/*.${kind}.test.ts`);

export default defineConfig(({ isSsrBuild }) => ({
  root: 'client',
  plugins: isSsrBuild ? [mendPostgres] : [solid(), serviceWorkerBuild(), trustTemplates, mendPostgres],
  ssr: { noExternal: ['postgres'] },
  ...(isSsrBuild ? { publicDir: false as const } : {}),
  build: isSsrBuild
    ? {
        ssr: true,
        outDir: `${root}dist/server`,
        target: 'node20',
        emptyOutDir: true,
        rollupOptions: {
          input: Object.fromEntries(['main', 'user', 'reports', 'backup'].map((name) => [name, `${root}sync-server/${name}.ts`])),
          output: { entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' },
        },
      }
    : { outDir: `${root}dist/client`, target: 'es2022', emptyOutDir: false },
  server: {
    proxy: {
      '/api': { target: process.env.API_ORIGIN ?? 'http://127.0.0.1:3001', ws: true },
    },
  },
  test: {
    root,
    environment: 'node',
    projects: [
      project('unit', unit, special, 60_000),
      project('pg', ['**/*.pg.test.ts'], [], 120_000, {
        globalSetup: [`${root}sync-server/postgres/launcher/test-cluster.ts`],
        fileParallelism: false,
        server: { deps: { inline: ['postgres'] } },
        alias: [sockets],
      }),
      project('process', ['**/*.process.test.ts'], [], 300_000, { fileParallelism: false, alias: [sockets] }),
      project('web', ['**/*.web.test.ts'], [], 300_000, { fileParallelism: false, expect: { poll: { timeout: 60_000 } } }),
      project('fuzz', ['**/*.fuzz.test.ts'], [], 3_600_000),
    ],
  },
}));
