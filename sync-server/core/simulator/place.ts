import { AsyncLocalStorage } from 'node:async_hooks';
import type { Disk } from './disk.ts';

/** Where the product's code runs now: in which tab, and so over which disk. What it awaits goes on in the same place. */
export interface Place {
  readonly disk: Disk;
  /** False once its process was killed: then nothing more is written or heard. */
  isAlive(): boolean;
}

const places = new AsyncLocalStorage<Place>();

/** Runs something in a tab. */
export const runIn = <T>(place: Place, run: () => T): T => places.run(place, run);
/** Null: this is the world itself, or the server's code. */
export const placeNow = (): Place | null => places.getStore() ?? null;
