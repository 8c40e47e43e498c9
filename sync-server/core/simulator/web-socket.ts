import type { Socket } from '../ports.ts';
import type { Session } from '../session/session.ts';
import { type Link, openLink } from './link.ts';
import type { Scheduler } from './scheduler.ts';
import { type Place, runIn } from './place.ts';

/** The `WebSocket` of one tab. It is ordered, and is cut at any moment. */
export function makeWebSocket(deps: {
  place: Place;
  scheduler: Scheduler;
  /** Opens the session of a dialled socket; null: there is no network, or no server. */
  dial(socket: Socket): Session | null;
  onLink(link: Link): void;
}): typeof WebSocket {
  const { place, scheduler } = deps;
  function Dialled(): object {
    let link: Link | null = null;
    let isOver = false;
    const face = {
      binaryType: 'arraybuffer',
      onopen: null as (() => void) | null,
      onmessage: null as ((event: { data: ArrayBuffer }) => void) | null,
      onclose: null as ((event: { code: number; reason: string }) => void) | null,
      onerror: null as (() => void) | null,
      send: (data: Uint8Array) => link?.send(data.slice()),
      close() {
        if (isOver) return;
        isOver = true;
        link?.cut();
      },
    };
    const here = (run: () => void): void => {
      if (place.isAlive()) runIn(place, run);
    };
    function closed(code: number, reason: string): void {
      if (isOver) return;
      isOver = true;
      here(() => face.onclose?.({ code, reason }));
    }
    scheduler.soon(() => {
      if (isOver || !place.isAlive()) return;
      let isRefused = false;
      link = openLink(
        scheduler,
        (socket) => {
          const session = deps.dial(socket);
          isRefused = session === null;
          return session ?? NO_SESSION;
        },
        {
          receive: (frame) => here(() => face.onmessage?.({ data: frame.slice().buffer })),
          closed,
        },
      );
      if (isRefused) return closed(1006, 'nobody answers');
      deps.onLink(link);
      here(() => face.onopen?.());
    });
    return face;
  }
  return Dialled as unknown as typeof WebSocket;
}

const NO_SESSION = { receive: () => {}, closed: () => {} } as unknown as Session;
