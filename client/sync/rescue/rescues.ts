import { z } from 'zod';
import type { DeviceDatabase } from '../storage/device-database.ts';
import { type OwnEntry, readOwnValue } from './own-entries.ts';

/**
 * Own entries of copies that the server refused, by document, until it is known which of them it lacks. The device holds them as well:
 * a tab may end in between.
 */
export interface Rescues {
  /** What the device held has been read. Never rejects. */
  ready: Promise<void>;
  keep: (documentId: string, entries: readonly OwnEntry[]) => void;
  of: (documentId: string) => readonly OwnEntry[];
  documents: () => Iterable<string>;
  /** Takes them out of this tab; the device forgets them when `done`. */
  take: (documentId: string) => readonly OwnEntry[];
  done: (documentId: string) => void;
}

const PREFIX = 'rescue:';
const NONE: readonly OwnEntry[] = [];
const kept = z.array(
  z
    .object({ messageId: z.string(), value: z.unknown(), client: z.number(), clock: z.number() })
    .transform(({ messageId, value, ...struct }) => ({ ...struct, messageId, value: readOwnValue(messageId, value) }))
    .refine((entry): entry is OwnEntry => entry.value !== null),
);

/** Reads what a tab before left behind. */
export function openRescues(database: Pick<DeviceDatabase, 'readAll' | 'write'>): Rescues {
  const held = new Map<string, readonly OwnEntry[]>();

  function keep(documentId: string, entries: readonly OwnEntry[]): void {
    const newer = new Set(entries.map(({ messageId }) => messageId));
    const all = [...(held.get(documentId) ?? NONE).filter(({ messageId }) => !newer.has(messageId)), ...entries];
    if (all.length > 0) held.set(documentId, all);
  }

  async function load(): Promise<void> {
    for (const [documentId, stored] of await database.readAll(PREFIX).catch(() => [])) {
      const found = kept.safeParse(stored).data;
      if (found) keep(documentId, found);
    }
  }

  return {
    ready: load(),
    of: (documentId) => held.get(documentId) ?? NONE,
    documents: () => held.keys(),
    keep(documentId, entries) {
      if (entries.length === 0) return;
      keep(documentId, entries);
      database.write(PREFIX + documentId, held.get(documentId)).catch(() => {});
    },
    take(documentId) {
      const entries = held.get(documentId) ?? NONE;
      held.delete(documentId);
      return entries;
    },
    done: (documentId) => void database.write(PREFIX + documentId, null).catch(() => {}),
  };
}

/** Where nothing is kept: what a tab knows is gone with it. */
export const makeMemoryRescues = (): Rescues => openRescues({ readAll: async () => new Map(), write: async () => {} });
