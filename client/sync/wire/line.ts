import type { Clock } from '../../../shared/clock.ts';
import { type ChannelFrame, decodeChannelFrame, encodeChannelFrame } from '../../../shared/channels.ts';
import { SUB_PROTOCOL } from '../../../shared/protocol-version.ts';

/** One real socket, from dialling to its end. */
export interface Line {
  isOpen: () => boolean;
  send: (frame: ChannelFrame) => void;
  /** Asks now whether the line still lives, and gives it a short time to answer. */
  check: () => void;
  close: () => void;
}

interface Options {
  url: string;
  WebSocket: typeof WebSocket;
  clock: Clock;
  onOpen: () => void;
  /** Sends something that every server answers at once, by ending the channel that this returns. */
  ask: () => number;
  onFrame: (frame: ChannelFrame) => void;
  /** Once, unless `close` came first. `wasOpen` false: it never got through. */
  onClosed: (code: number, reason: string, wasOpen: boolean) => void;
}

const DIAL_MS = 10_000;
/** After so much silence it is asked; one that stays silent so long after that, or after what was still on its way, is dead. Together less than 20 s. */
const ASK_AFTER_MS = 10_000;
const ANSWER_MS = 8_000;
/** Somebody looks, and waits. */
const CHECK_MS = 4_000;
/** What the browser says when a socket ended without a word. */
export const ABNORMAL = 1006;

/** Dials. A line that is open and dead counts as closed within 20 s: nothing is heard of it, and it does not answer. */
export function openLine({ url, WebSocket, clock, onOpen, ask, onFrame, onClosed }: Options): Line {
  const socket = new WebSocket(url, [SUB_PROTOCOL]);
  socket.binaryType = 'arraybuffer';
  let isOpen = false;
  let ended = false;
  /** When it last said something, or was asked. */
  let silentSince = clock.elapsed();
  /** What was not answered yet: the channel whose end is the answer, and the silence that is borne until then. */
  let asked: { channel: number; ms: number } | null = null;
  let stopWatch = clock.after(DIAL_MS, () => end(ABNORMAL, 'no answer'));

  function end(code: number, reason: string): void {
    if (ended) return;
    const wasOpen = isOpen;
    close();
    onClosed(code, reason, wasOpen);
  }

  function close(): void {
    if (ended) return;
    ended = true;
    isOpen = false;
    stopWatch();
    socket.onopen = socket.onmessage = socket.onclose = null;
    // A socket that is closed while it dials says so as an error.
    socket.onerror = () => {};
    socket.close();
  }

  function askFor(ms: number): void {
    if (!isOpen || (asked && restMs() <= ms)) return;
    asked = { channel: ask(), ms };
    silentSince = clock.elapsed();
    watch();
  }

  function restMs(): number {
    return silentSince + (asked?.ms ?? ASK_AFTER_MS) - clock.elapsed();
  }

  function watch(): void {
    stopWatch();
    if (!ended) stopWatch = clock.after(restMs(), look);
  }

  function look(): void {
    if (restMs() > 0) watch();
    else if (asked) end(ABNORMAL, 'silent');
    else askFor(ANSWER_MS);
  }

  socket.onopen = () => {
    isOpen = true;
    silentSince = clock.elapsed();
    watch();
    onOpen();
  };
  socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
    silentSince = clock.elapsed();
    const frame = decodeChannelFrame(new Uint8Array(data));
    // Anything else may have been on its way for long.
    if (asked && frame?.op === 'close' && frame.channel === asked.channel) asked = null;
    if (frame) onFrame(frame);
  };
  socket.onclose = ({ code, reason }) => end(code, reason);

  return {
    close,
    check: () => askFor(CHECK_MS),
    isOpen: () => isOpen,
    send(frame) {
      if (isOpen) socket.send(encodeChannelFrame(frame).slice());
    },
  };
}
