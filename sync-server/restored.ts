import { type RandomBytes, systemClock } from '../shared/clock.ts';
import { makeUuid } from '../shared/ids.ts';
import type { Restored } from '../shared/inbox.ts';
import type { Logger, UpdateLog } from './core/ports.ts';
import { reopen } from './core/restore/reopen.ts';
import type { Restores } from './postgres/restores.ts';

interface Deps {
  restores: Restores;
  log: UpdateLog;
  random: RandomBytes;
  logger: Logger;
}

const AT_ONCE = 100;
const TOGETHER = 4;

/**
 * Sees to a restored backup before anybody is served (L14): by itself where the database is a copy, always when `asked`. What was begun is
 * ended, also by the next start. Answers the last restore that was seen to.
 */
export async function seeToRestore({ restores, log, random, logger }: Deps, asked = false): Promise<Restored | null> {
  const open = await restores.begin(asked, makeUuid(systemClock.now(), random));
  if (!open) return restores.last();
  logger.warn({ restore: open.id }, 'this database went back to a backup: every conversation is begun anew, and everybody signs in again');
  let count = 0;
  for (let { reached } = open; ;) {
    const ids = await restores.conversations(reached, AT_ONCE);
    if (ids.length === 0) break;
    const queue = [...ids];
    const work = async (): Promise<void> => {
      for (let id = queue.shift(); id !== undefined; id = queue.shift()) await reopen(log, id, random);
    };
    await Promise.all(Array.from({ length: TOGETHER }, work));
    reached = ids.at(-1)!;
    count += ids.length;
    await restores.reached(open.id, reached);
  }
  await restores.finish(open.id);
  logger.warn({ restore: open.id, conversations: count }, 'the restored backup is seen to');
  return restores.last();
}
