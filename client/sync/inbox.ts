import { equalityDeep } from 'lib0/function';
import { z } from 'zod';
import { type Conversation, conversation } from '../../shared/api.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Uuid } from '../../shared/ids.ts';
import type { InboxChanges } from '../../shared/inbox.ts';
import { inTime } from './outbox/in-time.ts';
import type { DeviceDatabase } from './storage/device-database.ts';

/** The person's conversations as the server last told them, kept on the device for a start without a network. */
export interface Inbox {
  /** What the device held has been read, or is not waited for any longer. Never rejects. */
  ready: Promise<void>;
  /** False until the server, or the device, has told. */
  isLoaded: () => boolean;
  conversations: () => ReadonlyMap<Uuid, Conversation>;
  /** Where the server's telling has come to; null: nowhere yet. */
  cursor: () => string | null;
  /** Where it is to go on; null: at the beginning, and what it does not tell then goes. */
  resume: () => string | null;
  take: (changes: InboxChanges) => void;
  /** The whole list, over HTTP. `before`: the rows when it was asked for; of those that the server has told of since it may be older. */
  takeAll: (before: ReadonlyMap<Uuid, Conversation>, all: readonly Conversation[]) => void;
  /**
   * The answer to what this device asked for about a row: the row now, or null where it left the list. `before`: the row when that was asked;
   * once the server has told another, the answer may be older and is left.
   */
  answered: (before: Conversation, now: Conversation | null) => void;
  /** A conversation that the server does not know yet. */
  add: (conversation: Conversation) => void;
  /** The device may have lost it: it is written again. */
  keepAgain: () => void;
  /** The server went back to a backup: the whole list comes, and what is not in it goes when that is over. */
  restart: () => void;
  /** What went so, until it was looked at. */
  vanished: () => readonly Uuid[];
  looked: (id: Uuid) => void;
  subscribe: (listener: () => void) => () => void;
}

const NAME = 'inbox';
const kept = z.object({
  cursor: z.string().nullable(),
  conversations: z.array(conversation),
  /** Not told since the restart. */
  stale: z.array(z.string()).optional(),
});

/** Reads what the device holds, then keeps what comes: rows and cursor in one value, so that neither is ahead of the other. */
export function openInbox(
  database: Pick<DeviceDatabase, 'read' | 'write'>,
  clock: Clock,
  /** It is only here: the server is still to hear of it. */
  isUnopened: (id: Uuid) => boolean = () => false,
): Inbox {
  const rows = new Map<Uuid, Conversation>();
  /** Rows that only this device knows of. */
  const added = new Set<Uuid>();
  const stale = new Set<Uuid>();
  let vanished: readonly Uuid[] = [];
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
        await database.write(NAME, { cursor, conversations: [...rows.values()], stale: [...stale] }).catch(() => {});
      }
      saving = null;
    })();
  }

  async function load(): Promise<void> {
    // What came later would bring back what has left the list: from `ready` on the server tells it from its beginning.
    const stored = kept.safeParse(await inTime(clock, database.read(NAME)).catch(() => null)).data;
    if (!stored) return;
    for (const row of stored.conversations) if (!rows.has(row.id) || added.has(row.id)) rows.set(row.id, row);
    for (const id of stored.stale ?? []) stale.add(id);
    cursor = stored.cursor;
    isLoaded = true;
    notify();
  }

  /** The whole list has come. */
  function dropStale(): void {
    const gone = [...stale].filter((id) => !isUnopened(id));
    stale.clear();
    vanished = [...vanished, ...gone];
    for (const id of gone) rows.delete(id);
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
    for (const { id } of changes.changed) {
      added.delete(id);
      // What it was before the server went back is no measure of what it is.
      if (stale.delete(id)) rows.delete(id);
    }
    for (const row of changes.changed) rows.set(row.id, row);
    for (const id of changes.gone) rows.delete(id);
    const isWhole = changes.cursor !== null && stale.size > 0;
    if (isWhole) dropStale();
    if (changes.cursor !== null && changes.cursor !== cursor) {
      cursor = changes.cursor;
      save();
    }
    if (isNews || isWhole) changed();
  }

  return {
    ready: load(),
    isLoaded: () => isLoaded,
    conversations: () => rows,
    cursor: () => cursor,
    resume() {
      if (cursor === null) for (const id of rows.keys()) stale.add(id);
      return cursor;
    },
    take,
    takeAll(before, all) {
      const isAsBefore = (id: Uuid): boolean => rows.get(id) === before.get(id);
      const listed = new Set(all.map(({ id }) => id));
      const gone = [...before.keys()].filter((id) => !listed.has(id) && isAsBefore(id) && !isUnopened(id));
      take({ changed: all.filter(({ id }) => isAsBefore(id)), gone, cursor: null });
    },
    answered(before, now) {
      if (!equalityDeep(rows.get(before.id), before)) return;
      take({ changed: now ? [now] : [], gone: now ? [] : [before.id], cursor: null });
    },
    restart() {
      cursor = null;
      for (const id of rows.keys()) stale.add(id);
      save();
    },
    vanished: () => vanished,
    looked: (id) => void (vanished = vanished.filter((other) => other !== id)),
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
