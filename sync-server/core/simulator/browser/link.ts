import type { Socket } from '../../ports.ts';
import type { Session } from '../../session/session.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Place } from './place.ts';

/** A simulated socket between a tab and a session: ordered both ways, cut at any moment. */
export interface Link {
  /** From the client to its session. */
  send(frame: Uint8Array): void;
  /** Ends it: what is under way in either direction may be lost. */
  cut(): void;
  /** It is open and dead: nothing arrives any more, and nobody is told. */
  silence(): void;
  /** The server still listens to it. */
  isServed(): boolean;
  /** Something is under way to the server. */
  hasQueued(): boolean;
  /** The reader takes nothing for a while: what it is sent waits at the server. */
  stall(on: boolean): void;
}

const TOO_SLOW = 1013;
/** What a frame weighs with a reader who does not read. */
const FRAME = 1024 * 1024;

interface Ends {
  place: Place;
  receive(frame: Uint8Array): void;
  closed(code: number, reason: string): void;
  /** The server gave it up for being slow. */
  tooSlow?(): void;
}

export function openLink(scheduler: Scheduler, open: (socket: Socket) => Session, client: Ends): Link {
  const up: Uint8Array[] = [];
  const down: ({ frame: Uint8Array } | { code: number; reason: string })[] = [];
  let alive = true;
  let served = true;
  let silent = false;
  let stalled = false;
  /** The server does not read: what comes up waits. */
  let paused = false;
  const drains = new Set<() => void>();

  function push(enqueue: () => void, later: (task: () => void) => void, deliver: () => void): void {
    if (!alive || silent) return;
    enqueue();
    later(deliver);
  }
  function deliverDown(): void {
    if (!alive || silent || stalled) return;
    const next = down.shift();
    if (!next) return;
    if (down.length === 0) scheduler.soon(drained);
    if ('frame' in next) return client.receive(next.frame);
    alive = false;
    client.closed(next.code, next.reason);
  }
  function deliverUp(): void {
    const frame = alive && !silent && !paused && up.shift();
    if (frame) session.receive(frame);
  }
  function drained(): void {
    if (!alive || buffered() > 0) return;
    const then = [...drains];
    drains.clear();
    for (const one of then) one();
  }
  // A few frames are little; the limit is met by calling them large.
  const buffered = (): number => (stalled ? down.length * FRAME : 0);

  const session = open({
    send: (frame) => push(() => down.push({ frame: frame.slice() }), client.place.later, deliverDown),
    close(code, reason) {
      served = false;
      if (code === TOO_SLOW && stalled) client.tooSlow?.();
      push(() => down.push({ code, reason }), client.place.later, deliverDown);
    },
    buffered,
    drained(then) {
      drains.add(then);
      return () => void drains.delete(then);
    },
    pause: () => void (paused = true),
    resume() {
      paused = false;
      for (let i = up.length; i > 0; i--) scheduler.soon(deliverUp);
    },
  });

  return {
    send: (frame) => push(() => up.push(frame), scheduler.soon, deliverUp),
    silence: () => void (silent = true),
    isServed: () => served,
    hasQueued: () => up.length > 0,
    stall(on) {
      stalled = on;
      if (on) return;
      for (let i = down.length; i > 0; i--) client.place.later(deliverDown);
      if (down.length === 0) scheduler.soon(drained);
    },
    cut() {
      if (!alive) return;
      alive = false;
      scheduler.soon(() => {
        served = false;
        session.closed();
      });
      client.place.later(() => client.closed(1006, 'cut'));
    },
  };
}
