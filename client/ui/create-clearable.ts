import { type Accessor, createMemo } from 'solid-js';
import { usePage, usePlatform } from './context.ts';
import { createAsked } from './create-asked.ts';

/** Something waits here, and the browser has not promised to keep it: asked anew whenever something begins to wait. */
export function createClearable(): Accessor<boolean> {
  const { waiting } = usePage();
  const platform = usePlatform();
  const isWaiting = createMemo(() => waiting.count() > 0);
  const state = createAsked(isWaiting, platform.storage.state);
  return () => isWaiting() && state.latest()?.isPersistent === false;
}
