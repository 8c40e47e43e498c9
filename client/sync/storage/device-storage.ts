import type { Clock, RandomBytes } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { type DeviceDatabase, openDeviceDatabase } from './device-database.ts';
import { type DropNews, type ReplicaCache, openReplicaCache } from './replica-cache.ts';

/** Where one account is kept on this device. */
export interface DeviceStorage {
  database: DeviceDatabase;
  openCache: (news: DropNews) => ReplicaCache;
}

/** Opens an account's databases in IndexedDB. */
export function openDeviceStorage(account: Uuid, clock: Clock, random: RandomBytes): DeviceStorage {
  const database = openDeviceDatabase(account, random);
  return { database, openCache: (news) => openReplicaCache({ account, database, news, clock }) };
}
