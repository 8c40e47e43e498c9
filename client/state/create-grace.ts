import { type Accessor, createEffect, createSignal, on, onCleanup } from 'solid-js';
import type { Clock } from '../../shared/clock.ts';

/** A condition that has held for `ms` without a break. */
export function createGrace(holds: Accessor<boolean>, ms: number, clock: Clock): Accessor<boolean> {
  const [isLong, setLong] = createSignal(false);
  createEffect(
    on(holds, (now) => {
      if (!now) return void setLong(false);
      onCleanup(clock.after(ms, () => setLong(true)));
    }),
  );
  return isLong;
}
