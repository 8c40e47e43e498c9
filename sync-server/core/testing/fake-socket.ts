import type { Socket } from '../ports.ts';

/** A socket in memory. */
export interface FakeSocket extends Socket {
  /** The other side stops reading: what is sent from now on stays unsent. */
  stall(): void;
  /** It reads all of that, and goes on reading. */
  drain(): void;
  /** The other side is not read. */
  isPaused: boolean;
}

export function fakeSocket({ send = () => {}, close = () => {} }: Partial<Pick<Socket, 'send' | 'close'>> = {}): FakeSocket {
  const waiting = new Set<() => void>();
  let unsent: Uint8Array[] | null = null;
  const socket: FakeSocket = {
    isPaused: false,
    send(frame) {
      if (unsent) unsent.push(frame);
      else send(frame);
    },
    close,
    buffered: () => (unsent ?? []).reduce((sum, { byteLength }) => sum + byteLength, 0),
    drained(then) {
      waiting.add(then);
      return () => void waiting.delete(then);
    },
    stall: () => void (unsent ??= []),
    drain() {
      const frames = unsent ?? [];
      unsent = null;
      for (const frame of frames) send(frame);
      const all = [...waiting];
      waiting.clear();
      for (const then of all) then();
    },
    pause: () => void (socket.isPaused = true),
    resume: () => void (socket.isPaused = false),
  };
  return socket;
}
