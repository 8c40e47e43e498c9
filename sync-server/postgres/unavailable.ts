import { LogUnavailable } from '../core/ports.ts';
import { named } from './transaction.ts';

type Call = (...args: unknown[]) => Promise<unknown>;

/** How long a call waits for the database, and how many of one port do so at once. */
export interface Bounds {
  waitMs: number;
  most: number;
}
/** Everybody coming back at once, after a restart, asks for some thousands within a moment: a healthy database answers that in a second. */
const BOUNDS: Bounds = { waitMs: 10_000, most: 8_192 };

/**
 * The same port, whose calls throw `LogUnavailable` while the database is away, starting, or so slow that too much waits for it: trying
 * again later may help. What was given up may be carried out later, as with an answer that was lost.
 */
export function tellUnavailable<Port extends object>(port: Port, { waitMs, most }: Bounds = BOUNDS): Port {
  let waiting = 0;

  async function inTime(call: Call, args: unknown[]): Promise<unknown> {
    if (waiting >= most) throw new LogUnavailable('too much waits for Postgres');
    waiting++;
    const answer = call(...args).finally(() => waiting--);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new LogUnavailable('no answer of Postgres in time')), waitMs);
    });
    try {
      return await Promise.race([answer, late]);
    } catch (error) {
      throw named(error, false);
    } finally {
      clearTimeout(timer);
    }
  }

  const calls = Object.entries(port) as [string, Call][];
  return Object.fromEntries(calls.map(([name, call]) => [name, (...args: unknown[]) => inTime(call, args)])) as unknown as Port;
}
