import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import type { Command } from './privileges.ts';
import { until } from './process-table.ts';

export interface ServerProcess {
  pid: number;
  /** Settles when the server has ended: by `stop` (or the signal), or of itself. */
  ended: Promise<'stopped' | 'died'>;
  /** Ends the server cleanly and waits for it; may be called again. Open connections are closed. */
  stop(): Promise<void>;
  /** What it wrote to its log in this life. */
  said(): string;
}

const FAST_SHUTDOWN_MS = 20_000;
const IMMEDIATE_SHUTDOWN_MS = 5_000;
const LOG_KEPT_BYTES = 10_000_000;

/**
 * Runs the server until `stop`, the signal or the end of this process. It is in a session of its own, so that Ctrl+C in the terminal
 * reaches the app alone, which then stops it in its own order; and it writes to the log file itself: a pipe would end with us.
 */
export function runServer({ file, args, options }: Command, logFile: string, signal?: AbortSignal): ServerProcess {
  signal?.throwIfAborted();
  if (existsSync(logFile) && statSync(logFile).size > LOG_KEPT_BYTES) renameSync(logFile, `${logFile}.1`);
  const log = openSync(logFile, 'a', 0o600);
  const logStart = statSync(logFile).size;
  const child = spawn(file, args, { ...options, stdio: ['ignore', log, log], detached: true });
  closeSync(log);

  let asked = false;
  const endWithUs = () => void child.kill('SIGINT');
  const ended = new Promise<'stopped' | 'died'>((resolve) => {
    const settle = () => {
      process.off('exit', endWithUs);
      signal?.removeEventListener('abort', onAbort);
      resolve(asked ? 'stopped' : 'died');
    };
    child.once('exit', settle);
    child.once('error', (error) => {
      appendFileSync(logFile, `${String(error)}\n`);
      settle();
    });
  });
  const stop = async () => {
    asked = true;
    await end(child);
    await ended;
  };
  const onAbort = () => void stop();
  process.once('exit', endWithUs);
  signal?.addEventListener('abort', onAbort, { once: true });
  return { pid: child.pid ?? 0, ended, stop, said: () => readFileSync(logFile).subarray(logStart).toString() };
}

/** Fast: SIGINT; immediate, with recovery at the next start: SIGQUIT; and should even that hang: SIGKILL. */
async function end(child: ChildProcess): Promise<void> {
  const hasEnded = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  const ways = [
    { signal: 'SIGINT', withinMs: FAST_SHUTDOWN_MS },
    { signal: 'SIGQUIT', withinMs: IMMEDIATE_SHUTDOWN_MS },
  ] as const;
  for (const { signal, withinMs } of ways) {
    if (hasEnded()) return;
    child.kill(signal);
    if (await until(hasEnded, withinMs)) return;
  }
  child.kill('SIGKILL');
}
