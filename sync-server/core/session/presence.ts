import * as decoding from 'lib0/decoding';
import type { Clock } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { LIMITS, RATES } from '../../../shared/limits.ts';
import { type AwarenessEntry, EMPTY_AWARENESS, encodeAwareness, readNumber } from '../../../shared/protocol.ts';
import type { Logger, Membership, Positions } from '../ports.ts';
import { type Discretion, makeDiscretion } from './discretion.ts';
import { type Bucket, makeBucket } from './limiter.ts';

/**
 * Who is here, who types, who has read how far: the awareness of one root's room, made by the server (P1 to P6).
 *
 *   visitor ── {typing, read} of one client id ──► entry {user, typing, read}, under the server's clock ──► every other visitor
 *   Postgres ── positions of all members ──► one entry {away} under the root's server client id ──► every visitor
 *
 * Before it is known who is kept from whom nobody is told anything.
 */
export interface Presence {
  enter(who: { userId: Uuid; send(message: Uint8Array): void }): Visitor;
  /** Somebody's stored positions changed, here or on another node, or who is kept from whom. */
  positionsChanged(): void;
}

export interface Visitor {
  /** An awareness update, after its message type. False: bytes that are none. */
  receive(update: Uint8Array): boolean;
  /** Sends everything that this visitor may see, once that is known; with nothing to see, the empty update (P7). */
  resend(): void;
  leave(): void;
}

/** Changes are gathered this long before they are sent. */
const TICK_MS = 50;
/** How often the entry of positions is made anew; stock clients forget an entry after 30 s. */
const AWAY_MS = 20_000;
/** Conversations up to this size have an `away` entry; larger ones ask over HTTP. */
const AWAY_MEMBERS = 32;
/** Entries in one frame that we send: a stock client relays it whole, and a frame has a limit (W6). */
const PIECE = 128;
/** Client ids that are gone, of which a connection may still relay one. */
const GONE_IDS = 2_048;
/** Entries that one awareness frame may hold: a stock client relays those it knows. */
const FRAME_ENTRIES = 1_024;

interface Guest {
  userId: Uuid;
  send(message: Uint8Array): void;
  entry: { client: number; clock: number; typing: boolean; read: number | null } | null;
  /** The client id that spoke for it before: no other may. */
  spoke: number | null;
  /** After how many departures it was told what stood; null: not yet, its own first frame may come before. */
  toldAt: number | null;
  /** Asked for everything, and waits until it is known. */
  asks: boolean;
  /** A read position on its way to the log; the newest waits while one is stored. */
  storing: boolean;
  wanted: number;
  reads: Bucket;
}

const encodePieces = (entries: readonly AwarenessEntry[]): Uint8Array[] =>
  Array.from({ length: Math.ceil(entries.length / PIECE) }, (_, i) => encodeAwareness(entries.slice(i * PIECE, (i + 1) * PIECE)));

export function makePresence(deps: {
  conversationId: Uuid;
  serverClient: number;
  membership: Membership;
  clock: Clock;
  logger: Logger;
  /** Tells other nodes that this person's positions changed. */
  announce(userId: Uuid): void;
  /** The last visitor left. */
  onEmpty(): void;
}): Presence {
  const { conversationId, serverClient, membership, clock, logger } = deps;
  const guests = new Set<Guest>();
  const holders = new Map<number, Guest>();
  const changed = new Map<number, { entry: AwarenessEntry; of: Uuid }>();
  let isAwayChanged = false;
  let discretion: Discretion | null = null;
  /** Client ids under which somebody was, by their departure, the newest last: a stock client relays what it was sent, also later (P3). */
  const gone = new Map<number, number>();
  let departures = 0;
  let positions = new Map<Uuid, Positions>();
  /** What is stored was read once, or could not be. */
  let hasLooked = false;
  let lastClock = 0;
  let stopTick: (() => void) | null = null;
  let stopAway: (() => void) | null = null;
  let stopRefresh: (() => void) | null = null;

  const nextClock = (): number => (lastClock = Math.max(lastClock + 1, clock.now()));

  const entryOf = (guest: Guest): AwarenessEntry[] =>
    guest.entry
      ? [
          {
            client: guest.entry.client,
            clock: guest.entry.clock,
            state: {
              user: { id: guest.userId },
              typing: guest.entry.typing,
              ...(guest.entry.read === null ? {} : { read: guest.entry.read }),
            },
          },
        ]
      : [];

  function awayEntry(isShown: (userId: Uuid) => boolean): AwarenessEntry[] {
    if (positions.size === 0 || positions.size > AWAY_MEMBERS) return [];
    const shown = [...positions].filter(([userId]) => isShown(userId));
    const away = shown.map(([userId, { read, delivered }]) => [userId, [read, delivered]]);
    return [{ client: serverClient, clock: nextClock(), state: { away: Object.fromEntries(away) } }];
  }

  function change(of: Uuid, entries: readonly AwarenessEntry[]): void {
    for (const entry of entries) changed.set(entry.client, { entry, of });
    stopTick ??= clock.after(TICK_MS, flush);
  }

  function changeAway(): void {
    isAwayChanged = true;
    stopTick ??= clock.after(TICK_MS, flush);
  }

  function flush(): void {
    stopTick = null;
    if (!discretion) return;
    const news = [...changed.values()];
    const { isOrdinary, isShown } = discretion;
    // Nearly everybody sees the same: that is encoded once.
    const entries = [...news.filter(({ of }) => isShown(of)).map(({ entry }) => entry), ...(isAwayChanged ? awayEntry(isShown) : [])];
    const whole = encodePieces(entries);
    for (const guest of guests) {
      if (guest.asks) continue;
      if (guest.toldAt === null) resend(guest);
      else if (isOrdinary(guest.userId) && !(guest.entry && changed.has(guest.entry.client))) show(guest, entries, whole);
      else show(guest, newsFor(guest, news), null);
    }
    changed.clear();
    isAwayChanged = false;
  }

  /** What of the news one guest may see, their own entry left out (P3). */
  const newsFor = (guest: Guest, news: readonly { entry: AwarenessEntry; of: Uuid }[]): AwarenessEntry[] => [
    ...news.filter(({ entry, of }) => entry.client !== guest.entry?.client && sees(guest, of)).map(({ entry }) => entry),
    ...(isAwayChanged ? awayEntry((userId) => sees(guest, userId)) : []),
  ];

  const sees = (guest: Guest, userId: Uuid): boolean => discretion?.sees(guest.userId, userId) ?? false;

  /** Those who are kept from one another from now on are gone for each other at once; whom this concerns is told anew what stands. */
  function takeDiscretion(next: Discretion): void {
    const before = discretion;
    discretion = next;
    if (!before || before.isLike(next)) return;
    const isConcerned = ({ userId }: Guest): boolean => !(before.isOrdinary(userId) && next.isOrdinary(userId));
    const concerned = [...guests].filter(isConcerned);
    for (const guest of guests) {
      const others = [...(isConcerned(guest) ? guests : concerned)];
      const turned = others.filter(({ userId }) => before.sees(guest.userId, userId) !== next.sees(guest.userId, userId));
      if (turned.length === 0 || guest.toldAt === null) continue;
      const lost = turned.filter(({ userId }) => !next.sees(guest.userId, userId));
      const removals = lost.flatMap(({ entry }) => (entry ? [{ client: entry.client, clock: nextClock(), state: null }] : []));
      show(guest, removals, null);
      resend(guest);
    }
  }

  function show(guest: Guest, entries: readonly AwarenessEntry[], pieces: readonly Uint8Array[] | null): void {
    for (const piece of pieces ?? encodePieces(entries)) guest.send(piece);
  }

  const visibleTo = (guest: Guest): AwarenessEntry[] => [
    ...[...guests].filter((other) => other !== guest && sees(guest, other.userId)).flatMap(entryOf),
    ...awayEntry((userId) => sees(guest, userId)),
  ];

  function resend(guest: Guest): void {
    if (!discretion) return;
    guest.toldAt ??= departures;
    show(guest, visibleTo(guest), null);
  }

  /** Answers who asks, always: over HTTP somebody waits for it (W12). */
  function answer(guest: Guest): void {
    guest.asks = !hasLooked;
    if (guest.asks) return;
    if (discretion && visibleTo(guest).length > 0) resend(guest);
    else guest.send(EMPTY_AWARENESS);
  }

  /** Whether the guest was sent an entry of somebody else under this client id: one that stands, or that stood since it was told (P3). */
  function wasTold({ toldAt, spoke }: Guest, client: number): boolean {
    return toldAt !== null && (holders.has(client) || (client !== spoke && (gone.get(client) ?? 0) > toldAt));
  }

  function publish(guest: Guest): void {
    if (!guest.entry) return;
    guest.entry.clock = nextClock();
    change(guest.userId, entryOf(guest));
  }

  function withdraw(guest: Guest): void {
    if (!guest.entry) return;
    const { client } = guest.entry;
    guest.entry = null;
    guest.spoke = client;
    holders.delete(client);
    gone.delete(client);
    gone.set(client, ++departures);
    const [oldest] = gone.keys();
    if (gone.size > GONE_IDS && oldest !== undefined) gone.delete(oldest);
    change(guest.userId, [{ client, clock: nextClock(), state: null }]);
  }

  /** Reads the stored positions and tells everybody; on failure the next turn tries again. */
  async function refreshAway(): Promise<void> {
    try {
      const [stored, privacy] = await Promise.all([membership.positions(conversationId), membership.privacy(conversationId)]);
      const before = positions;
      positions = stored;
      takeDiscretion(makeDiscretion(privacy));
      for (const [userId, { read, delivered }] of before) {
        const now = positions.get(userId);
        if (now) positions.set(userId, { read: Math.max(read, now.read), delivered: Math.max(delivered, now.delivered) });
      }
      for (const guest of guests) takeStored(guest, positions.get(guest.userId)?.read ?? 0);
      if (guests.size > 0) changeAway();
    } catch (error) {
      logger.warn({ conversationId, error: String(error) }, 'read positions could not be loaded');
    }
    hasLooked = true;
    for (const guest of guests) if (guest.asks) answer(guest);
  }

  function refreshSoon(): void {
    stopRefresh = null;
    void refreshAway();
  }

  function keepAway(): void {
    stopAway?.();
    stopAway = clock.after(AWAY_MS, keepAway);
    void refreshAway();
  }

  /** Stores a read position before anybody sees it; one at a time per guest, the newest wins (P4). */
  async function store(guest: Guest, read: number): Promise<void> {
    guest.wanted = Math.max(guest.wanted, read);
    if (guest.storing) return;
    guest.storing = true;
    try {
      for (let wanted = 0; wanted < guest.wanted;) {
        const wait = guest.reads.take(clock.elapsed());
        if (wait > 0) await new Promise<void>((resolve) => void clock.after(wait, resolve));
        wanted = guest.wanted;
        const stored = await membership.setRead(conversationId, guest.userId, wanted);
        if (stored === null) return;
        guest.wanted = guest.wanted === wanted ? stored : guest.wanted;
        wanted = stored;
        if (stored <= (positions.get(guest.userId)?.read ?? 0)) continue;
        positions.set(guest.userId, { delivered: 0, ...positions.get(guest.userId), read: stored });
        takeStored(guest, stored);
        deps.announce(guest.userId);
      }
    } catch (error) {
      guest.wanted = 0;
      logger.warn({ conversationId, error: String(error) }, 'a read position was not stored');
    } finally {
      guest.storing = false;
    }
  }

  function takeStored(guest: Guest, read: number): void {
    if (!guest.entry || read <= (guest.entry.read ?? 0)) return;
    guest.entry.read = read;
    publish(guest);
  }

  /** Which entry of the frame speaks for this guest: its own client id, or the first that it was not sent (P2). */
  function isOwn(guest: Guest, client: number): boolean {
    if (guest.entry) return guest.entry.client === client;
    if (guest.spoke !== null && guest.spoke !== client) return false;
    const holder = holders.get(client);
    if (client === serverClient || wasTold(guest, client) || (holder && holder.userId !== guest.userId)) return false;
    if (holder) withdraw(holder);
    return true;
  }

  /** Throws on bytes that are no awareness update. */
  function receive(guest: Guest, update: Uint8Array): void {
    const decoder = decoding.createDecoder(update);
    const count = readNumber(decoder);
    if (count > FRAME_ENTRIES) throw new RangeError('too many awareness entries');
    for (let i = 0; i < count; i++) {
      const client = readNumber(decoder);
      readNumber(decoder);
      const text = decoding.readVarUint8Array(decoder);
      if (text.byteLength <= LIMITS.awareness && isOwn(guest, client)) takeState(guest, client, new TextDecoder().decode(text));
    }
    if (decoding.hasContent(decoder)) throw new RangeError('bytes after the awareness update');
  }

  function takeState(guest: Guest, client: number, json: string): void {
    const state: unknown = JSON.parse(json);
    if (state === null) return withdraw(guest);
    if (typeof state !== 'object') throw new TypeError('an awareness state that is no object');
    const { typing, read } = state as { typing?: unknown; read?: unknown };
    guest.entry ??= { client, clock: 0, typing: false, read: positions.get(guest.userId)?.read ?? null };
    guest.entry.typing = typing === true;
    holders.set(client, guest);
    publish(guest);
    if (typeof read === 'number' && Number.isSafeInteger(read) && read > (guest.entry.read ?? 0)) void store(guest, read);
  }

  function leave(guest: Guest): void {
    if (!guests.delete(guest)) return;
    withdraw(guest);
    if (guests.size > 0) return;
    stopTick?.();
    stopAway?.();
    stopRefresh?.();
    stopTick = stopAway = stopRefresh = null;
    changed.clear();
    deps.onEmpty();
  }

  return {
    enter({ userId, send }) {
      const guest: Guest = {
        userId,
        send,
        entry: null,
        spoke: null,
        toldAt: null,
        asks: false,
        storing: false,
        wanted: 0,
        reads: makeBucket(RATES.reads),
      };
      guests.add(guest);
      if (guests.size === 1) keepAway();
      // Whoever came is told what stands with the next tick.
      changeAway();
      return {
        receive(update) {
          try {
            receive(guest, update);
            return true;
          } catch {
            return false;
          }
        },
        resend: () => answer(guest),
        leave: () => leave(guest),
      };
    },
    positionsChanged() {
      stopRefresh ??= clock.after(TICK_MS, refreshSoon);
    },
  };
}
