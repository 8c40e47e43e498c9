import type { Clock } from '../../shared/clock.ts';
import type { Uuid } from '../../shared/ids.ts';
import { draftKey } from '../../shared/user-document.ts';
import { privateKey } from './outbox/entry.ts';
import type { Outbox } from './outbox/outbox.ts';
import type { PrivateDocument } from './private/private-document.ts';
import type { DeviceDatabase } from './storage/device-database.ts';

/**
 * Text begun in conversations and not sent. It is kept on this device with every key, and goes to this person's other devices at each pause,
 * and now and then while there is none: each time is a write of the log. The newest wins there (D8).
 */
export interface Drafts {
  /** What the device held has been read. Never rejects. */
  ready: Promise<void>;
  get: (conversationId: Uuid) => string;
  /** An empty one goes at once: it was sent, or taken away. */
  set: (conversationId: Uuid, text: string) => void;
  /** Nobody writes any more, or nobody may from now on: what was begun goes now. */
  flush: () => void;
  /** The device may have lost them: all are written again. */
  keepAgain: () => void;
  close: () => void;
}

interface Deps {
  database: Pick<DeviceDatabase, 'readAll' | 'write'>;
  personal: Pick<PrivateDocument, 'draft' | 'setDraft'>;
  outbox: Pick<Outbox, 'get' | 'isKept' | 'status' | 'subscribe'>;
  clock: Clock;
}

const PREFIX = 'draft:';
const PAUSE_MS = 1_000;
const LONGEST_MS = 5_000;

/** Opens the drafts of this device. Where they cannot be kept they last as long as the tab. */
export function openDrafts({ database, personal, outbox, clock }: Deps): Drafts {
  /** Newer than what is in the outbox or the document. */
  const begun = new Map<Uuid, string>();
  /** In the outbox, which is to keep them before they are forgotten here. */
  const handed = new Set<Uuid>();
  let cancel = (): void => {};
  /** When it has to go, though the writing goes on; null: nothing waits for it. */
  let latest: number | null = null;

  async function load(): Promise<void> {
    for (const [id, text] of await database.readAll(PREFIX).catch(() => []))
      if (typeof text === 'string' && !begun.has(id)) begun.set(id, text);
    flush();
  }

  function keep(id: Uuid, text: string | null): void {
    database.write(PREFIX + id, text).catch(() => {});
  }

  function flush(): void {
    cancel();
    latest = null;
    for (const [id, text] of begun) {
      // One that is too long for a message stays here until it is shorter.
      if (!personal.setDraft(id, text)) continue;
      begun.delete(id);
      handed.add(id);
    }
    settle();
  }

  /** What the outbox keeps, or has seen off, need not be kept here as well. */
  function settle(): void {
    if (outbox.status() !== 'kept') return;
    for (const id of handed) {
      const key = privateKey(draftKey(id));
      if (outbox.get(key) && !outbox.isKept(key)) continue;
      handed.delete(id);
      if (!begun.has(id)) keep(id, null);
    }
  }

  const endWatch = outbox.subscribe(settle);
  return {
    ready: load(),
    flush,
    get: (id) => begun.get(id) ?? personal.draft(id),
    set(id, text) {
      begun.set(id, text);
      keep(id, text);
      if (text === '') return flush();
      latest ??= clock.now() + LONGEST_MS;
      cancel();
      cancel = clock.after(Math.max(0, Math.min(PAUSE_MS, latest - clock.now())), flush);
    },
    keepAgain: () => begun.forEach((text, id) => keep(id, text)),
    close() {
      cancel();
      endWatch();
    },
  };
}
