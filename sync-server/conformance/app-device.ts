import 'fake-indexeddb/auto';
import { makeApi } from '../../client/sync/api.ts';
import { type Sync, openSync } from '../../client/sync/open-sync.ts';
import { makeTestLocks } from '../../client/sync/test-locks.ts';
import { me } from '../../shared/api.ts';
import { systemClock, systemRandom } from '../../shared/clock.ts';
import type { Person } from './person.ts';
import { socketOf } from './replica.ts';

/** The app's own client of one person, without a screen; its disk stays while this process does. */
export async function openAppDevice(origin: string, who: Person): Promise<Sync> {
  const withToken = (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${who.token}`);
    return fetch(origin + path, { ...init, headers });
  };
  return openSync({
    me: me.parse((await who.call('GET', '/api/me')).body),
    api: makeApi({ fetch: (path, init) => withToken(String(path), init) }),
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
