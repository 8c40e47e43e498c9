import 'fake-indexeddb/auto';
import { makeApi } from './api.ts';
import { type Sync, openSync } from './open-sync.ts';
import { openDeviceStorage } from './storage/device-storage.ts';
import { makeTestLocks } from './test-locks.ts';
import { me } from '../../shared/api.ts';
import { systemClock, systemRandom } from '../../shared/clock.ts';
import type { Person } from '../../sync-server/conformance/person.ts';
import { socketOf } from '../../sync-server/conformance/replica.ts';

/** The app's own client of one person, without a screen; its disk stays while this process does. */
export async function openAppDevice(origin: string, who: Person): Promise<Sync> {
  const withToken = (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${who.token}`);
    return fetch(origin + path, { ...init, headers });
  };
  const account = me.parse((await who.call('GET', '/api/me')).body);
  return openSync({
    me: account,
    storage: openDeviceStorage(account.id, systemClock, systemRandom),
    api: makeApi({ fetch: (path, init) => withToken(path as string, init) }),
    url: `${origin.replace('http', 'ws')}/api/sync`,
    WebSocket: socketOf(who),
    locks: makeTestLocks(),
    makeChannel: (name) => new BroadcastChannel(name),
    clock: systemClock,
    random: systemRandom,
    isOnline: () => true,
    onEnded: () => {},
  });
}
