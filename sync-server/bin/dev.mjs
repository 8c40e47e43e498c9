import { spawn } from 'node:child_process';
import { ensureInstalled } from './install.mjs';
import { root } from './run.mjs';

/**
 * `npm run dev`: the server from its sources, restarted at every change, behind Vite's server on PORT. Both end together: on Ctrl+C, and
 * when either ends.
 */
await ensureInstalled();
const { PORT = '3000', API_PORT = '3001' } = process.env;
const children = [
  start(['--watch', '--watch-preserve-output', '--import', 'tsx', 'sync-server/main.ts'], { PORT: API_PORT }),
  start(['node_modules/vite/bin/vite.js', '--port', PORT, '--strictPort'], { API_ORIGIN: `http://127.0.0.1:${API_PORT}` }),
];
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, endAll);
for (const child of children) {
  child.once('exit', (code) => {
    process.exitCode ??= code ?? 0;
    endAll();
  });
}

function start(args, env) {
  return spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'] });
}

function endAll() {
  for (const child of children) child.kill('SIGTERM');
}
