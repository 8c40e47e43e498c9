import type { Clock, RandomBytes } from '../../../../shared/clock.ts';
import type { DeviceStorage } from '../../../../client/sync/storage/device-storage.ts';
import type { Place } from './place.ts';

/** `aborting`: transactions fail at random. `full`: all that write do. `stuck`: none ends. */
export type Health = 'well' | 'aborting' | 'full' | 'stuck';

/** What one browser keeps, by whatever means. */
export interface Keep {
  health: Health;
  openStorage(place: Place, clock: Clock, random: RandomBytes): DeviceStorage;
  /** Whether an entry of the outbox is on the disk now; null: nobody can tell. */
  isOnDisk(entryId: string): boolean | null;
  /** A tab has ended: what it has begun and not ended is rolled back. */
  ended(place: Place): void;
  /** The browser ends without a word: some of the tail was never flushed. */
  crash(): void;
  wipe(): void;
}
