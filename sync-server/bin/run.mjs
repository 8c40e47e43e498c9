import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

/** Nothing in this folder may import a package: it runs before there are any. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * Runs Node with these arguments in the project's folder and resolves with its exit code. Signals are passed on, and when one came this
 * process ends after the child, with the code a shell gives for it.
 *
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env] added to this process's; undefined takes away
 * @returns {Promise<number>}
 */
export async function runNode(args, env = {}) {
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'] });
  let received = 0;
  /** @param {NodeJS.Signals} signal */
  const passOn = (signal) => {
    received = constants.signals[signal];
    // The terminal gives Ctrl+C to the child as well, and a second one means "at once" to many programs.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, passOn);
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
  for (const signal of SIGNALS) process.off(signal, passOn);
  if (received) process.exit(128 + received);
  return code;
}
