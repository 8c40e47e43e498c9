import type { Clock } from '../../../shared/clock.ts';
import type { StoredKey } from '../../core/identity.ts';
import { type KeyRing, openKeyRing } from '../identity/key-ring.ts';
import { importStored } from '../identity/signing-keys.ts';

/** A ring on a list of stored keys, the newest first, that a test may change; its clock stands still. */
export async function openRing(stored: () => StoredKey[] | Promise<StoredKey[]>, clock: Partial<Clock> = {}): Promise<KeyRing> {
  return openKeyRing({
    load: async () => importStored(await stored()),
    clock: { elapsed: () => 0, after: () => () => {}, ...clock },
    logger: { error() {} },
  });
}
