import { z } from 'zod';
import { type Conversation, conversation } from '../../shared/api.ts';
import type { Uuid } from '../../shared/ids.ts';
import type { InboxChanges } from '../../shared/inbox.ts';
import type { DeviceDatabase } from './storage/device-database.ts';

/** The person's conversations as the server last told them, kept on the device for a start without a network. */
export interface Inbox {
  /** What the device held has been read. Never rejects. */
  ready: Promise<void>;
  /** False until the server, or the device, has told. */
  isLoaded: () => boolean;
  conversations: () => ReadonlyMap<Uuid, Conversation>;
  /** Where the server's telling has come to; null: from the beginning. */
  cursor: () => string | null;
  take: (changes: InboxChanges) => void;
  /** The answer to an opening; whatever the server has told since is newer. */
  opened: (conversation: Conversation) => void;
  /** A conversation that the server does not know yet. */
  add: (conversation: Conversation) => void;
  /** The device may have lost it: it is written again. */
  keepAgain: () => void;
  subscribe: (listener: () => void) => () => void;
}

const NAME = 'inbox';
const kept = z.object({ cursor: z.string().nullable(), conversations: z.array(conversation) });

/** An answer over HTTP may come after the socket has told what happened since. */
const isOlder = (row: Conversation, known: Conversation | undefined): boolean =>
  known !== undefined && ((row.lastMessage?.seq ?? 0) < (known.lastMessage?.seq ?? 0) || row.lastReadSeq < known.lastReadSeq);

/** Reads what the device holds, then keeps what comes: rows and cursor in one value, so that neither is ahead of the other. */
export function openInbox(database: Pick<DeviceDatabase, 'read' | 'write'>): Inbox {
  const rows = new Map<Uuid, Conversation>();
  /** Rows that only this device knows of. */
  const added = new Set<Uuid>();
  const listeners = new Set<() => void>();
  let cursor: string | null = null;
  let isLoaded = false;
  let saving: Promise<void> | null = null;
  let isDirty = false;

  /** One write at a time, of the newest. A list that cannot be kept is told again. */
  function save(): void {
    isDirty = true;
    saving ??= (async () => {
      while (isDirty) {
        isDirty = false;
        await database.write(NAME, { cursor, conversations: [...rows.values()] }).catch(() => {});
      }
      saving = null;
    })();
  }

  async function load(): Promise<void> {
    const stored = kept.safeParse(await database.read(NAME).catch(() => null)).data;
    if (!stored) return;
    for (const row of stored.conversations) if (!rows.has(row.id) || added.has(row.id)) rows.set(row.id, row);
    cursor = stored.cursor;
    isLoaded = true;
    notify();
  }

  function notify(): void {
    for (const listener of listeners) listener();
  }

  function changed(): void {
    save();
    notify();
  }

  function take(changes: InboxChanges): void {
    const isNews = !isLoaded || changes.changed.length > 0 || changes.gone.length > 0;
    isLoaded = true;
    for (const { id } of changes.changed) added.delete(id);
    for (const row of changes.changed) if (!isOlder(row, rows.get(row.id))) rows.set(row.id, row);
    for (const id of changes.gone) rows.delete(id);
    if (changes.cursor !== null && changes.cursor !== cursor) {
      cursor = changes.cursor;
      save();
    }
    if (isNews) changed();
  }

  return {
    ready: load(),
    isLoaded: () => isLoaded,
    conversations: () => rows,
    cursor: () => cursor,
    take,
    opened(row) {
      if (!rows.has(row.id) || added.has(row.id)) take({ changed: [row], gone: [], cursor: null });
    },
    add(row) {
      if (rows.has(row.id)) return;
      rows.set(row.id, row);
      added.add(row.id);
      changed();
    },
    keepAgain: () => void ((isLoaded || rows.size > 0) && save()),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
