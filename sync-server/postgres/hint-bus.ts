import { type HintBus, LogUnavailable, type Logger } from '../core/ports.ts';
import type { Sql } from './connect.ts';
import { HINT_CHANNEL, decodeHint, encodeHint } from './hints.ts';

/** Payloads that wait for the statement before theirs. */
const WAITING_MOST = 10_000;
/** A statement that has no answer by then is waited for no longer: a network that swallows bytes must not hold up all hints. */
const SEND_MS = 5_000;

/**
 * Hints by LISTEN and NOTIFY. The listening connection is one of its own, opened again by itself; each time it listens (again) hints may
 * have been lost before, so that is a gap (L12). One statement is under way at a time, and what is published meanwhile goes with the next:
 * a commit that notifies waits for all others that do.
 */
export function makePostgresBus(sql: Sql, logger: Logger): HintBus {
  let next: { payloads: string[]; sent: Promise<void> } | null = null;
  let last = Promise.resolve();

  function openNext(): { payloads: string[]; sent: Promise<void> } {
    const payloads: string[] = [];
    const sent = last.then(async () => {
      next = null;
      await inTime(sql`select pg_notify(${HINT_CHANNEL}, payload) from unnest(${payloads}::text[]) as payload`);
    });
    last = sent.catch(() => {});
    return { payloads, sent };
  }

  return {
    async listen(onHint, onGap) {
      const listening = await sql.listen(
        HINT_CHANNEL,
        (payload) => {
          const hint = decodeHint(payload);
          if (hint) onHint(hint);
          else logger.warn({ bytes: payload.length }, 'a hint could not be read');
        },
        onGap,
      );
      return async () => {
        await listening.unlisten();
      };
    },
    async publish(hint) {
      next ??= openNext();
      if (next.payloads.length >= WAITING_MOST) throw new LogUnavailable('too many hints wait');
      next.payloads.push(...encodeHint(hint));
      await next.sent;
    },
  };
}

async function inTime(statement: PromiseLike<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LogUnavailable('hints were not taken in time')), SEND_MS);
  });
  try {
    await Promise.race([statement, late]);
  } finally {
    clearTimeout(timer);
  }
}
