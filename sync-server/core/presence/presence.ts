import type { Clock } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import type { Logger, Membership, PresenceNews } from '../ports.ts';
import { type Listener, makeAudience } from './audience.ts';
import { readAwareness, readState } from './read-awareness.ts';
import { type Reader, makeReader } from './reader.ts';
import { type Standing, makeStandings } from './standings.ts';
import { type Known, makeStored } from './stored.ts';

/**
 * Who is here, who types, who has read how far: the awareness of one root, made by the server (P1 to P8).
 *
 *   visitor ── {typing, read} of one client id ──► standing ──► audience: every other visitor, {user, typing, read}
 *                                                   │    ▲
 *                                                   ▼    │
 *                                                other nodes
 *   Postgres ── positions of all members ──► one entry {away} under the root's server client id ──► audience
 */
export interface Presence {
  enter(who: { userId: Uuid; send(message: Uint8Array): void }): Visitor;
  /** Somebody's stored positions changed, here or on another node, or who is a member, or who is kept from whom. */
  positionsChanged(): void;
  /** What another node says of somebody (P8). */
  heard(news: PresenceNews, node: Uuid): void;
  /** Those of this node. */
  here(): PresenceNews[];
  /** Who is on another node and was not heard of since then, by the time that has elapsed, is gone. */
  expire(before: number): void;
}

export interface Visitor {
  /** An awareness update, after its message type. False: bytes that are none. */
  receive(update: Uint8Array): boolean;
  /** Sends everything that this visitor may see, once that is known; with nothing to see, the empty update (P7). */
  resend(): void;
  leave(): void;
}

/** How often the entry of positions is made anew; stock clients forget an entry after 30 s. */
const AWAY_MS = 20_000;
/** What is stored is read this long after it changed, once. */
const REFRESH_MS = 50;
/** After its last visitor it goes on hearing of other nodes for so long: over HTTP somebody comes and goes with each question. */
const LINGER_MS = 30_000;

interface Guest extends Listener {
  reader: Reader;
}

export function makePresence(deps: {
  conversationId: Uuid;
  serverClient: number;
  membership: Membership;
  clock: Clock;
  logger: Logger;
  /** The clock of all entries. */
  nextClock(): number;
  /** Tells other nodes that this person's positions changed. */
  announce(userId: Uuid): void;
  /** Tells other nodes of somebody here. */
  tell(news: PresenceNews): void;
  /** The last visitor left a while ago. */
  onEmpty(): void;
}): Presence {
  const { conversationId, serverClient, clock, nextClock } = deps;
  const guests = new Set<Guest>();
  const standings = makeStandings();
  const stored = makeStored({ ...deps, onLooked });
  const audience = makeAudience({ ...deps, standings, stored });
  let stopAway = (): void => {};
  let stopRefresh: (() => void) | null = null;
  let stopLinger = (): void => {};

  const newsOf = ({ client, userId, since, typing, read }: Standing): PresenceNews => [conversationId, client, userId, since, typing, read];

  /** `isNews`: other nodes are to know it before they are told of everybody again. */
  function publish(standing: Standing, isNews: boolean): void {
    audience.change(standing);
    if (isNews) deps.tell(newsOf(standing));
  }

  function withdraw(guest: Guest): void {
    const { own } = guest;
    if (!own) return;
    mute(guest, own);
    drop(own);
    deps.tell([conversationId, own.client, own.userId, own.since, null, null]);
  }

  function drop(standing: Standing): void {
    standings.remove(standing);
    audience.change(standing, true);
  }

  function mute(guest: Guest, { client }: Standing): void {
    guest.own = null;
    guest.spoke = client;
  }

  /** Whoever held the client id until now does not any more (P2). */
  function take(standing: Standing): void {
    const holder = standings.get(standing.client);
    if (holder?.node === null) for (const guest of guests) if (guest.own === holder) mute(guest, holder);
    standings.put(standing);
  }

  async function look(): Promise<void> {
    await stored.look();
    audience.answerWaiting();
  }

  function onLooked(before: Known): void {
    audience.looked(before);
    for (const guest of guests) takeStored(guest, stored.positions().get(guest.userId)?.read ?? 0);
  }

  function keepAway(): void {
    stopAway = clock.after(AWAY_MS, keepAway);
    void look();
  }

  function onStored(guest: Guest, read: number): void {
    if (!stored.moved(guest.userId, read)) return;
    takeStored(guest, read);
    deps.announce(guest.userId);
  }

  function takeStored({ own }: Guest, read: number): void {
    if (!own || read <= (own.read ?? 0)) return;
    own.read = read;
    publish(own, true);
  }

  /** Which entry of the frame speaks for this guest: its own client id, or the first that it was not sent (P2). */
  function isOwn(guest: Guest, client: number): boolean {
    if (guest.own) return guest.own.client === client;
    if (guest.spoke !== null && guest.spoke !== client) return false;
    const holder = standings.get(client);
    return client !== serverClient && !audience.wasTold(guest, client) && (!holder || holder.userId === guest.userId);
  }

  function takeState(guest: Guest, client: number, json: string): void {
    const state = readState(json);
    if (state === null) return withdraw(guest);
    const wasTyping = guest.own?.typing;
    const own = guest.own ?? begin(guest, client);
    own.typing = state.typing;
    // Typing is said again while it lasts; anything else that is said again is no news.
    publish(own, state.typing || state.typing !== wasTyping);
    if (state.read > (own.read ?? 0)) guest.reader.want(state.read);
  }

  function begin(guest: Guest, client: number): Standing {
    const read = stored.positions().get(guest.userId)?.read ?? null;
    const own: Standing = { client, userId: guest.userId, typing: false, read, since: nextClock(), node: null, heardAt: 0 };
    take(own);
    guest.own = own;
    return own;
  }

  function leave(guest: Guest): void {
    if (!guests.delete(guest)) return;
    withdraw(guest);
    audience.leave(guest);
    if (guests.size > 0) return;
    stopAway();
    stopRefresh?.();
    stopRefresh = null;
    stopLinger = clock.after(LINGER_MS, deps.onEmpty);
  }

  return {
    enter({ userId, send }) {
      const reader = makeReader({ ...deps, userId, onStored: (read) => onStored(guest, read) });
      const guest: Guest = { userId, send, own: null, spoke: null, toldAt: null, asks: false, reader };
      stopLinger();
      guests.add(guest);
      audience.join(guest);
      if (guests.size === 1) {
        stored.forget();
        keepAway();
      }
      return {
        receive(update) {
          try {
            readAwareness(update, (client, json) => isOwn(guest, client) && takeState(guest, client, json()));
            return true;
          } catch {
            return false;
          }
        },
        resend: () => audience.answer(guest),
        leave: () => leave(guest),
      };
    },
    positionsChanged() {
      const refresh = (): void => {
        stopRefresh = null;
        void look();
      };
      if (guests.size > 0) stopRefresh ??= clock.after(REFRESH_MS, refresh);
    },
    heard([, client, userId, since, typing, read], node) {
      const holder = standings.get(client);
      if (typing === null) return holder?.node === node ? drop(holder) : undefined;
      if (client === serverClient || (holder && holder.userId !== userId)) return;
      if (holder && holder.node !== node && holder.since >= since) return;
      const standing: Standing = { client, userId, typing, read, since, node, heardAt: clock.elapsed() };
      take(standing);
      audience.change(standing);
    },
    here: () => [...guests].flatMap(({ own }) => (own ? [newsOf(own)] : [])),
    expire(before) {
      for (const standing of standings.all()) if (standing.node !== null && standing.heardAt < before) drop(standing);
    },
  };
}
