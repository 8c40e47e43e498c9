import type { HintBus, Logger } from '../core/ports.ts';
import type { Sql } from './connect.ts';
import { HINT_CHANNEL, decodeHint, encodeHint } from './hints.ts';

/**
 * Hints by LISTEN and NOTIFY. The listening connection is one of its own, opened again by itself; each time it listens (again) hints may
 * have been lost before, so that is a gap (L12).
 */
export function makePostgresBus(sql: Sql, logger: Logger): HintBus {
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
      await sql`select pg_notify(${HINT_CHANNEL}, payload) from unnest(${encodeHint(hint)}::text[]) as payload`;
    },
  };
}
