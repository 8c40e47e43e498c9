import type { Uuid } from '../../shared/ids.ts';
import type { DeviceDatabase } from './storage/device-database.ts';

/** Text begun in conversations and not sent, kept on this device with every key. */
export interface Drafts {
  /** What the device held has been read. Never rejects. */
  ready: Promise<void>;
  get: (conversationId: Uuid) => string;
  set: (conversationId: Uuid, text: string) => void;
  /** The device may have lost them: all are written again. */
  keepAgain: () => void;
}

const PREFIX = 'draft:';

/** Reads the drafts of this device. Where they cannot be kept they last as long as the tab. */
export function openDrafts(database: Pick<DeviceDatabase, 'readAll' | 'write'>): Drafts {
  const drafts = new Map<Uuid, string>();
  async function load(): Promise<void> {
    for (const [id, text] of await database.readAll(PREFIX).catch(() => []))
      if (typeof text === 'string' && !drafts.has(id)) drafts.set(id, text);
  }
  const write = (id: Uuid, text: string): void => void database.write(PREFIX + id, text === '' ? null : text).catch(() => {});
  return {
    ready: load(),
    get: (id) => drafts.get(id) ?? '',
    set(id, text) {
      drafts.set(id, text);
      write(id, text);
    },
    keepAgain: () => drafts.forEach((text, id) => write(id, text)),
  };
}
