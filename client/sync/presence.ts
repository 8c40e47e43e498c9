import type { Awareness } from 'y-protocols/awareness';
import type { Clock } from '../../shared/clock.ts';
import { type Uuid, isUuid } from '../../shared/ids.ts';

/** What others' awareness says (P2, P4). Positions only move forward. */
export interface Presence {
  /** Listens to this awareness from now on, and speaks through it. */
  attach: (awareness: Awareness) => void;
  /** Who is typing now. */
  typing: () => readonly Uuid[];
  /** How far somebody else has read. */
  read: (userId: Uuid) => number;
  delivered: (userId: Uuid) => number;
  /** This person pressed a key in the composer. */
  typed: () => void;
  /** The message was sent, or the conversation left. */
  stopTyping: () => void;
  /** This person has read up to `seq`. */
  markRead: (seq: number) => void;
  close: () => void;
}

const SEND_TYPING_MS = 2_000;
const STOP_TYPING_MS = 5_000;
const SHOW_TYPING_MS = 6_000;
const SEND_READ_MS = 200;

type Entry = { kind: 'person'; userId: Uuid; typing: boolean; read: number } | { kind: 'away'; positions: [Uuid, number, number][] };

const isSeq = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function readEntry(state: unknown): Entry | null {
  if (typeof state !== 'object' || state === null) return null;
  const { user, typing, read, away } = state as Record<string, unknown>;
  if (typeof away === 'object' && away !== null) {
    const positions = Object.entries(away).flatMap(([userId, pair]): [Uuid, number, number][] => {
      const [readTo, deliveredTo] = Array.isArray(pair) ? (pair as unknown[]) : [];
      return isUuid(userId) && isSeq(readTo) && isSeq(deliveredTo) ? [[userId, readTo, deliveredTo]] : [];
    });
    return { kind: 'away', positions };
  }
  const userId = typeof user === 'object' && user !== null ? (user as { id?: unknown }).id : null;
  if (typeof userId !== 'string') return null;
  return { kind: 'person', userId, typing: typing === true, read: isSeq(read) ? read : 0 };
}

interface Options {
  me: Uuid;
  clock: Clock;
  onChange: () => void;
}

/** Typing and read positions of one conversation, both ways: signals of others fade after 6 s, own ones leave at most every 2 s. */
export function openPresence({ me, clock, onChange }: Options): Presence {
  const reads = new Map<Uuid, number>();
  const deliveries = new Map<Uuid, number>();
  const signals = new Map<number, { userId: Uuid; cancel: () => void }>();
  let awareness: Awareness | null = null;
  let own = { typing: false, read: 0 };
  let sentAt = -Infinity;
  let cancelStop = (): void => {};
  let sendRead: (() => void) | null = null;

  const forward = (positions: Map<Uuid, number>, userId: Uuid, seq: number): void =>
    void positions.set(userId, Math.max(seq, positions.get(userId) ?? 0));

  function endSignal(client: number): void {
    signals.get(client)?.cancel();
    signals.delete(client);
  }

  function take(client: number): void {
    endSignal(client);
    const entry = readEntry(awareness?.getStates().get(client));
    if (entry?.kind === 'away') {
      for (const [userId, readTo, deliveredTo] of entry.positions) {
        forward(reads, userId, readTo);
        forward(deliveries, userId, deliveredTo);
      }
    } else if (entry && entry.userId !== me) {
      forward(reads, entry.userId, entry.read);
      if (!entry.typing) return;
      const cancel = clock.after(SHOW_TYPING_MS, () => {
        signals.delete(client);
        onChange();
      });
      signals.set(client, { userId: entry.userId, cancel });
    }
  }

  function onUpdate({ added, updated, removed }: { added: number[]; updated: number[]; removed: number[] }): void {
    for (const client of [...added, ...updated]) if (client !== awareness?.clientID) take(client);
    removed.forEach(endSignal);
    onChange();
  }

  function publish(change: Partial<typeof own>): void {
    own = { ...own, ...change };
    awareness?.setLocalState(own);
  }

  function stopTyping(): void {
    cancelStop();
    sentAt = -Infinity;
    if (own.typing) publish({ typing: false });
  }

  function leave(): void {
    awareness?.off('update', onUpdate);
    for (const client of [...signals.keys()]) endSignal(client);
  }

  return {
    attach(next) {
      leave();
      awareness = next;
      awareness.on('update', onUpdate);
      // Whoever is here is known to be here: the server tells their position only under an entry of their own.
      publish({});
    },
    typing: () => [...new Set([...signals.values()].map(({ userId }) => userId))],
    read: (userId) => reads.get(userId) ?? 0,
    delivered: (userId) => Math.max(deliveries.get(userId) ?? 0, reads.get(userId) ?? 0),
    typed() {
      cancelStop();
      cancelStop = clock.after(STOP_TYPING_MS, stopTyping);
      if (clock.elapsed() - sentAt < SEND_TYPING_MS) return;
      sentAt = clock.elapsed();
      publish({ typing: true });
    },
    stopTyping,
    markRead(seq) {
      if (seq <= own.read) return;
      own = { ...own, read: seq };
      sendRead ??= clock.after(SEND_READ_MS, () => {
        sendRead = null;
        publish({});
      });
    },
    close() {
      cancelStop();
      sendRead?.();
      leave();
    },
  };
}
