import { type DBSchema, deleteDB, openDB } from 'idb';
import { z } from 'zod';
import { me, uuid } from '../../../shared/api.ts';
import type { Clock } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { databaseName } from './device-database.ts';

/** `leaving`: signed out here, and what follows from that is not done yet. */
const remembered = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('nobody') }),
  z.object({ kind: z.literal('here'), me }),
  z.object({ kind: z.literal('leaving'), account: uuid }),
]);
export type Remembered = z.infer<typeof remembered>;

/** Who is here: the app opens for them without a network, in every tab. */
export interface AccountMemory {
  /** Never rejects: where nothing can be read, nobody was here. */
  read: () => Promise<Remembered>;
  /** Resolves when it is durable, or cannot be; then the other tabs know it too. That somebody leaves they know at once. */
  write: (value: Remembered) => Promise<void>;
  /** Takes away all that this device keeps of an account, as its tabs let go of it. False: one of them still holds something, or the browser does not say. */
  forget: (account: Uuid) => Promise<boolean>;
  /** What another tab has written. */
  subscribe: (listener: (value: Remembered) => void) => () => void;
}

interface Schema extends DBSchema {
  account: { key: 'now'; value: unknown };
}

interface Deps {
  makeChannel: (name: string) => BroadcastChannel;
  clock: Clock;
}

const NAME = 'homing';
const NOBODY: Remembered = { kind: 'nobody' };
/** A database that does not answer keeps nobody waiting longer. */
const STUCK_MS = 2_000;
/** A tab that lets go may finish opening a copy that it had begun to open. */
const ROUNDS = 5;
const ROUND_MS = 100;

const open = () =>
  openDB<Schema>(NAME, 1, {
    upgrade(db, _before, _now, transaction) {
      transaction.done.catch(() => {});
      db.createObjectStore('account');
    },
  });

async function readNow(): Promise<Remembered> {
  const db = await open();
  try {
    return remembered.safeParse(await db.get('account', 'now')).data ?? NOBODY;
  } finally {
    db.close();
  }
}

/** Strict: a browser that is killed in the next moment knows it when it starts again. */
async function writeNow(value: Remembered): Promise<void> {
  const db = await open();
  try {
    const transaction = db.transaction('account', 'readwrite', { durability: 'strict' });
    await Promise.all([transaction.store.put(value, 'now'), transaction.done]);
  } finally {
    db.close();
  }
}

async function ownDatabases(account: Uuid): Promise<readonly string[]> {
  // A browser that keeps nothing may have no IndexedDB at all.
  const found = await Promise.resolve()
    .then(() => indexedDB.databases())
    .catch(() => []);
  return found.map(({ name }) => name ?? '').filter((name) => name === databaseName(account) || name.startsWith(`${account}/`));
}

/** In a database of its own, without the account in its name. */
export function makeAccountMemory({ makeChannel, clock }: Deps): AccountMemory {
  const channel = makeChannel(NAME);
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  /** Null: no answer. A browser that is asked while it clears what the site keeps never gives one, and does when it is asked anew. */
  const found = (account: Uuid, isLate: Promise<void>): Promise<readonly string[] | null> =>
    Promise.race([ownDatabases(account), isLate.then(() => null)]);

  return {
    read: () => Promise.race([readNow().catch(() => NOBODY), pause(STUCK_MS).then(() => NOBODY)]),
    async write(value) {
      const isLeaving = value.kind === 'leaving';
      if (isLeaving) channel.postMessage(value);
      await Promise.race([writeNow(value).catch(() => {}), pause(STUCK_MS)]);
      if (!isLeaving) channel.postMessage(value);
    },
    async forget(account) {
      for (let round = 0; round < ROUNDS; round++) {
        const isLate = pause(STUCK_MS);
        const names = await found(account, isLate);
        if (names?.length === 0 && round > 0) return true;
        // What was written, and waits to be sent, is in the one whose name needs no answer.
        await Promise.race([Promise.all((names ?? [databaseName(account)]).map((name) => deleteDB(name).catch(() => {}))), isLate]);
        await pause(ROUND_MS);
      }
      return (await found(account, pause(STUCK_MS)))?.length === 0;
    },
    subscribe(listener) {
      function hear({ data }: MessageEvent<unknown>): void {
        const heard = remembered.safeParse(data).data;
        if (heard) listener(heard);
      }
      channel.addEventListener('message', hear);
      return () => channel.removeEventListener('message', hear);
    },
  };
}
