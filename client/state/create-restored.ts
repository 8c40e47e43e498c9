import { type Accessor, createMemo } from 'solid-js';
import type { Sync } from '../sync/open-sync.ts';
import { createChanges } from './create-observed.ts';

/** That the server went back to a backup, until the person has seen it. */
export interface RestoredNotice {
  /** Up to when the backup reaches, milliseconds; null: nobody knows. */
  backTo: number | null;
}

export interface RestoredView {
  notice: Accessor<RestoredNotice | null>;
  dismiss: () => void;
}

/** What a person is to be told of a restored server. */
export function createRestored(sync: Pick<Sync, 'restored' | 'subscribe'>): RestoredView {
  const changes = createChanges(sync.subscribe);
  return {
    notice: createMemo(() => (changes(), sync.restored.notice())),
    dismiss: sync.restored.dismiss,
  };
}
