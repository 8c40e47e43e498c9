import { createRoot } from 'solid-js';
import { expect, test } from 'vitest';
import type { Restored } from '../../shared/inbox.ts';
import { createRestored } from './create-restored.ts';

test('[F21] the person is told up to when the backup reaches, until they have seen it', () => {
  const listeners = new Set<() => void>();
  let notice: Restored | null = null;
  const become = (next: Restored | null): void => {
    notice = next;
    for (const listener of listeners) listener();
  };
  createRoot((dispose) => {
    const view = createRestored({
      restored: { notice: () => notice, dismiss: () => become(null) },
      subscribe(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    });
    expect(view.notice()).toBeNull();
    become({ id: 'restore', at: 2, backTo: 1 });
    expect(view.notice()?.backTo).toBe(1);
    view.dismiss();
    expect(view.notice()).toBeNull();
    dispose();
    expect(listeners.size).toBe(0);
  });
});
