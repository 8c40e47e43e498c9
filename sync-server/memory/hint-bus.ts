import type { HintBus } from '../core/ports.ts';
import { type MemoryStore, notify } from './store.ts';

/** Hints between nodes of one process. */
export function makeMemoryBus(store: MemoryStore): HintBus {
  return {
    async listen(onHint, onGap) {
      store.listeners.add(onHint);
      onGap();
      return async () => void store.listeners.delete(onHint);
    },
    async publish(hint) {
      notify(store, hint);
    },
  };
}
