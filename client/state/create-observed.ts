import { type Accessor, createSignal, onCleanup } from 'solid-js';

/** Turns "something changed" into a signal: reading it makes the reader run again after each change. */
export function createChanges(subscribe: (listener: () => void) => () => void): Accessor<number> {
  const [changes, setChanges] = createSignal(0);
  onCleanup(subscribe(() => setChanges((n) => n + 1)));
  return changes;
}
