import { decodeChannelFrame } from '../../../../shared/channels.ts';
import type { Socket } from '../../ports.ts';
import type { Session } from '../../session/session.ts';
import type { Scheduler } from '../scheduler.ts';
import { type Link, openLink } from './link.ts';
import type { Place } from './place.ts';

interface Deps {
  place: Place;
  scheduler: Scheduler;
  /** Opens the session of a dialled socket; null: there is no network, no server, or no socket gets through. */
  dial(socket: Socket): Session | null;
  onLink(link: Link): void;
  /** What the client sends, for whoever listens in. */
  onSent(frame: Uint8Array): void;
  /** A close code that no honest client should ever get. */
  refused(code: number, reason: string): void;
  tooSlow(): void;
}

const NO_SESSION = { receive: () => {}, closed: () => {} } as unknown as Session;
const NOT_FOUND = 4404;

/** A close code that no honest client should ever get. */
export const isRefusal = (code: number): boolean => code >= 4400 && code < 4500 && code !== NOT_FOUND;

/** The `WebSocket` of one tab. */
export function makeWebSocket({ place, scheduler, dial, onLink, onSent, refused, tooSlow }: Deps): typeof WebSocket {
  function Dialled(): object {
    let link: Link | null = null;
    let isOver = false;
    const face = {
      binaryType: 'arraybuffer',
      onopen: null as (() => void) | null,
      onmessage: null as ((event: { data: ArrayBuffer }) => void) | null,
      onclose: null as ((event: { code: number; reason: string }) => void) | null,
      onerror: null as (() => void) | null,
      send(data: Uint8Array) {
        onSent(data);
        link?.send(data.slice());
      },
      close() {
        if (isOver) return;
        isOver = true;
        link?.cut();
      },
    };
    function closed(code: number, reason: string): void {
      if (isOver) return;
      isOver = true;
      if (isRefusal(code)) refused(code, reason);
      face.onclose?.({ code, reason });
    }
    function receive(frame: Uint8Array): void {
      const heard = decodeChannelFrame(frame);
      if (heard?.op === 'close' && isRefusal(heard.code)) refused(heard.code, heard.reason);
      face.onmessage?.({ data: frame.slice().buffer });
    }
    place.later(() => {
      if (isOver) return;
      let isServed = true;
      function open(socket: Socket): Session {
        const session = dial(socket);
        isServed = session !== null;
        return session ?? NO_SESSION;
      }
      const dialled = openLink(scheduler, open, { place, receive, closed, tooSlow });
      if (!isServed) return closed(1006, 'nobody answers');
      link = dialled;
      onLink(link);
      face.onopen?.();
    });
    return face;
  }
  return Dialled as unknown as typeof WebSocket;
}
