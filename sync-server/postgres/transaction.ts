import postgres from 'postgres';
import { CommitUnknown, LogUnavailable } from '../core/ports.ts';
import type { Sql, Transaction } from './connect.ts';

/** SQLSTATE classes and codes that say "not now": connection, resources, shutdown and start-up, system, a server that only reads, ours that stood still. */
const NOT_NOW = /^(08|53|57P|58|25006|25P03)/;
const { PostgresError } = postgres;

export interface Patience {
  /** How long to wait for a connection, milliseconds. */
  waitMs: number;
  /** How long the transaction itself may last. Longer than the server's own timeouts: this one is for a network that swallows bytes. */
  lastMs: number;
}
const PATIENCE: Patience = { waitMs: 10_000, lastMs: 60_000 };

/**
 * One transaction (READ COMMITTED). What `task` throws rolls it back and is thrown on. `LogUnavailable`: no connection in time, or the
 * server went away or was silent before COMMIT, or has no room; then nothing is written later either. `CommitUnknown`: it went away or was
 * silent with COMMIT on the way to it. `task` awaits nothing but queries.
 *
 * Trap (postgres.js 3.4.9, issues 1208 and 1216, November 2026): after a failure `sql.begin` writes ROLLBACK even to a connection that is
 * gone, which ends the process or wedges the connection. So a task that fails looks first whether postgres.js has given the transaction
 * up already, which it does in the turn in which the socket closes; if so the task never settles, and nothing more is written.
 */
export async function transaction<T>(sql: Sql, task: (tx: Transaction) => Promise<T>, patience: Partial<Patience> = {}): Promise<T> {
  const { waitMs, lastMs } = { ...PATIENCE, ...patience };
  let committing = false;
  let over = false;
  let closed = false;
  const deadline = openDeadline(waitMs, 'no connection to Postgres in time');
  const whole = sql.begin(async (tx) => {
    deadline.move(lastMs, 'no answer of Postgres in time');
    try {
      const result = over ? undefined : await task(tx);
      if (over) throw new LogUnavailable('nobody waits for this transaction any more');
      committing = true;
      return result;
    } catch (error) {
      await new Promise((resolve) => setImmediate(resolve));
      if (closed) return new Promise<never>(() => {});
      throw error;
    }
  });
  whole.catch(() => (closed = true));
  try {
    return (await Promise.race([whole, deadline.passed])) as T;
  } catch (error) {
    over = true;
    throw named(error, committing);
  } finally {
    deadline.end();
  }
}

/** A promise that rejects when the time is over, unless it is moved or ended before. */
function openDeadline(ms: number, means: string) {
  let timer: NodeJS.Timeout;
  let expire: (error: LogUnavailable) => void;
  const passed = new Promise<never>((_, reject) => (expire = reject));
  const move = (ms: number, means: string) => {
    clearTimeout(timer);
    timer = setTimeout(() => expire(new LogUnavailable(means)), ms);
  };
  move(ms, means);
  return { passed, move, end: () => clearTimeout(timer) };
}

/** What Postgres or the way to it threw, in the words of the ports; any other error as it is. */
export function named(error: unknown, committing: boolean): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof PostgresError) return NOT_NOW.test(error.code) ? new LogUnavailable(error.message, { cause: error }) : error;
  if (committing) return new CommitUnknown(error.message, { cause: error });
  return isLinkError(error) ? new LogUnavailable(error.message, { cause: error }) : error;
}

/** Errors of sockets and those that postgres.js makes for a connection carry `errno`. */
const isLinkError = (error: Error): boolean => 'errno' in error;
