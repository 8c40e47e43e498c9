import type { Uuid } from '../../shared/ids.ts';
import type { StandingSignIns } from '../core/ports.ts';
import type { MemoryStore } from './store.ts';

/** Sign-ins in memory: they all stand but those that were ended. */
export function makeMemorySignIns({ endedSignIns, gone }: Pick<MemoryStore, 'endedSignIns' | 'gone'>): StandingSignIns {
  return {
    ended: async (sids): Promise<Uuid[]> => sids.filter((sid) => endedSignIns.has(sid)),
    gone: async (userIds): Promise<Uuid[]> => userIds.filter((userId) => gone.has(userId)),
  };
}
