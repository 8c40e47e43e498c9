import { type Api, ApiError } from '../../../../client/sync/api.ts';
import type { Me } from '../../../../shared/api.ts';
import { CLOSE } from '../../../../shared/close-codes.ts';
import type { MemoryStore } from '../../../memory/store.ts';
import type { Node } from '../../node.ts';
import type { Socket } from '../../ports.ts';
import type { Session } from '../../session/session.ts';
import type { Ledger } from '../oracle/ledger.ts';
import type { Scheduler } from '../scheduler.ts';
import type { NodeProcess } from '../server/node-process.ts';
import type { Link } from './link.ts';
import type { Place } from './place.ts';
import { makeApi } from './api.ts';
import { isRefusal, makeWebSocket } from './web-socket.ts';

/** One browser's way to the nodes. */
export interface Network {
  apiOf(place: Place): Api;
  socketOf(place: Place): typeof WebSocket;
  /** The open sockets. */
  links(): readonly { link: Link; process: NodeProcess }[];
  isOnline: boolean;
  /** No socket gets through, but requests do. */
  isHttpOnly: boolean;
  /** Cuts the sockets, all of them or those of one node. */
  cut(process?: NodeProcess): void;
}

export interface NetworkDeps {
  me: Me;
  scheduler: Scheduler;
  store: MemoryStore;
  ledger: Ledger;
  /** The node that a request or a new socket gets to; null: there is none. */
  aNode: () => NodeProcess | null;
  /** How long a session lives, milliseconds. */
  sessionMs: number;
  reached: Set<string>;
  onSent: (frame: Uint8Array) => void;
}

export function makeNetwork({ me, scheduler, store, ledger, aNode, sessionMs, reached, onSent }: NetworkDeps): Network {
  let open: { link: Link; process: NodeProcess }[] = [];
  let expiresAt = scheduler.now() + sessionMs;
  const lost = (): Error => new ApiError(0, 'unreachable', 'nobody answers');

  /** A request that may get there, be carried out, and have its answer lost. */
  function ask<T>(place: Place, run: (node: Node) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => place.later(() => reject(error));
      scheduler.soon(() => {
        const process = network.isOnline && place.isAlive() ? aNode() : null;
        if (!process) return fail(lost());
        void run(process.node).then(
          (answer) => scheduler.soon(() => (network.isOnline && process.isAlive() ? place.later(() => resolve(answer)) : fail(lost()))),
          (error: unknown) => fail(error instanceof ApiError ? error : lost()),
        );
      });
    });
  }

  const network: Network = {
    isOnline: true,
    isHttpOnly: false,
    links: () => open,
    cut(process) {
      for (const one of open) if (!process || one.process === process) one.link.cut();
      open = process ? open.filter((one) => one.process !== process) : [];
    },
    apiOf: (place) =>
      makeApi({
        me,
        scheduler,
        store,
        ask: (run) => ask(place, run),
        renewed() {
          expiresAt = scheduler.now() + sessionMs;
          reached.add('session renewed');
        },
        exchanged(closed, reason) {
          if (closed === null) reached.add('over HTTP');
          else if (isRefusal(CLOSE[closed].code)) ledger.wrong(`[W12] an exchange was refused ${closed} ${reason}`);
        },
      }),
    socketOf(place) {
      let dialled: NodeProcess | null = null;
      function dial(socket: Socket): Session | null {
        dialled = network.isOnline && !network.isHttpOnly ? aNode() : null;
        return dialled?.node.openChannels({ userId: me.id, sid: me.id, expiresAt, socket }) ?? null;
      }
      return makeWebSocket({
        place,
        scheduler,
        dial,
        onSent,
        onLink: (link) => open.push({ link, process: dialled! }),
        tooSlow: () => reached.add('slow reader cut'),
        refused: (code, reason) => ledger.wrong(`[A] an honest client was refused: ${code} ${reason}`),
      });
    },
  };
  return network;
}
