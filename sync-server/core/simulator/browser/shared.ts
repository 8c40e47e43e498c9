import type { Scheduler } from '../scheduler.ts';
import type { Place } from './place.ts';

type Listener = (event: MessageEvent<unknown>) => void;

/** What the tabs of one browser share besides the disk: Web Locks and broadcast channels. */
export interface Shared {
  locksOf(place: Place): LockManager;
  channelOf(place: Place, name: string): BroadcastChannel;
  /** A tab that has ended lets go of everything. */
  ended(place: Place): void;
  /** The first in line for a lock. */
  holder(name: string): Place | null;
}

interface Waiter {
  place: Place;
  grant(): void;
}

export function makeShared(scheduler: Scheduler): Shared {
  const queues = new Map<string, Waiter[]>();
  const channels = new Set<{ place: Place; name: string; hear(data: unknown): void }>();

  function next(name: string): void {
    const first = queues.get(name)?.[0];
    if (first) scheduler.soon(() => first.place.later(() => queues.get(name)?.[0] === first && first.grant()));
  }

  function leave(name: string, waiter: Waiter): void {
    const queue = queues.get(name) ?? [];
    const wasFirst = queue[0] === waiter;
    queues.set(
      name,
      queue.filter((one) => one !== waiter),
    );
    if (wasFirst) next(name);
  }

  return {
    holder: (name) => queues.get(name)?.[0]?.place ?? null,
    locksOf(place) {
      async function request(name: string, options: LockOptions, callback: () => Promise<unknown>): Promise<unknown> {
        return new Promise((resolve, reject) => {
          let granted = false;
          const waiter: Waiter = {
            place,
            grant() {
              if (granted) return;
              granted = true;
              callback()
                .then(resolve, reject)
                .finally(() => leave(name, waiter));
            },
          };
          options.signal?.addEventListener('abort', () => {
            if (granted) return;
            leave(name, waiter);
            reject(new DOMException('given up', 'AbortError'));
          });
          const queue = queues.get(name) ?? [];
          queues.set(name, [...queue, waiter]);
          if (queue.length === 0) next(name);
        });
      }
      return { request } as unknown as LockManager;
    },
    channelOf(place, name) {
      const listeners = new Set<Listener>();
      const heard: unknown[] = [];
      const end = {
        place,
        name,
        hear(data: unknown) {
          heard.push(data);
          place.later(() => {
            const data = heard.shift();
            if (!channels.has(end)) return;
            for (const listener of listeners) listener({ data } as MessageEvent<unknown>);
          });
        },
      };
      channels.add(end);
      return {
        addEventListener: (_type: string, listener: Listener) => listeners.add(listener),
        postMessage(data: unknown) {
          if (!place.isAlive()) return;
          for (const other of channels) if (other !== end && other.name === name) other.hear(structuredClone(data));
        },
        close: () => channels.delete(end),
      } as unknown as BroadcastChannel;
    },
    ended(place) {
      for (const channel of channels) if (channel.place === place) channels.delete(channel);
      for (const [name, queue] of queues) for (const waiter of queue) if (waiter.place === place) leave(name, waiter);
    },
  };
}
