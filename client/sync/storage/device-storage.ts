import type { Clock } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { type DeviceDatabase, openDeviceDatabase } from './device-database.ts';
import { type DropNews, type ReplicaCache, openReplicaCache } from './replica-cache.ts';

/** Where one account is kept on this device. */
export interface DeviceStorage {
  database: DeviceDatabase;
  openCache: (news: DropNews) => ReplicaCache;
}

/** Opens an account's databases in IndexedDB. */
export function openDeviceStorage(account: Uuid, clock: Clock): DeviceStorage {
  const database = openDeviceDatabase(account);
  return { database, openCache: (news) => openReplicaCache({ account, database, news, clock }) };
}
