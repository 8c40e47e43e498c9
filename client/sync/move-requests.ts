import type { Conversation } from '../../shared/api.ts';
import type { Clock, RandomBytes } from '../../shared/clock.ts';
import { type Api, ApiError } from './api.ts';
import type { Entry, OpenEntry, ReadEntry } from './outbox/entry.ts';
import type { Outbox } from './outbox/outbox.ts';
import { backOffMs } from './wire/back-off.ts';

interface Options {
  outbox: Outbox;
  api: Pick<Api, 'openDirect' | 'markRead'>;
  clock: Clock;
  random: RandomBytes;
  /** Whether it is this tab that moves an entry. */
  moves: (entry: Entry) => boolean;
  /** The server answers. */
  isReachable: () => boolean;
  onOpened: (conversation: Conversation) => void;
}

/** Reading on makes one request, not one for each message. */
const READ_PAUSE_MS = 1_000;

/** Neither the network nor the moment is at fault: it will never be taken. */
const isFinal = (error: unknown): boolean =>
  error instanceof ApiError && error.status >= 400 && error.status < 500 && ![401, 408, 425, 429].includes(error.status);

/** Moves the entries that go over HTTP: opened conversations and read positions. One after another of a kind is not needed: each is idempotent. */
export function openRequestMover(options: Options): { move: () => void; close: () => void } {
  const { outbox, api, clock, random, moves, isReachable, onOpened } = options;
  const busy = new Set<string>();
  let failures = 0;
  let closed = false;
  /** Ends the wait after a failure; null: there is none. */
  let cancelWait: (() => void) | null = null;

  async function open(entry: OpenEntry): Promise<void> {
    onOpened(await api.openDirect(entry.userId));
    outbox.done([entry]);
  }

  async function read(entry: ReadEntry): Promise<void> {
    await new Promise<void>((resolve) => void clock.after(READ_PAUSE_MS, resolve));
    const now = outbox.get(entry.id);
    if (now?.kind !== 'read') return;
    await api.markRead(now.conversationId, now.seq);
    outbox.done([now]);
  }

  async function run(entry: Entry, request: Promise<void>): Promise<void> {
    busy.add(entry.id);
    try {
      await request;
      failures = 0;
    } catch (error) {
      if (!isFinal(error)) {
        // What failed for now waits for this, not for the next change of anything.
        cancelWait?.();
        cancelWait = clock.after(backOffMs(++failures, random), () => {
          cancelWait = null;
          move();
        });
      } else if (entry.kind === 'read') outbox.done([entry]);
      else outbox.fail([entry.id], 'refused');
      if (!(error instanceof ApiError)) throw error;
    } finally {
      busy.delete(entry.id);
    }
  }

  function move(): void {
    if (closed || !isReachable() || cancelWait) return;
    for (const entry of outbox.entries()) {
      if (entry.state.kind !== 'waiting' || busy.has(entry.id) || !moves(entry)) continue;
      if (entry.kind === 'open') void run(entry, open(entry));
      else if (entry.kind === 'read') void run(entry, read(entry));
    }
  }

  const endWatch = outbox.subscribe(move);
  return {
    move,
    close() {
      closed = true;
      endWatch();
      cancelWait?.();
    },
  };
}
