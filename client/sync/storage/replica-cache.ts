import * as idb from 'lib0/indexeddb';
import { IndexeddbPersistence, PREFERRED_TRIM_SIZE, storeState } from 'y-indexeddb';
import * as Y from 'yjs';
import type { Clock } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { inTime } from '../outbox/in-time.ts';
import { addUpdate, isUsable } from './copy-database.ts';
import type { DeviceDatabase } from './device-database.ts';

/** What a cache tells its replica. */
export interface CacheEvents {
  /** What the device held is in the document, or cannot be had now; called again when it came late after all. */
  loaded: () => void;
  /** All that the document holds is stored. */
  stored: () => void;
  /** Another tab has dropped this document's copy. */
  dropped: () => void;
}

export interface CachedDocument {
  /** The device holds everything of the document, or cannot: then the document is in memory, and `isFailing` says so. */
  isStored: () => boolean;
  close: () => void;
  /** Leaves this copy for good: the next one of this document begins empty, in every tab. */
  drop: () => void;
}

/** The device's copies of documents: a cache that never stands in the way. */
export interface ReplicaCache {
  attach: (documentId: string, doc: Y.Doc, on: CacheEvents) => CachedDocument;
  /** A copy could not be kept: it is in memory only, and so is what is attached from now on. */
  isFailing: () => boolean;
  /** The device keeps again: what is in memory only is stored. */
  keepAgain: () => void;
  subscribe: (listener: () => void) => () => void;
  close: () => void;
}

/** For where nothing is kept. */
export const NO_CACHE: ReplicaCache = {
  attach(_documentId, _doc, on) {
    on.loaded();
    return { isStored: () => true, close: () => {}, drop: () => {} };
  },
  isFailing: () => false,
  keepAgain: () => {},
  subscribe: () => () => {},
  close: () => {},
};

/** Tells the other tabs which document's copy was dropped, and hears it from them. */
export interface DropNews {
  tell: (documentId: string, generation: number) => void;
  listen: (listener: (documentId: string, generation: number) => void) => () => void;
}

interface Deps {
  account: Uuid;
  database: DeviceDatabase;
  news: DropNews;
  clock: Clock;
}

/** Reading a copy may take this long; then the network alone fills the document. */
const STUCK_MS = 4_000;
const TRIM_AFTER_MS = 1_000;
const GENERATION = 'generation:';

/** `<account>/<document>/<generation>` */
export const replicaDatabaseName = (account: Uuid, documentId: string, generation: number): string =>
  `${account}/${documentId}/${generation}`;

/** Copies in y-indexeddb. Dropping one is the next generation: no database that a tab may hold is ever cleared. */
export function openReplicaCache({ account, database, news, clock }: Deps): ReplicaCache {
  const generations = new Map<string, number>();
  const attached = new Map<string, Set<{ generation: number; dropped: () => void; keepAgain: () => void }>>();
  const listeners = new Set<() => void>();
  let failing = false;
  let known = learnAll();

  /** Which copies were dropped; what the device does not know of that, it is told. */
  async function learnAll(): Promise<void> {
    const found = await inTime(clock, database.readAll(GENERATION)).catch(() => null);
    if (!found) return fail();
    for (const [documentId, generation] of generations) if (generation > Number(found.get(documentId) ?? 0)) write(documentId, generation);
    found.forEach((generation, documentId) => learn(documentId, Number(generation)));
  }

  function write(documentId: string, generation: number): void {
    database.write(GENERATION + documentId, generation).catch(fail);
  }

  function fail(): void {
    if (failing) return;
    failing = true;
    listeners.forEach((listener) => listener());
  }

  function learn(documentId: string, generation: number): void {
    if (generation <= (generations.get(documentId) ?? 0)) return;
    generations.set(documentId, generation);
    for (const user of attached.get(documentId) ?? []) if (user.generation < generation) user.dropped();
  }

  /** Nothing opens an older generation again; while a tab still holds it, the browser waits with the deletion. */
  function deleteBefore(documentId: string, generation: number): void {
    if (generation > 0) idb.deleteDB(replicaDatabaseName(account, documentId, generation - 1)).catch(() => {});
  }

  const unlisten = news.listen(learn);

  return {
    isFailing: () => failing,
    attach(documentId, doc, on) {
      let persistence: IndexeddbPersistence | null = null;
      let state: 'opening' | 'open' | 'failed' = 'opening';
      let unwritten: Uint8Array[] = [];
      let isWriting = false;
      let ended = false;
      let isRead = false;
      let hasFailed = false;
      let cancelStuck = (): void => {};
      let cancelTrim = (): void => {};
      const user = { generation: Number.MAX_SAFE_INTEGER, dropped: on.dropped, keepAgain };
      const users = attached.get(documentId) ?? new Set();
      attached.set(documentId, users.add(user));

      function giveUp(): void {
        if (ended || state === 'failed') return;
        const isNews = !isRead && !hasFailed;
        state = 'failed';
        hasFailed = true;
        release();
        fail();
        if (isNews) on.loaded();
        on.stored();
      }

      function release(): void {
        cancelStuck();
        cancelTrim();
        doc.off('update', store);
        persistence?.destroy().catch(() => {});
        persistence = null;
        unwritten = [];
        isWriting = false;
      }

      // In the place of y-indexeddb's own listener, which throws at whoever changes the document, and whose writes fail unheard.
      function store(update: Uint8Array, origin: unknown): void {
        const mine = persistence;
        if (!mine?.db || origin === mine) return;
        unwritten.push(update);
        if (!isWriting) writeAll(mine, mine.db).catch(() => void (persistence === mine && giveUp()));
      }

      /** One write at a time, of all that has come meanwhile: whichever of them fails, what the device holds has no hole. */
      async function writeAll(mine: IndexeddbPersistence, db: IDBDatabase): Promise<void> {
        isWriting = true;
        while (unwritten.length > 0) {
          const [updates] = idb.transact(db, ['updates']);
          await addUpdate(updates!, Y.mergeUpdates(unwritten.splice(0)));
          if (persistence !== mine) return;
          if (++mine._dbsize < PREFERRED_TRIM_SIZE) continue;
          cancelTrim();
          cancelTrim = clock.after(TRIM_AFTER_MS, () => persistence && void storeState(persistence, false).catch(giveUp));
        }
        isWriting = false;
        on.stored();
      }

      async function begin(): Promise<void> {
        state = 'opening';
        cancelStuck = clock.after(STUCK_MS, giveUp);
        await known;
        if (failing) throw new Error('the device keeps nothing now');
        user.generation = generations.get(documentId) ?? 0;
        const name = replicaDatabaseName(account, documentId, user.generation);
        await isUsable(name);
        if (ended || state !== 'opening' || persistence) return;
        deleteBefore(documentId, user.generation);
        const mine = new IndexeddbPersistence(name, doc);
        persistence = mine;
        doc.off('update', mine._storeUpdate);
        doc.on('update', store);
        mine.on('synced', () => {
          if (persistence !== mine) return;
          cancelStuck();
          state = 'open';
          mine.db!.addEventListener('close', () => void (persistence === mine && giveUp()));
          // y-indexeddb writes what came before it too, and does not say whether it could.
          if (hasFailed) store(Y.encodeStateAsUpdate(doc), null);
          if (!isRead) on.loaded();
          isRead = true;
        });
      }

      function keepAgain(): void {
        if (!ended && state === 'failed') begin().catch(giveUp);
      }

      function close(): void {
        ended = true;
        users.delete(user);
        release();
      }

      const isStored = (): boolean => state === 'failed' || (state === 'open' && !isWriting);

      if (failing) giveUp();
      else begin().catch(giveUp);

      return {
        close,
        isStored,
        drop() {
          close();
          const generation = (generations.get(documentId) ?? 0) + 1;
          write(documentId, generation);
          learn(documentId, generation);
          news.tell(documentId, generation);
        },
      };
    },
    keepAgain() {
      failing = false;
      known = learnAll();
      for (const users of attached.values()) for (const user of users) user.keepAgain();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      unlisten();
      listeners.clear();
    },
  };
}
