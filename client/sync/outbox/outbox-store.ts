import type { Changes, Decide, Entry } from './entry.ts';

/** Where the outbox is kept. A change is one transaction: it reads, decides and writes at one moment, and answers when that is durable. */
export interface OutboxStore {
  load: () => Promise<Entry[]>;
  /** What stands under each of the ids afterwards. Rejects when nothing was written. */
  change: (ids: readonly string[], decide: Decide) => Promise<Changes>;
}

/** The entries among `ids`, by id. */
export function pick(ids: readonly string[], get: (id: string) => Entry | undefined): Map<string, Entry> {
  return new Map(
    ids.flatMap((id) => {
      const entry = get(id);
      return entry ? [[id, entry] as const] : [];
    }),
  );
}

/** An outbox store in memory, for where a device keeps nothing. */
export function makeMemoryOutboxStore(held = new Map<string, Entry>()): OutboxStore {
  return {
    load: async () => [...held.values()],
    async change(ids, decide) {
      for (const [id, entry] of decide(pick(ids, (key) => held.get(key)))) {
        if (entry) held.set(id, entry);
        else held.delete(id);
      }
      return new Map(ids.map((id) => [id, held.get(id) ?? null]));
    },
  };
}
