import { type Accessor, createEffect, createMemo, createSignal, on, onCleanup } from 'solid-js';
import type { Clock } from '../../shared/clock.ts';
import { createGrace } from './create-grace.ts';

/** `memory`: the device keeps nothing now. `again`: it does so again, since a moment. */
export type DeviceStatus = 'kept' | 'memory' | 'again';

/** What is mended at once is nobody's business. */
const GRACE_MS = 1_000;
/** So long it is said that all is well again. */
const AGAIN_MS = 5_000;

/** What to tell a person about what this device keeps: that it does not, and the end of that. */
export function createDeviceStatus(isFailing: Accessor<boolean>, clock: Clock): Accessor<DeviceStatus> {
  const isMemory = createGrace(isFailing, GRACE_MS, clock);
  const [isAgain, setAgain] = createSignal(false);
  createEffect(
    on(isMemory, (now, before) => {
      setAgain(before === true && !now);
      if (isAgain()) onCleanup(clock.after(AGAIN_MS, () => setAgain(false)));
      return now;
    }),
  );
  return createMemo(() => (isMemory() ? 'memory' : isAgain() ? 'again' : 'kept'));
}
