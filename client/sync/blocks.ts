import { type User, users } from '../../shared/api.ts';
import type { Uuid } from '../../shared/ids.ts';
import { type Api, ApiError } from './api.ts';
import type { Outbox } from './outbox/outbox.ts';
import type { DeviceDatabase } from './storage/device-database.ts';

/** Whom this person has blocked, as the server last told; kept on the device for a start without a network. */
export interface Blocks {
  /** What the device held has been read. Never rejects. */
  ready: Promise<void>;
  people: () => ReadonlyMap<Uuid, User>;
  /** Asks the server; rejects with what came instead of an answer. */
  refresh: () => Promise<void>;
}

interface Deps {
  database: Pick<DeviceDatabase, 'read' | 'write'>;
  api: Pick<Api, 'blocked'>;
  onChange: () => void;
}

const NAME = 'blocks';

/** Reads what the device holds; an answer to an older question never replaces that to a newer one. */
export function openBlocks({ database, api, onChange }: Deps): Blocks {
  let people: ReadonlyMap<Uuid, User> = new Map();
  let asked = 0;
  let answered = 0;

  const byId = (found: readonly User[]): ReadonlyMap<Uuid, User> => new Map(found.map((user) => [user.id, user]));

  async function load(): Promise<void> {
    const stored = users.safeParse(await database.read(NAME).catch(() => null)).data;
    if (!stored || answered > 0) return;
    people = byId(stored.users);
    onChange();
  }

  return {
    ready: load(),
    people: () => people,
    async refresh() {
      const question = ++asked;
      const found = await api.blocked();
      if (question < answered) return;
      answered = question;
      people = byId(found);
      database.write(NAME, { users: found }).catch(() => {});
      onChange();
    },
  };
}

interface WatchDeps {
  blocks: Blocks;
  outbox: Outbox;
  isReachable: () => boolean;
}

/**
 * Asks anew when the server can be reached again, when a change has gone from the outbox (by whichever tab), and when somebody looks: no
 * one tells of blocks that another device has set.
 */
export function makeBlocksWatch({ blocks, outbox, isReachable }: WatchDeps): (isLookedAt?: boolean) => void {
  let wasReachable = false;
  let waiting = 0;
  return (isLookedAt = false) => {
    const isUp = isReachable();
    const now = outbox.entries().filter(({ kind }) => kind === 'block').length;
    const hasReason = isLookedAt || !wasReachable || now < waiting;
    wasReachable = isUp;
    waiting = now;
    if (!isUp || !hasReason) return;
    blocks.refresh().catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
    });
  };
}
