import type { Clock } from '../../../shared/clock.ts';
import { type ChannelFrame, decodeChannelFrame, encodeChannelFrame } from '../../../shared/channels.ts';
import { SUB_PROTOCOL } from '../../../shared/protocol-version.ts';

/** One real socket, from dialling to its end. */
export interface Line {
  isOpen: () => boolean;
  send: (frame: ChannelFrame) => void;
  /** Hangs up if nothing was heard for longer than a living line is ever silent. */
  check: () => void;
  close: () => void;
}

interface Options {
  url: string;
  WebSocket: typeof WebSocket;
  clock: Clock;
  onOpen: () => void;
  onFrame: (frame: ChannelFrame) => void;
  /** Once, unless `close` came first. `wasOpen` false: it never got through. */
  onClosed: (code: number, reason: string, wasOpen: boolean) => void;
}

const DIAL_MS = 10_000;
/** The server says something every 20 s (W5, I6). */
const SILENCE_MS = 30_000;
const CHECK_MS = 5_000;
/** What the browser says when a socket ended without a word. */
export const ABNORMAL = 1006;

/** Dials. A line that is open and dead counts as closed: nothing is heard of it for 30 s. */
export function openLine({ url, WebSocket, clock, onOpen, onFrame, onClosed }: Options): Line {
  const socket = new WebSocket(url, [SUB_PROTOCOL]);
  socket.binaryType = 'arraybuffer';
  let isOpen = false;
  let ended = false;
  let heardAt = clock.now();
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

  function check(): void {
    if (isOpen && clock.now() - heardAt >= SILENCE_MS) end(ABNORMAL, 'silent');
  }

  function watch(): void {
    check();
    if (!ended) stopWatch = clock.after(CHECK_MS, watch);
  }

  socket.onopen = () => {
    isOpen = true;
    heardAt = clock.now();
    stopWatch();
    stopWatch = clock.after(CHECK_MS, watch);
    onOpen();
  };
  socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
    heardAt = clock.now();
    const frame = decodeChannelFrame(new Uint8Array(data));
    if (frame) onFrame(frame);
  };
  socket.onclose = ({ code, reason }) => end(code, reason);

  return {
    close,
    check,
    isOpen: () => isOpen,
    send(frame) {
      if (isOpen) socket.send(encodeChannelFrame(frame).slice());
    },
  };
}
