import postgres from 'postgres';
import { CommitUnknown, LogUnavailable } from '../core/ports.ts';
import type { Sql, Transaction } from './connect.ts';

/** SQLSTATE classes and codes that say "not now": connection, resources, shutdown and start-up, system, a server that only reads. */
const NOT_NOW = /^(08|53|57P|58|25006)/;
const { PostgresError } = postgres;

/**
 * One transaction (READ COMMITTED). What `task` throws rolls it back and is thrown on; `LogUnavailable` when the server went away before
 * COMMIT or has no room, `CommitUnknown` when it went away with COMMIT on the way to it. `task` awaits nothing but queries.
 *
 * Trap (postgres.js 3.4.9, issues 1208 and 1216, November 2026): after a failure `sql.begin` writes ROLLBACK even to a connection that is
 * gone, which ends the process or wedges the connection. So a task that fails looks first whether postgres.js has given the transaction
 * up already, which it does in the turn in which the socket closes; if so the task never settles, and nothing more is written.
 */
export async function transaction<T>(sql: Sql, task: (tx: Transaction) => Promise<T>): Promise<T> {
  let committing = false;
  let over = false;
  const whole = sql.begin(async (tx) => {
    try {
      const result = await task(tx);
      committing = true;
      return result;
    } catch (error) {
      await new Promise((resolve) => setImmediate(resolve));
      if (over) return new Promise<never>(() => {});
      throw error;
    }
  });
  try {
    return (await whole) as T;
  } catch (error) {
    over = true;
    throw named(error, committing);
  }
}

function named(error: unknown, committing: boolean): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof PostgresError) return NOT_NOW.test(error.code) ? new LogUnavailable(error.message, { cause: error }) : error;
  if (committing) return new CommitUnknown(error.message, { cause: error });
  return isLinkError(error) ? new LogUnavailable(error.message, { cause: error }) : error;
}

/** Errors of sockets and those that postgres.js makes for a connection carry `errno`. */
const isLinkError = (error: Error): boolean => 'errno' in error;
