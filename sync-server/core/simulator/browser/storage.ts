import * as Y from 'yjs';
import type { Clock } from '../../../../shared/clock.ts';
import { pick } from '../../../../client/sync/outbox/outbox-store.ts';
import type { DeviceDatabase, DeviceLoss } from '../../../../client/sync/storage/device-database.ts';
import type { CacheEvents, CachedDocument, DropNews, ReplicaCache } from '../../../../client/sync/storage/replica-cache.ts';
import { type Disk, put } from './disk.ts';
import type { Keep } from './keep.ts';
import type { Place } from './place.ts';

const GENERATION = 'generation:';
const STUCK_MS = 4_000;
/** What a copy on the device adds to a document comes from here. */
const FROM_DISK = Symbol('from disk');

/** The client's storage over a simulated disk, in the place of IndexedDB and with its promises. */
export function makeStorage(disk: Disk): Keep {
  return {
    get health() {
      return disk.health;
    },
    set health(health) {
      disk.health = health;
    },
    openStorage(place, clock) {
      const database = makeDatabase(disk, place);
      return { database, openCache: (news) => makeCache(disk, place, clock, database, news) };
    },
    isOnDisk: (id) => disk.outbox.has(id),
    ended: () => {},
    crash: disk.crash,
    wipe: disk.wipe,
  };
}

function makeDatabase(disk: Disk, place: Place): DeviceDatabase {
  const listeners = new Set<(loss: DeviceLoss) => void>();
  const read = <T>(answer: () => T): Promise<T> => disk.transact(place, false, () => ({ answer: answer(), write: null }));
  return {
    outbox: {
      load: () => read(() => [...disk.outbox.values()]),
      change: (ids, decide) =>
        disk.transact(place, true, () => {
          const changes = decide(pick(ids, (id) => disk.outbox.get(id)));
          const answer = new Map(ids.map((id) => [id, changes.has(id) ? changes.get(id)! : (disk.outbox.get(id) ?? null)]));
          function write(): () => void {
            const undo = [...changes].map(([id, entry]) => put(disk.outbox, id, entry));
            return () => undo.forEach((one) => one());
          }
          return { answer, write: changes.size > 0 ? write : null };
        }),
    },
    read: (name) => read(() => disk.values.get(name)),
    readAll: (prefix) =>
      read(
        () =>
          new Map([...disk.values].filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), value])),
      ),
    async write(name, value) {
      const stored = structuredClone(value);
      try {
        await disk.transact(place, false, () => ({ answer: undefined, write: () => put(disk.values, name, stored) }));
      } catch (error) {
        for (const listener of listeners) listener('failed');
        throw error;
      }
    },
    onLoss(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => listeners.clear(),
  };
}

function makeCache(disk: Disk, place: Place, clock: Clock, database: DeviceDatabase, news: DropNews): ReplicaCache {
  const generations = new Map<string, number>();
  const attached = new Map<string, Set<{ generation: number; dropped: () => void; keepAgain: () => void }>>();
  const listeners = new Set<() => void>();
  let failing = false;

  function fail(): void {
    if (failing) return;
    failing = true;
    for (const listener of listeners) listener();
  }
  function learn(documentId: string, generation: number): void {
    if (generation <= (generations.get(documentId) ?? 0)) return;
    generations.set(documentId, generation);
    for (const user of attached.get(documentId) ?? []) if (user.generation < generation) user.dropped();
  }
  const learnAll = (): Promise<void> =>
    database.readAll(GENERATION).then((found) => found.forEach((generation, id) => learn(id, Number(generation))), fail);
  let known = learnAll();
  const unlisten = news.listen(learn);

  function attach(documentId: string, doc: Y.Doc, on: CacheEvents): CachedDocument {
    let unwritten: Uint8Array[] = [];
    let isWriting = false;
    let ended = false;
    let hasFailed = false;
    let loaded = false;
    const user = { generation: Number.MAX_SAFE_INTEGER, dropped: on.dropped, keepAgain };
    const users = attached.get(documentId) ?? new Set();
    attached.set(documentId, users.add(user));

    const isOver = (): boolean => ended || hasFailed;
    const name = (): string => `${documentId}/${user.generation}`;
    function load(): void {
      if (ended || loaded) return;
      loaded = true;
      on.loaded();
    }
    function giveUp(): void {
      if (isOver()) return;
      hasFailed = true;
      doc.off('update', store);
      fail();
      load();
      on.stored();
    }
    const append = (update: Uint8Array) => (): (() => void) => put(disk.copies, name(), [...(disk.copies.get(name()) ?? []), update]);
    function store(update: Uint8Array, origin: unknown): void {
      if (origin === FROM_DISK) return;
      unwritten.push(update);
      if (!isWriting) writeAll().catch(giveUp);
    }
    async function writeAll(): Promise<void> {
      isWriting = true;
      while (unwritten.length > 0 && !isOver()) {
        const update = Y.mergeUpdates(unwritten.splice(0));
        await disk.transact(place, false, () => ({ answer: undefined, write: append(update) }));
      }
      isWriting = false;
      if (!ended) on.stored();
    }
    async function begin(): Promise<void> {
      await known;
      if (isOver()) return;
      if (failing) throw new Error('the device keeps nothing now');
      user.generation = generations.get(documentId) ?? 0;
      const found = await disk.transact(place, false, () => ({
        answer: disk.copies.get(name()) ?? [],
        write: append(Y.encodeStateAsUpdate(doc)),
      }));
      if (isOver()) return;
      doc.on('update', store);
      doc.transact(() => found.forEach((update) => Y.applyUpdate(doc, update, FROM_DISK)), FROM_DISK);
      load();
    }
    function keepAgain(): void {
      if (ended || !hasFailed) return;
      hasFailed = false;
      begin().catch(giveUp);
    }
    begin().catch(giveUp);
    const cancelStuck = clock.after(STUCK_MS, () => {
      if (!loaded) giveUp();
    });
    function close(): void {
      ended = true;
      cancelStuck();
      users.delete(user);
      doc.off('update', store);
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
  }

  return {
    attach,
    isFailing: () => failing,
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
