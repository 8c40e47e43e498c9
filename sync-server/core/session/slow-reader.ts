import * as Y from 'yjs';
import type { Clock } from '../../../shared/clock.ts';
import { LIMITS, WAIT_MS } from '../../../shared/limits.ts';
import type { Socket } from '../ports.ts';

/**
 * The same socket, watched: `tooSlow` is called when its reader leaves more than `LIMITS.unsent` unread, or takes nothing for 30 s (W7).
 * It is never waited for.
 */
export function watchReader(socket: Socket, clock: Clock, tooSlow: () => void): Socket {
  let isWatched = false;
  let sent = 0;
  const taken = (): number => sent - socket.buffered();

  function watch(): void {
    if (isWatched || socket.buffered() <= LIMITS.unsentLive) return;
    isWatched = true;
    let before = taken();
    const look = (): void => {
      if (taken() <= before) return tooSlow();
      before = taken();
      stop = clock.after(WAIT_MS, look);
    };
    let stop = clock.after(WAIT_MS, look);
    socket.drained(() => {
      isWatched = false;
      stop();
    });
  }

  return {
    ...socket,
    send(frame) {
      if (socket.buffered() > LIMITS.unsent) return tooSlow();
      socket.send(frame);
      sent += frame.byteLength;
      watch();
    },
  };
}

/** Many may miss the same update: it is read once. */
const firstClocks = new WeakMap<Uint8Array, ReadonlyMap<number, number>>();

/** Of each client id in an update the first clock. */
function firstClocksOf(update: Uint8Array): ReadonlyMap<number, number> {
  const known = firstClocks.get(update) ?? Y.parseUpdateMeta(update).from;
  firstClocks.set(update, known);
  return known;
}

/** What one reader is sent of a document as it changes. */
export interface LiveFeed {
  /** Sends what a reader can be without for a while: an update, or (`update` null) an ack or presence. */
  send(message: Uint8Array, update: Uint8Array | null): void;
  /** It has not read what it was sent: it gets nothing live until then. */
  isBehind(): boolean;
  stop(): void;
}

/**
 * Stops when its reader does not keep up, and goes on when that one has read all it was sent: then `catchUp` sends what was left out as
 * one update (W7). `missed`: of each client id in the updates that were left out, the first clock.
 */
export function makeLiveFeed(deps: {
  socket: Pick<Socket, 'buffered' | 'drained'>;
  send(message: Uint8Array): void;
  catchUp(missed: ReadonlyMap<number, number>): void;
}): LiveFeed {
  const { socket, send, catchUp } = deps;
  let missed: Map<number, number> | null = null;
  let stopWaiting = (): void => {};

  function fallBehind(): Map<number, number> {
    stopWaiting = socket.drained(comeBack);
    return new Map();
  }

  /** Who shares the socket may have been caught up just before: one after the other. */
  function comeBack(): void {
    const left = missed;
    if (socket.buffered() > LIMITS.unsentLive) stopWaiting = socket.drained(comeBack);
    else {
      missed = null;
      if (left) catchUp(left);
    }
  }

  return {
    send(message, update) {
      if (!missed && socket.buffered() <= LIMITS.unsentLive) return send(message);
      missed ??= fallBehind();
      if (!update) return;
      for (const [client, clock] of firstClocksOf(update)) missed.set(client, Math.min(clock, missed.get(client) ?? clock));
    },
    isBehind: () => missed !== null || socket.buffered() > LIMITS.unsentLive,
    stop: () => stopWaiting(),
  };
}
