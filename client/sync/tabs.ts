import { z } from 'zod';
import type { Uuid } from '../../shared/ids.ts';
import type { Entry } from './outbox/entry.ts';
import type { Outbox, Siblings } from './outbox/outbox.ts';
import type { DropNews } from './storage/replica-cache.ts';

/** What the tabs of one account tell each other. */
const news = z.union([z.object({ outbox: z.array(z.string()) }), z.object({ dropped: z.string(), generation: z.number() })]);

/** The tabs of one account in this browser. */
export interface Tabs {
  siblings: Siblings;
  drops: DropNews;
  /** Whether this tab moves the outbox. */
  isMover: () => boolean;
  /** Lets another tab move it, if there is one that waits for it. */
  resign: () => void;
  close: () => void;
}

/** Whether this tab moves an entry: what only it knows of, because the device does not hold it, and all else where it holds the lock. */
export const makeMoves =
  ({ isMover }: Pick<Tabs, 'isMover'>, { isOnlyHere }: Pick<Outbox, 'isOnlyHere'>) =>
  (entry: Entry): boolean =>
    isMover() || isOnlyHere(entry.id);

interface Deps {
  account: Uuid;
  locks: LockManager | undefined;
  makeChannel: (name: string) => BroadcastChannel;
  /** This tab moves the outbox from now on. */
  onMover: () => void;
}

/** Names carry the account: people who share a browser share nothing else. One tab holds the lock; where there are none, each tab moves, and ids settle it. */
export function joinTabs({ account, locks, makeChannel, onMover }: Deps): Tabs {
  const channel = makeChannel(`homing/${account}`);
  const outboxListeners = new Set<(ids: readonly string[]) => void>();
  const dropListeners = new Set<(documentId: string, generation: number) => void>();
  const abort = new AbortController();
  let release = (): void => {};
  let isMover = locks === undefined;

  channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    const heard = news.safeParse(data).data;
    if (!heard) return;
    if ('outbox' in heard) for (const listener of outboxListeners) listener(heard.outbox);
    else for (const listener of dropListeners) listener(heard.dropped, heard.generation);
  });

  async function hold(): Promise<void> {
    isMover = true;
    onMover();
    await new Promise<void>((resolve) => (release = resolve));
  }
  function queue(): void {
    locks?.request(`homing/${account}/outbox`, { signal: abort.signal }, hold).catch(() => {});
  }
  queue();

  return {
    isMover: () => isMover,
    resign() {
      if (!isMover || !locks) return;
      isMover = false;
      queue();
      release();
    },
    siblings: {
      tell: (ids) => channel.postMessage({ outbox: [...ids] }),
      listen(listener) {
        outboxListeners.add(listener);
        return () => void outboxListeners.delete(listener);
      },
    },
    drops: {
      tell: (documentId, generation) => channel.postMessage({ dropped: documentId, generation }),
      listen(listener) {
        dropListeners.add(listener);
        return () => void dropListeners.delete(listener);
      },
    },
    close() {
      isMover = false;
      abort.abort();
      release();
      channel.close();
    },
  };
}
