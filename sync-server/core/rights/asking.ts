import type { Clock } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { LIMITS } from '../../../shared/limits.ts';
import type { Relations } from './relations.ts';

const DAY_MS = 24 * 3_600_000;

/**
 * Runs `task`, which brings these others into a conversation, where this person may ask those among them who do not know them (G3); null
 * where not. One person's tasks run one after the other on a node: many at once would all count too few.
 */
export type Ask = <T>(userId: Uuid, others: readonly Uuid[], task: () => Promise<T>) => Promise<T | null>;

export function makeAsking({ relations, clock }: { relations: Relations; clock: Clock }): Ask {
  const lines = new Map<Uuid, Promise<unknown>>();

  async function mayAsk(userId: Uuid, others: readonly Uuid[]): Promise<boolean> {
    const knowing = await relations.knowing(userId, others);
    const strangers = others.filter((other) => !knowing.has(other));
    if (strangers.length === 0) return true;
    const requests = await relations.asked(userId, clock.now() - DAY_MS);
    for (const stranger of strangers) {
      const theirs = requests.filter((request) => request.userId === stranger);
      if (theirs.length >= LIMITS.requestsToOne || theirs.some(({ left }) => left)) return false;
    }
    return new Set([...requests.map((request) => request.userId), ...strangers]).size <= LIMITS.requestsPerDay;
  }

  return async (userId, others, task) => {
    const before = lines.get(userId);
    const turn = (async () => {
      await before?.catch(() => {});
      return (await mayAsk(userId, others)) ? task() : null;
    })();
    lines.set(userId, turn);
    try {
      return await turn;
    } finally {
      if (lines.get(userId) === turn) lines.delete(userId);
    }
  };
}
