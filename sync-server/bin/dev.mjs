import { spawn } from 'node:child_process';
import { ensureInstalled } from './install.mjs';
import { root } from './run.mjs';

/**
 * `npm run dev`: the server from its sources, restarted at every change, behind Vite's server on PORT. Both end together: on Ctrl+C, and
 * when either ends. A second Ctrl+C does not wait.
 */
await ensureInstalled();
const { PORT = '3000', API_PORT = '3001' } = process.env;
const children = [
  start(['--watch', '--watch-preserve-output', '--import', 'tsx', 'sync-server/main.ts'], { PORT: API_PORT }),
  start(['node_modules/vite/bin/vite.js', '--port', PORT, '--strictPort'], { API_ORIGIN: `http://127.0.0.1:${API_PORT}` }),
];
let isEnding = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => (isEnding ? killAll() : endAll()));
for (const child of children) {
  child.once('exit', (code) => {
    process.exitCode ??= isEnding ? 0 : (code ?? 1);
    endAll();
  });
}

/** In a group of its own: Ctrl+C would reach the server twice, from the terminal and from its watcher, and cut its clean end short. */
function start(args, env) {
  const options = { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'], detached: true };
  return spawn(process.execPath, args, options);
}

function endAll() {
  if (isEnding) return;
  isEnding = true;
  for (const child of children) child.kill('SIGTERM');
}

function killAll() {
  for (const { pid } of children) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // This one has ended.
    }
  }
}
