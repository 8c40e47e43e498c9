import * as decoding from 'lib0/decoding';
import type { Clock } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { LIMITS } from '../../../shared/limits.ts';
import { type AwarenessEntry, EMPTY_AWARENESS, encodeAwareness } from '../../../shared/protocol.ts';
import type { Logger, Membership, Positions } from '../ports.ts';

/**
 * Who is here, who types, who has read how far: the awareness of one root's room, made by the server (P1 to P5).
 *
 *   visitor ── {typing, read} of one client id ──► entry {user, typing, read}, under the server's clock ──► every other visitor
 *   Postgres ── positions of all members ──► one entry {away} under the root's server client id ──► every visitor
 */
export interface Presence {
  enter(who: { userId: Uuid; send(message: Uint8Array): void }): Visitor;
  /** Somebody's stored positions changed, here or on another node. */
  positionsChanged(): void;
}

export interface Visitor {
  /** An awareness update, after its message type. Throws on bytes that are none. */
  receive(update: Uint8Array): void;
  /** Sends everything that this visitor may see, once the stored positions are known; with nothing to see, the empty update. */
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
/** Ids that a connection is known to have been sent. */
const SENT_IDS = 2_048;
/** Entries that one awareness frame may hold: a stock client relays those it knows. */
const FRAME_ENTRIES = 1_024;

interface Guest {
  userId: Uuid;
  send(message: Uint8Array): void;
  entry: { client: number; clock: number; typing: boolean; read: number | null } | null;
  /** Ids of others that it was sent, the newest last: a stock client relays what it is sent, also later (P3). */
  sent: Set<number>;
  /** Has not been told yet what stands: its own first frame may come before. */
  fresh: boolean;
  /** Asked for everything, and waits for the stored positions. */
  asks: boolean;
  /** A read position on its way to the log; the newest waits while one is stored. */
  storing: boolean;
  wanted: number;
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
  const changed = new Map<number, AwarenessEntry>();
  let positions = new Map<Uuid, Positions>();
  let isLoaded = false;
  let lastClock = 0;
  let stopTick: (() => void) | null = null;
  let stopAway: (() => void) | null = null;

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

  function awayEntry(): AwarenessEntry[] {
    if (positions.size === 0 || positions.size > AWAY_MEMBERS) return [];
    const away = [...positions].map(([userId, { read, delivered }]) => [userId, [read, delivered]]);
    return [{ client: serverClient, clock: nextClock(), state: { away: Object.fromEntries(away) } }];
  }

  function change(entries: readonly AwarenessEntry[]): void {
    for (const entry of entries) changed.set(entry.client, entry);
    stopTick ??= clock.after(TICK_MS, flush);
  }

  function flush(): void {
    stopTick = null;
    const entries = [...changed.values()];
    changed.clear();
    const whole = encodePieces(entries);
    for (const guest of guests) {
      if (guest.asks) continue;
      if (guest.fresh) {
        resend(guest);
        continue;
      }
      const own = guest.entry?.client;
      const isWhole = own === undefined || !entries.some(({ client }) => client === own);
      show(guest, isWhole ? entries : entries.filter(({ client }) => client !== own), isWhole ? whole : null);
    }
  }

  function show(guest: Guest, entries: readonly AwarenessEntry[], pieces: readonly Uint8Array[] | null): void {
    for (const { client } of entries) {
      guest.sent.delete(client);
      guest.sent.add(client);
    }
    for (const client of guest.sent) {
      if (guest.sent.size <= SENT_IDS) break;
      guest.sent.delete(client);
    }
    for (const piece of pieces ?? encodePieces(entries)) guest.send(piece);
  }

  const visibleTo = (guest: Guest): AwarenessEntry[] => [
    ...[...guests].filter((other) => other !== guest).flatMap(entryOf),
    ...awayEntry(),
  ];

  function resend(guest: Guest): void {
    guest.fresh = false;
    show(guest, visibleTo(guest), null);
  }

  /** Answers who asks, always: over HTTP somebody waits for it (W12). */
  function answer(guest: Guest): void {
    guest.asks = !isLoaded;
    if (guest.asks) return;
    const entries = visibleTo(guest);
    guest.fresh = false;
    if (entries.length > 0) show(guest, entries, null);
    else guest.send(EMPTY_AWARENESS);
  }

  function publish(guest: Guest): void {
    if (!guest.entry) return;
    guest.entry.clock = nextClock();
    change(entryOf(guest));
  }

  function withdraw(guest: Guest): void {
    if (!guest.entry) return;
    const { client } = guest.entry;
    guest.entry = null;
    holders.delete(client);
    change([{ client, clock: nextClock(), state: null }]);
  }

  /** Reads the stored positions and tells everybody; on failure the next turn tries again. */
  async function refreshAway(): Promise<void> {
    try {
      const before = positions;
      positions = await membership.positions(conversationId);
      for (const [userId, { read, delivered }] of before) {
        const now = positions.get(userId);
        if (now) positions.set(userId, { read: Math.max(read, now.read), delivered: Math.max(delivered, now.delivered) });
      }
      for (const guest of guests) takeStored(guest, positions.get(guest.userId)?.read ?? 0);
      if (guests.size > 0) change(awayEntry());
    } catch (error) {
      logger.warn({ conversationId, error: String(error) }, 'read positions could not be loaded');
    }
    isLoaded = true;
    for (const guest of guests) if (guest.asks) answer(guest);
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
    const holder = holders.get(client);
    if (client === serverClient || guest.sent.has(client) || (holder && holder.userId !== guest.userId)) return false;
    if (holder) withdraw(holder);
    return true;
  }

  function receive(guest: Guest, update: Uint8Array): void {
    const decoder = decoding.createDecoder(update);
    const count = decoding.readVarUint(decoder);
    if (count > FRAME_ENTRIES) throw new RangeError('too many awareness entries');
    for (let i = 0; i < count; i++) {
      const client = decoding.readVarUint(decoder);
      decoding.readVarUint(decoder);
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
    stopTick = stopAway = null;
    changed.clear();
    deps.onEmpty();
  }

  return {
    enter({ userId, send }) {
      const guest: Guest = { userId, send, entry: null, sent: new Set(), fresh: true, asks: false, storing: false, wanted: 0 };
      guests.add(guest);
      if (guests.size === 1) keepAway();
      // Whoever came is told what stands with the next tick.
      change(awayEntry());
      return { receive: (update) => receive(guest, update), resend: () => answer(guest), leave: () => leave(guest) };
    },
    positionsChanged: () => void refreshAway(),
  };
}
