import type { Clock } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { RATES } from '../../../shared/limits.ts';
import type { Logger, Membership } from '../ports.ts';
import { makeBucket } from '../session/limiter.ts';

/** Stores how far one visitor has read before anybody sees it; one position at a time, the newest waits (P4). */
export interface Reader {
  want(seq: number): void;
}

export function makeReader(deps: {
  conversationId: Uuid;
  userId: Uuid;
  membership: Membership;
  clock: Clock;
  logger: Logger;
  /** Where the position stands now. */
  onStored(read: number): void;
}): Reader {
  const { conversationId, userId, membership, clock, logger } = deps;
  const bucket = makeBucket(RATES.reads);
  let wanted = 0;
  let storing = false;

  async function store(): Promise<void> {
    storing = true;
    try {
      for (let done = 0; done < wanted;) {
        const wait = bucket.take(clock.elapsed());
        if (wait > 0) await new Promise<void>((resolve) => void clock.after(wait, resolve));
        const asked = wanted;
        const stored = await membership.setRead(conversationId, userId, asked);
        if (stored === null) return;
        // What lies beyond the last message is not waited for.
        if (wanted === asked) wanted = stored;
        done = stored;
        deps.onStored(stored);
      }
    } catch (error) {
      wanted = 0;
      logger.warn({ conversationId, error: String(error) }, 'a read position was not stored');
    } finally {
      storing = false;
    }
  }

  return {
    want(seq) {
      wanted = Math.max(wanted, seq);
      if (!storing) void store();
    },
  };
}
