import { ensureInstalled } from './install.mjs';
import { runNode } from './run.mjs';

/** `npm run bench -- [name]`: the measures of `sync-server/bench`; the figures stay in `.tmp/bench.json`. */
const [wanted = ''] = process.argv.slice(2);
await ensureInstalled();
const built = await runNode(
  ['node_modules/vite/bin/vite.js', 'build', '--config', 'sync-server/bench/vite.config.ts', '--logLevel', 'warn'],
  { NODE_ENV: 'production' },
);
process.exitCode = built || (await runNode(['--expose-gc', '.tmp/bench/main.mjs', wanted, '.tmp/bench.json'], { NODE_ENV: 'production' }));
