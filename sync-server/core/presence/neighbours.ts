import type { Clock, RandomBytes } from '../../../shared/clock.ts';
import { type Uuid, makeUuid } from '../../../shared/ids.ts';
import type { Hint, Logger, PresenceNews } from '../ports.ts';

/** What nodes tell each other of who is on them. */
export type NeighbourHint = Extract<Hint, { kind: 'presence' | 'who-is-here' }>;

/**
 * The other nodes, as far as presence goes (P8).
 *
 *   tell ──► newest of each client id ── tick: one `presence` of so many ──► other nodes: heard
 *   turn, every 5 s ── `who-is-here`: I am there ──► other nodes; every fourth time all who are here are told again
 *   ask ──► `who-is-here` about conversations ──► other nodes tell who of theirs is in them
 *
 * Nothing depends on any one hint: who is not spoken of again is gone after a while, and who was left out comes with the next turns.
 * A node that hears of no other keeps what it knows to itself.
 */
export interface Neighbours {
  /** Milliseconds, always more than before and than other nodes have said. */
  nextClock(): number;
  tell(news: PresenceNews): void;
  ask(conversationId: Uuid): void;
  hear(hint: NeighbourHint): void;
  /** Hints may have been lost. */
  gap(): void;
  /** This node does not hear its own hints either. */
  isDeaf(): boolean;
  /** Sends what waits, if that is possible now, and ends. */
  stop(): Promise<void>;
}

/** What of this node the others are told, and where what they say goes. */
export interface Local {
  conversations(): Iterable<Uuid>;
  here(conversationId: Uuid): PresenceNews[];
  heard(news: PresenceNews, node: Uuid): void;
  /** Who is on another node and was not heard of since then is gone. */
  expire(before: number): void;
}

const TICK_MS = 50;
/** Told and asked in one tick at most: a dozen NOTIFYs, sent as one. */
const NEWS_PER_TICK = 512;
const QUESTIONS_PER_TICK = 512;
/** News that wait while the bus does not take any; the oldest go: they come again with a turn, or are over by then. */
const NEWS_MOST = 32_768;
const TURN_MS = 5_000;
/** All are told again every so many turns: stock clients forget an entry after 30 s. */
const TELL_ALL_TURNS = 4;
/** Who was not heard of for so long is gone, at the next turn: 35 s together (P5). */
const SILENT_MS = 30_000;
/** So long without a turn, and this node did not run: what it hears now may be of then. */
const FROZEN_MS = 15_000;
const STOP_MS = 1_000;

export function makeNeighbours(deps: {
  local: Local;
  publish(hint: Hint): Promise<void>;
  clock: Clock;
  random: RandomBytes;
  logger: Logger;
}): Neighbours {
  const { local, clock, logger } = deps;
  const me = makeUuid(clock.now(), deps.random);
  const nodes = new Map<Uuid, number>();
  const news = new Map<string, PresenceNews>();
  const questions = new Set<Uuid>();
  let isGreeting = true;
  let lastClock = 0;
  let turns = 0;
  let ranAt = clock.elapsed();
  let echoedAt = clock.elapsed();
  /** What was sent before this time is of before a freeze. Once an own hint that was sent since comes back, all of that has been heard. */
  let deafUntil: number | null = null;
  let sending: Promise<void> | null = null;
  let stopTick: (() => void) | null = null;
  let stopTurn = clock.after(TURN_MS, turn);

  const nextClock = (): number => (lastClock = Math.max(lastClock + 1, clock.now()));

  function sendSoon(): void {
    if (!sending) stopTick ??= clock.after(TICK_MS, sendNow);
  }

  function sendNow(): void {
    stopTick?.();
    stopTick = null;
    sending = send().then(() => {
      sending = null;
      if (isGreeting || news.size > 0) sendSoon();
    });
  }

  async function send(): Promise<void> {
    const said = takeFirst(news, NEWS_PER_TICK);
    const asked = takeFirst(questions, QUESTIONS_PER_TICK);
    const hints: NeighbourHint[] = [];
    if (isGreeting) hints.push({ kind: 'who-is-here', node: me, clock: nextClock(), conversationIds: asked });
    if (said.length > 0) hints.push({ kind: 'presence', node: me, clock: nextClock(), news: said });
    isGreeting = questions.size > 0;
    try {
      await Promise.all(hints.map(deps.publish));
    } catch (error) {
      logger.warn({ error: String(error) }, 'presence was not told to other nodes');
    }
  }

  function tell(one: PresenceNews): void {
    if (nodes.size === 0) return;
    const [conversationId, client] = one;
    const key = `${conversationId} ${client}`;
    news.set(key, one);
    if (news.size > NEWS_MOST) takeFirst(news, 1);
    sendSoon();
  }

  function tellAll(): void {
    for (const conversationId of local.conversations()) local.here(conversationId).forEach(tell);
  }

  function ask(conversationId: Uuid): void {
    if (nodes.size === 0) return;
    questions.add(conversationId);
    greet();
  }

  function greet(): void {
    isGreeting = true;
    sendSoon();
  }

  function askAll(): void {
    for (const conversationId of local.conversations()) questions.add(conversationId);
    greet();
  }

  function turn(): void {
    noticeFreeze();
    const now = clock.elapsed();
    for (const [node, heardAt] of nodes) if (heardAt < now - SILENT_MS) nodes.delete(node);
    local.expire(now - SILENT_MS);
    if (++turns % TELL_ALL_TURNS === 0 && deafUntil === null) tellAll();
    greet();
    stopTurn = clock.after(TURN_MS, turn);
  }

  /** A process that was stopped and goes on knows what was, and hears what was said meanwhile as if it were said now (F19). */
  function noticeFreeze(): void {
    const now = clock.elapsed();
    if (now - ranAt > FROZEN_MS) {
      deafUntil = nextClock();
      local.expire(Infinity);
      askAll();
    }
    ranAt = now;
  }

  function hearOwn(sentAt: number): void {
    echoedAt = clock.elapsed();
    if (deafUntil === null || sentAt < deafUntil) return;
    deafUntil = null;
    tellAll();
  }

  greet();
  return {
    nextClock,
    tell,
    ask,
    hear(hint) {
      noticeFreeze();
      lastClock = Math.max(lastClock, hint.clock);
      if (hint.node === me) return hearOwn(hint.clock);
      if (deafUntil !== null) return;
      const isNew = !nodes.has(hint.node);
      nodes.set(hint.node, clock.elapsed());
      // It has not heard of us either, or not for long.
      if (isNew) tellAll();
      if (hint.kind === 'presence') for (const one of hint.news) local.heard(one, hint.node);
      else for (const conversationId of hint.conversationIds) local.here(conversationId).forEach(tell);
    },
    gap: askAll,
    isDeaf: () => clock.elapsed() - echoedAt > 2 * TURN_MS,
    async stop() {
      stopTurn();
      isGreeting = false;
      const sentAll = (async () => {
        for (await sending; news.size > 0; await sending) sendNow();
        stopTick?.();
      })();
      await Promise.race([sentAll, new Promise<void>((resolve) => void clock.after(STOP_MS, resolve))]);
    },
  };
}

/** Takes the oldest out of a map or set. */
function takeFirst<Key, Value>(from: { entries(): Iterable<[Key, Value]>; delete(key: Key): boolean }, most: number): Value[] {
  const taken: Value[] = [];
  for (const [key, value] of from.entries()) {
    if (taken.length === most) break;
    from.delete(key);
    taken.push(value);
  }
  return taken;
}
