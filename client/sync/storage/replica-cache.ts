import * as idb from 'lib0/indexeddb';
import { IndexeddbPersistence, PREFERRED_TRIM_SIZE, storeState } from 'y-indexeddb';
import * as Y from 'yjs';
import type { Clock } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import type { DeviceDatabase } from './device-database.ts';

/** What a cache tells its replica. */
export interface CacheEvents {
  /** What the device held is in the document, or cannot be had. Called once. */
  loaded: () => void;
  /** All that the document holds is stored. */
  stored: () => void;
  /** Another tab has dropped this document's copy. */
  dropped: () => void;
}

export interface CachedDocument {
  /** The device holds everything of the document, or will never do so (`failed`). */
  isStored: () => boolean;
  close: () => void;
  /** Leaves this copy for good: the next one of this document begins empty, in every tab. */
  drop: () => void;
}

/** The device's copies of documents: a cache that never stands in the way. */
export interface ReplicaCache {
  attach: (documentId: string, doc: Y.Doc, on: CacheEvents) => CachedDocument;
  /** A copy could not be kept: it is in memory only. */
  isFailing: () => boolean;
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

/** Whether a database can be opened at all: y-indexeddb's own opening fails where nobody can hear it. */
async function isUsable(name: string): Promise<void> {
  (await idb.openDB(name, (db) => idb.createStores(db, [['updates', { autoIncrement: true }], ['custom']]))).close();
}

/** Adds an update as a transaction of its own; resolves when that is complete. */
function addUpdate(db: IDBDatabase, update: Uint8Array): Promise<void> {
  const [updates] = idb.transact(db, ['updates']);
  const { transaction } = updates!;
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException('aborted', 'AbortError'));
    updates!.add(update);
  });
}

/** Copies in y-indexeddb. Dropping one is the next generation: no database that a tab may hold is ever cleared. */
export function openReplicaCache({ account, database, news, clock }: Deps): ReplicaCache {
  const generations = new Map<string, number>();
  const attached = new Map<string, Set<{ generation: number; dropped: () => void }>>();
  const listeners = new Set<() => void>();
  let failing = false;
  const known = database
    .readAll(GENERATION)
    .then((found) => found.forEach((generation, documentId) => learn(documentId, Number(generation))), fail);

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
      let unwritten: Uint8Array[] = [];
      let isWriting = false;
      let ended = false;
      let hasFailed = false;
      let loaded = false;
      let cancelTrim = (): void => {};
      const user = { generation: Number.MAX_SAFE_INTEGER, dropped: on.dropped };
      const users = attached.get(documentId) ?? new Set();
      attached.set(documentId, users.add(user));

      function load(): void {
        if (ended || loaded) return;
        loaded = true;
        on.loaded();
      }

      function giveUp(): void {
        if (ended || hasFailed) return;
        hasFailed = true;
        release();
        fail();
        load();
        on.stored();
      }

      function release(): void {
        cancelTrim();
        doc.off('update', store);
        persistence?.destroy().catch(() => {});
        persistence = null;
      }

      // In the place of y-indexeddb's own listener, which throws at whoever changes the document, and whose writes fail unheard.
      function store(update: Uint8Array, origin: unknown): void {
        if (!persistence?.db || origin === persistence) return;
        unwritten.push(update);
        if (!isWriting) writeAll(persistence).catch(giveUp);
      }

      /** One write at a time, of all that has come meanwhile: whichever of them fails, what the device holds has no hole. */
      async function writeAll(to: IndexeddbPersistence): Promise<void> {
        isWriting = true;
        while (unwritten.length > 0 && persistence && to.db) {
          const updates = unwritten.splice(0);
          await addUpdate(to.db, Y.mergeUpdates(updates));
          if (++to._dbsize < PREFERRED_TRIM_SIZE) continue;
          cancelTrim();
          cancelTrim = clock.after(TRIM_AFTER_MS, () => persistence && void storeState(persistence, false).catch(giveUp));
        }
        isWriting = false;
        if (!ended) on.stored();
      }

      async function begin(): Promise<void> {
        await known;
        user.generation = generations.get(documentId) ?? 0;
        const name = replicaDatabaseName(account, documentId, user.generation);
        await isUsable(name);
        if (ended || hasFailed) return;
        deleteBefore(documentId, user.generation);
        persistence = new IndexeddbPersistence(name, doc);
        doc.off('update', persistence._storeUpdate);
        doc.on('update', store);
        persistence.on('synced', load);
      }
      begin().catch(giveUp);
      const cancelStuck = clock.after(STUCK_MS, () => {
        if (!loaded) giveUp();
      });

      function close(): void {
        ended = true;
        cancelStuck();
        users.delete(user);
        release();
      }

      return {
        close,
        isStored: () => hasFailed || (loaded && !isWriting),
        drop() {
          close();
          const generation = (generations.get(documentId) ?? 0) + 1;
          database.write(GENERATION + documentId, generation).catch(fail);
          learn(documentId, generation);
          news.tell(documentId, generation);
        },
      };
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
