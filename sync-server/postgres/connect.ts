import postgres from 'postgres';

export type Sql = postgres.Sql;
/** What both the pool and a transaction can do. */
export type Queries = postgres.ISql;
export type Transaction = postgres.TransactionSql;

export interface ConnectOptions {
  /** Connections in the pool. */
  max?: number;
  /** Takes a server that may forget what it has confirmed. For clusters that are thrown away. */
  allowUnsafe?: boolean;
}

/** Reads an int8 as a number; one that a number cannot hold is an error, never another number. */
export function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is beyond the safe integers`);
  return value;
}

/**
 * Opens the pool of connections to a Postgres. Throws one readable sentence, and leaves nothing open, when the server cannot be reached
 * or may lose what it has confirmed: "sent" means committed to disk.
 */
export async function connect(url: string, { max = 10, allowUnsafe = false }: ConnectOptions = {}): Promise<Sql> {
  const sql = postgres(url, {
    max,
    connect_timeout: 10,
    backoff: (retries) => Math.min(0.05 * 2 ** retries, 1) * (0.5 + Math.random() / 2),
    connection: {
      application_name: 'homing',
      statement_timeout: 30_000,
      lock_timeout: 10_000,
      // Shorter than the wait for a lock: whoever stopped in a transaction holds up nobody (F19).
      idle_in_transaction_session_timeout: 5_000,
    },
    types: { int8: { to: 20, from: [20], serialize: String, parse: parseInt8 } },
    onnotice() {},
  }) as unknown as Sql;
  try {
    if (!allowUnsafe) await refuseUnsafe(sql);
    else await sql`select 1`;
    return sql;
  } catch (error) {
    await sql.end({ timeout: 0 });
    throw error;
  }
}

async function refuseUnsafe(sql: Sql): Promise<void> {
  const rows = await sql<{ name: string }[]>`
    select name from pg_settings where name in ('fsync', 'synchronous_commit') and setting = 'off'`;
  if (rows.length === 0) return;
  const names = rows.map(({ name }) => name).join(' and ');
  throw new Error(
    `This Postgres has ${names} off: it may lose messages that were shown as sent. Turn it on (for this server, database and role) and start again.`,
  );
}
