import { type Accessor, createEffect, createMemo, createSignal, on, onCleanup } from 'solid-js';
import type { Clock } from '../../shared/clock.ts';

/** A condition that has held for `ms` without a break. */
export function createGrace(holds: Accessor<boolean>, ms: number, clock: Clock): Accessor<boolean> {
  const [isLong, setLong] = createSignal(false);
  createEffect(
    on(createMemo(holds), (now) => {
      setLong(false);
      if (now) onCleanup(clock.after(ms, () => setLong(true)));
    }),
  );
  return isLong;
}
