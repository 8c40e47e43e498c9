import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import type { Clock, RandomBytes } from '../../../shared/clock.ts';
import { CLOSE } from '../../../shared/close-codes.ts';
import { parseDocumentId } from '../../../shared/ids.ts';
import { MESSAGE, QUERY_AWARENESS, SYNC } from '../../../shared/protocol.ts';
import { backOffMs } from './back-off.ts';
import type { VirtualSocket } from './virtual-socket.ts';

/** What an exchange came to. */
export type Exchanged =
  | { kind: 'answer'; messages: Uint8Array[] }
  | { kind: 'closed'; code: number; reason: string }
  | { kind: 'unreachable' };
/** Sends messages of one document over HTTP and brings the answer's. */
export type Exchange = (documentId: string, messages: readonly Uint8Array[]) => Promise<Exchanged>;

interface Options {
  socket: VirtualSocket;
  exchange: Exchange;
  clock: Clock;
  random: RandomBytes;
  onReached: (isReached: boolean) => void;
}

/** One document over HTTP. */
export interface Poll {
  send: (message: Uint8Array) => void;
  now: () => void;
  stop: () => void;
}

const SOON_MS = 1_000;
const SLOWEST_MS = 15_000;

/** Whether a message brings the server something: the stock provider answers every step 1, mostly by what the server has. */
function isNews(message: Uint8Array): boolean {
  const decoder = decoding.createDecoder(message);
  if (decoding.readVarUint(decoder) !== MESSAGE.sync) return false;
  const type = decoding.readVarUint(decoder);
  if (type === SYNC.step1) return false;
  return Y.parseUpdateMeta(decoding.readVarUint8Array(decoder)).to.size > 0;
}

/**
 * Carries a virtual socket over HTTP (W12): each exchange is the document's step 1 and at most one update, and for a root the question who
 * is there and has read what; own reading goes the outbox's way, own typing is not told. At once while there is something to
 * send, else soon after something came, and ever more slowly while nothing does.
 */
export function pollDocument({ socket, exchange, clock, random, onReached }: Options): Poll {
  const waiting: Uint8Array[] = [];
  let pauseMs = SOON_MS;
  let failures = 0;
  let busy = false;
  let stopped = false;
  const query = parseDocumentId(socket.documentId)?.kind === 'root' ? [QUERY_AWARENESS] : [];
  let cancel = clock.after(0, () => void turn());

  function next(delayMs: number): void {
    cancel();
    if (!stopped && !busy) cancel = clock.after(delayMs, () => void turn());
  }

  async function turn(): Promise<void> {
    busy = true;
    const update = waiting.shift();
    const outcome = await exchange(socket.documentId, [socket.step1(), ...(update ? [update] : []), ...query]);
    busy = false;
    if (stopped) return;
    if (outcome.kind === 'closed' && outcome.code !== CLOSE.tryLater.code) return end(outcome.code, outcome.reason);
    onReached(outcome.kind !== 'unreachable');
    if (stopped) return;
    if (outcome.kind !== 'answer') {
      // What was not answered goes again: the server knows what it has already.
      if (update) waiting.unshift(update);
      return next(SOON_MS + backOffMs(++failures, random));
    }
    failures = 0;
    socket.opened();
    for (const message of outcome.messages) socket.received(message);
    const isBusy = update !== undefined || outcome.messages.some(isNews);
    pauseMs = isBusy ? SOON_MS : Math.min(SLOWEST_MS, pauseMs * 1.5);
    next(waiting.length > 0 ? 0 : pauseMs);
  }

  function end(code: number, reason: string): void {
    stop();
    socket.closed(code, reason);
  }

  function stop(): void {
    stopped = true;
    cancel();
  }

  return {
    stop,
    now: () => next(0),
    send(message) {
      if (!isNews(message)) return;
      waiting.push(message);
      next(0);
    },
  };
}
