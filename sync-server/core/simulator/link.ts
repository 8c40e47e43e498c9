import type { Socket } from '../ports.ts';
import type { Session } from '../session/session.ts';
import type { Scheduler } from './scheduler.ts';

/** A simulated socket between a replica and a session: ordered both ways, cut at any moment. */
export interface Link {
  /** From the client to its session. */
  send(frame: Uint8Array): void;
  /** Ends it: what is under way in either direction may be lost. */
  cut(): void;
}

export function openLink(
  scheduler: Scheduler,
  open: (socket: Socket) => Session,
  client: { receive(frame: Uint8Array): void; closed(code: number, reason: string): void },
): Link {
  const up: Uint8Array[] = [];
  const down: ({ frame: Uint8Array } | { code: number; reason: string })[] = [];
  let alive = true;

  const session = open({
    send: (frame) => push(() => down.push({ frame }), deliverDown),
    close: (code, reason) => push(() => down.push({ code, reason }), deliverDown),
    // Deliveries wait in the world's queue, not in the socket.
    buffered: () => 0,
    drained: () => () => {},
    pause: () => {},
    resume: () => {},
  });

  function push(enqueue: () => void, deliver: () => void): void {
    if (!alive) return;
    enqueue();
    scheduler.soon(deliver);
  }

  function deliverDown(): void {
    const next = alive && down.shift();
    if (!next) return;
    if ('frame' in next) return client.receive(next.frame);
    alive = false;
    client.closed(next.code, next.reason);
  }

  function deliverUp(): void {
    const frame = alive && up.shift();
    if (frame) session.receive(frame);
  }

  return {
    send: (frame) => push(() => up.push(frame), deliverUp),
    cut() {
      if (!alive) return;
      alive = false;
      scheduler.soon(() => session.closed());
      client.closed(1006, 'cut');
    },
  };
}
