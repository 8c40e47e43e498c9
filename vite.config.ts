import { fileURLToPath } from 'node:url';
import solid from 'vite-plugin-solid';
import { defineConfig } from 'vitest/config';
import { serviceWorkerBuild } from './client/platform/service-worker-build.ts';

const root = fileURLToPath(new URL('.', import.meta.url));

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
const unit = ['{shared,sync-server,client}/**/*.test.ts'];
const special = ['pg', 'web', 'fuzz', 'process'].map((kind) => `**/*.${kind}.test.ts`);

export default defineConfig(({ isSsrBuild }) => ({
  root: 'client',
  plugins: isSsrBuild ? [] : [solid(), serviceWorkerBuild()],
  build: isSsrBuild
    ? {
        ssr: `${root}sync-server/main.ts`,
        outDir: `${root}dist/server`,
        target: 'node20',
        emptyOutDir: true,
        rollupOptions: { output: { entryFileNames: '[name].mjs' } },
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
      }),
      project('process', ['**/*.process.test.ts'], [], 300_000, { fileParallelism: false }),
      project('web', ['**/*.web.test.ts'], [], 300_000, { fileParallelism: false, expect: { poll: { timeout: 60_000 } } }),
      project('fuzz', ['**/*.fuzz.test.ts'], [], 3_600_000),
    ],
  },
}));
