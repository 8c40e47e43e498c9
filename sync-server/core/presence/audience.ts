import type { Clock } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { type AwarenessEntry, EMPTY_AWARENESS, encodeAwareness } from '../../../shared/protocol.ts';
import type { Discretion } from './discretion.ts';
import type { Standing, Standings } from './standings.ts';
import type { Known, Stored } from './stored.ts';

/** One visitor as somebody who is told of the others. */
export interface Listener {
  userId: Uuid;
  send(message: Uint8Array): void;
  own: Standing | null;
  /** The client id that spoke for it before: no other may. */
  spoke: number | null;
  /** After how many departures it was told what stood; null: not yet, its own first frame may come before. */
  toldAt: number | null;
  /** Asked for everything, and waits until it is known. */
  asks: boolean;
}

/** Tells a root's visitors on this node what each may see (P3, P6), gathered per tick, under a clock that never goes back. */
export interface Audience {
  listeners: ReadonlySet<Listener>;
  join(listener: Listener): void;
  leave(listener: Listener): void;
  /** The next tick tells of it, or that it is gone. */
  change(standing: Standing, isGone?: boolean): void;
  /** Answers a question, as soon as what is stored is known (P7). */
  answer(listener: Listener): void;
  answerWaiting(): void;
  /** Whether it was sent an entry of somebody else under this client id: one that stands, or that stood since it was told (P3). */
  wasTold(listener: Listener, client: number): boolean;
  /** What is stored was read anew: whom it shows and hides is told to whom it concerns. */
  looked(before: Known): void;
}

/** Changes are gathered this long before they are sent. */
const TICK_MS = 50;
/** Conversations up to this size have an `away` entry; larger ones ask over HTTP. */
const AWAY_MEMBERS = 32;
/** Entries in one frame that we send: a stock client relays it whole, and a frame has a limit (W6). */
const PIECE = 128;

const encodePieces = (entries: readonly AwarenessEntry[]): Uint8Array[] =>
  Array.from({ length: Math.ceil(entries.length / PIECE) }, (_, i) => encodeAwareness(entries.slice(i * PIECE, (i + 1) * PIECE)));

const clientOf = ({ own, spoke }: Listener): number | null => own?.client ?? spoke;

export function makeAudience(deps: {
  serverClient: number;
  standings: Standings;
  stored: Stored;
  clock: Clock;
  nextClock(): number;
}): Audience {
  const { serverClient, standings, stored, clock, nextClock } = deps;
  const listeners = new Set<Listener>();
  /** By client id what the next tick tells; `standing` null: gone. */
  const changed = new Map<number, { client: number; userId: Uuid; standing: Standing | null }>();
  let isAwayChanged = false;
  let stopTick: (() => void) | null = null;

  const entryOf = (client: number, standing: Standing | null): AwarenessEntry => ({
    client,
    clock: nextClock(),
    state: standing && {
      user: { id: standing.userId },
      typing: standing.typing,
      ...(standing.read === null ? {} : { read: standing.read }),
    },
  });

  function awayEntry(isShown: (userId: Uuid) => boolean): AwarenessEntry[] {
    const positions = stored.positions();
    if (positions.size === 0 || positions.size > AWAY_MEMBERS) return [];
    const shown = [...positions].filter(([userId]) => isShown(userId));
    const away = shown.map(([userId, { read, delivered }]) => [userId, [read, delivered]]);
    return [{ client: serverClient, clock: nextClock(), state: { away: Object.fromEntries(away) } }];
  }

  /** Whoever is on another node and no member by what is stored is not shown: that node may not have heard of it yet. */
  const isKnown = ({ node, userId }: Standing): boolean => node === null || stored.positions().has(userId);

  function show(listener: Listener, entries: readonly AwarenessEntry[]): void {
    for (const piece of encodePieces(entries)) listener.send(piece);
  }

  function visibleTo(listener: Listener, { sees }: Discretion): AwarenessEntry[] {
    const others = standings.all().filter((standing) => standing.client !== clientOf(listener) && isKnown(standing));
    const seen = others.filter(({ userId }) => sees(listener.userId, userId));
    return [...seen.map((standing) => entryOf(standing.client, standing)), ...awayEntry((userId) => sees(listener.userId, userId))];
  }

  function resend(listener: Listener, discretion: Discretion): void {
    listener.toldAt ??= standings.departures();
    show(listener, visibleTo(listener, discretion));
  }

  function tickSoon(): void {
    stopTick ??= clock.after(TICK_MS, flush);
  }

  function flush(): void {
    stopTick = null;
    const discretion = stored.discretion();
    if (!discretion) return;
    const { isOrdinary, isShown, sees } = discretion;
    const news = [...changed.values()].filter(({ standing }) => standing === null || isKnown(standing));
    // Nearly everybody sees the same: that is encoded once.
    const entries = news.filter(({ userId }) => isShown(userId)).map(({ client, standing }) => entryOf(client, standing));
    const whole = encodePieces([...entries, ...(isAwayChanged ? awayEntry(isShown) : [])]);
    for (const listener of listeners) {
      const own = clientOf(listener);
      if (listener.asks) continue;
      if (listener.toldAt === null) resend(listener, discretion);
      else if (isOrdinary(listener.userId) && !(own !== null && changed.has(own))) for (const piece of whole) listener.send(piece);
      else {
        const seen = news.filter(({ client, userId }) => client !== own && sees(listener.userId, userId));
        const away = isAwayChanged ? awayEntry((userId) => sees(listener.userId, userId)) : [];
        show(listener, [...seen.map(({ client, standing }) => entryOf(client, standing)), ...away]);
      }
    }
    changed.clear();
    isAwayChanged = false;
  }

  /** Those who are kept from one another from now on are gone for each other at once; whom this concerns is told anew what stands. */
  function takeDiscretion(before: Discretion, next: Discretion): void {
    const isConcerned = ({ userId }: { userId: Uuid }): boolean => !(before.isOrdinary(userId) && next.isOrdinary(userId));
    const all = standings.all().filter(isKnown);
    const concerned = all.filter(isConcerned);
    for (const listener of listeners) {
      const { userId: ownId, toldAt } = listener;
      const others = isConcerned(listener) ? all : concerned;
      const turned = others.filter(({ userId }) => before.sees(ownId, userId) !== next.sees(ownId, userId));
      if (turned.length === 0 || toldAt === null) continue;
      const lost = turned.filter(({ userId }) => !next.sees(ownId, userId)).map(({ client }) => entryOf(client, null));
      show(listener, lost);
      resend(listener, next);
    }
  }

  function change(standing: Standing, isGone = false): void {
    if (listeners.size === 0) return;
    changed.set(standing.client, { client: standing.client, userId: standing.userId, standing: isGone ? null : standing });
    tickSoon();
  }

  function answer(listener: Listener): void {
    listener.asks = !stored.hasLooked();
    if (listener.asks) return;
    const discretion = stored.discretion();
    if (discretion && visibleTo(listener, discretion).length > 0) resend(listener, discretion);
    else listener.send(EMPTY_AWARENESS);
  }

  return {
    listeners,
    join(listener) {
      listeners.add(listener);
      // Whoever came is told what stands with the next tick.
      isAwayChanged = true;
      tickSoon();
    },
    leave(listener) {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      stopTick?.();
      stopTick = null;
      changed.clear();
    },
    change,
    answer,
    answerWaiting() {
      for (const listener of listeners) if (listener.asks) answer(listener);
    },
    wasTold: ({ toldAt, spoke }, client) =>
      toldAt !== null && (standings.get(client) !== undefined || (client !== spoke && standings.hasGoneSince(client, toldAt))),
    looked(before) {
      const discretion = stored.discretion();
      if (discretion && before.discretion && !before.discretion.isLike(discretion)) takeDiscretion(before.discretion, discretion);
      for (const standing of standings.all()) {
        const isShown = isKnown(standing);
        if (standing.node !== null && before.positions.has(standing.userId) !== isShown) change(standing, !isShown);
      }
      if (listeners.size === 0) return;
      isAwayChanged = true;
      tickSoon();
    },
  };
}
