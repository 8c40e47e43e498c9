import { type Api, ApiError } from '../../../../client/sync/api.ts';
import type { Me } from '../../../../shared/api.ts';
import { CLOSE } from '../../../../shared/close-codes.ts';
import { makeUuid } from '../../../../shared/ids.ts';
import type { MemoryStore } from '../../../memory/store.ts';
import type { Node } from '../../node.ts';
import type { Socket } from '../../ports.ts';
import type { Session } from '../../session/session.ts';
import type { Ledger } from '../oracle/ledger.ts';
import type { Chance } from '../chance.ts';
import type { Rights } from '../oracle/rights.ts';
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
  /** Ends the sign-in at some node, as from another device. */
  revoke(): void;
  isRevoked(): boolean;
  /** Signs in anew. */
  signIn(): void;
  /** Cuts the sockets, all of them or those of one node. */
  cut(process?: NodeProcess): void;
}

export interface NetworkDeps {
  me: Me;
  scheduler: Scheduler;
  chance: Chance;
  store: MemoryStore;
  ledger: Ledger;
  rights: Rights;
  /** The node that a request or a new socket gets to; null: there is none. */
  aNode: () => NodeProcess | null;
  /** How long a session lives, milliseconds. */
  sessionMs: number;
  reached: Set<string>;
  onSent: (frame: Uint8Array) => void;
}

/** An ended sign-in is noticed by then, whatever became of the hints. */
const REVOKED_MS = 8_000;

const SIGNED_OUT: Session = { userId: '', sid: '', receive() {}, closed() {}, end() {}, extend() {} };

function turnAway(socket: Socket): Session {
  socket.close(CLOSE.unauthorized.code, '');
  return SIGNED_OUT;
}

export function makeNetwork(deps: NetworkDeps): Network {
  const { me, scheduler, chance, store, ledger, rights, aNode, sessionMs, reached, onSent } = deps;
  let sid = makeUuid(scheduler.now(), chance.bytes);
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
        if (network.isRevoked()) return fail(new ApiError(401, 'unauthorized', 'signed out'));
        void run(process.node).then(
          (answer) => scheduler.soon(() => (network.isOnline && process.isAlive() ? place.later(() => resolve(answer)) : fail(lost()))),
          (error: unknown) => fail(error instanceof ApiError ? error : lost()),
        );
      });
    });
  }

  /** Who was taken out hears that, and who was signed out. */
  function isWrong(code: number): boolean {
    if (code === CLOSE.notMember.code) return !rights.hasBeenOut(me.id);
    return isRefusal(code) && !(code === CLOSE.unauthorized.code && network.isRevoked());
  }

  const network: Network = {
    isRevoked: () => store.endedSignIns.has(sid),
    signIn: () => void (sid = makeUuid(scheduler.now(), chance.bytes)),
    revoke() {
      if (network.isRevoked()) return;
      const [ended, before] = [sid, [...open]];
      if (before.some(({ link }) => link.hasQueued())) reached.add('revocation while frames queued');
      store.endedSignIns.add(ended);
      aNode()?.node.messaging.endSessions({ userId: me.id, sid: ended });
      scheduler.clock.after(REVOKED_MS, () => {
        if (before.some(({ link, process }) => process.isAlive() && link.isServed()))
          ledger.wrong('[S4] who was signed out is still served');
      });
    },
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
        sid: () => sid,
        scheduler,
        store,
        refusedToAsk: (otherId) => ledger.limited.add(`${me.id} ${otherId}`),
        ask: (run) => ask(place, run),
        renewed() {
          expiresAt = scheduler.now() + sessionMs;
          reached.add('session renewed');
        },
        exchanged(closed, reason) {
          if (closed === null) reached.add('over HTTP');
          else if (isWrong(CLOSE[closed].code)) ledger.wrong(`[W12] an exchange was refused ${closed} ${reason}`);
        },
      }),
    socketOf(place) {
      let dialled: NodeProcess | null = null;
      function dial(socket: Socket): Session | null {
        dialled = network.isOnline && !network.isHttpOnly ? aNode() : null;
        if (dialled && network.isRevoked()) return turnAway(socket);
        return dialled?.node.openChannels({ userId: me.id, sid, expiresAt, socket }) ?? null;
      }
      return makeWebSocket({
        place,
        scheduler,
        dial,
        onSent,
        onLink: (link) => open.push({ link, process: dialled! }),
        tooSlow: () => reached.add('slow reader cut'),
        refused: (code, reason) => isWrong(code) && ledger.wrong(`[A] an honest client was refused: ${code} ${reason}`),
      });
    },
  };
  return network;
}
