import { z } from 'zod';
import { type Restored, restored } from '../../shared/inbox.ts';
import type { Inbox } from './inbox.ts';
import type { DeviceDatabase } from './storage/device-database.ts';

/** Whether the server went back to a backup since this device last spoke with it, and the person knows. */
export interface RestoredWatch {
  /** What the device held has been read. Never rejects. */
  ready: Promise<void>;
  /** What the server says of it when a connection begins. */
  hear: (restored: Restored | undefined) => void;
  /** What the person is still to be told. */
  notice: () => Restored | null;
  /** They know. */
  dismiss: () => void;
}

const NAME = 'restored';
const kept = z.object({ known: z.string(), notice: restored.nullable() });

/** Opens the watch. A restore that this device has not met makes its list begin anew: rows of what is no more would stay for ever. */
export function openRestoredWatch(deps: {
  database: Pick<DeviceDatabase, 'read' | 'write'>;
  inbox: Pick<Inbox, 'isLoaded' | 'restart'>;
  onChange: () => void;
}): RestoredWatch {
  const { database, inbox, onChange } = deps;
  let state: z.infer<typeof kept> | null = null;

  async function load(): Promise<void> {
    const found = kept.safeParse(await database.read(NAME).catch(() => null)).data;
    if (found) state ??= found;
  }

  function become(next: z.infer<typeof kept>): void {
    state = next;
    database.write(NAME, next).catch(() => {});
    onChange();
  }

  return {
    ready: load(),
    notice: () => state?.notice ?? null,
    hear(now) {
      if (!now || state?.known === now.id) return;
      // Who has no list yet has nothing of before.
      const isOld = inbox.isLoaded();
      if (isOld) inbox.restart();
      become({ known: now.id, notice: isOld ? now : (state?.notice ?? null) });
    },
    dismiss: () => state && become({ ...state, notice: null }),
  };
}
