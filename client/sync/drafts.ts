import type { Uuid } from '../../shared/ids.ts';
import type { DeviceDatabase } from './storage/device-database.ts';

/** Text begun in conversations and not sent, kept on this device with every key. */
export interface Drafts {
  get: (conversationId: Uuid) => string;
  set: (conversationId: Uuid, text: string) => void;
}

const PREFIX = 'draft:';

/** Reads the drafts of this device. Where they cannot be kept they last as long as the tab. */
export async function openDrafts(database: Pick<DeviceDatabase, 'readAll' | 'write'>): Promise<Drafts> {
  const stored = await database.readAll(PREFIX).catch(() => new Map<string, unknown>());
  const drafts = new Map([...stored].flatMap(([id, text]) => (typeof text === 'string' ? [[id, text] as const] : [])));
  return {
    get: (id) => drafts.get(id) ?? '',
    set(id, text) {
      if (text === '') drafts.delete(id);
      else drafts.set(id, text);
      database.write(PREFIX + id, text === '' ? null : text).catch(() => {});
    },
  };
}
