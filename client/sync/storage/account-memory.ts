import { deleteDB } from 'idb';
import { type Me, me } from '../../../shared/api.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { databaseName } from './device-database.ts';

/** Who was here last: the app opens for them without a network. */
export interface AccountMemory {
  read: () => Me | null;
  write: (me: Me | null) => void;
  /** Takes away all that this device keeps of an account. */
  forget: (account: Uuid) => Promise<void>;
}

const KEY = 'homing:me';

function attempt<T>(use: () => T): T | null {
  try {
    return use();
  } catch {
    return null;
  }
}

/** Over the browser's small storage; where there is none, nobody is remembered. */
export function makeAccountMemory(storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>): AccountMemory {
  return {
    read: () => me.safeParse(attempt(() => JSON.parse(storage.getItem(KEY) ?? 'null') as unknown)).data ?? null,
    write: (value) => void attempt(() => (value ? storage.setItem(KEY, JSON.stringify(value)) : storage.removeItem(KEY))),
    async forget(account) {
      const names = (await indexedDB.databases().catch(() => [])).map(({ name }) => name ?? '');
      const own = names.filter((name) => name === databaseName(account) || name.startsWith(`${account}/`));
      await Promise.all(own.map((name) => deleteDB(name).catch(() => {})));
    },
  };
}
