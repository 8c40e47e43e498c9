import { afterEach, describe, expect, test } from 'vitest';
import { systemRandom } from '../../../shared/clock.ts';
import { type MessageId, makeMessageId, makeUuid } from '../../../shared/ids.ts';
import { makeTestClock, settled } from '../test-server.ts';
import { type Entry, type MessageEntry, messageKey } from './entry.ts';
import { type OutboxStore, makeMemoryOutboxStore } from './outbox-store.ts';
import { NO_SIBLINGS, type Outbox, openOutbox } from './outbox.ts';

const id = makeUuid(1, systemRandom);
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** Chance that can be had again. */
function makeChance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/**
 * A disk that fails at random. Transactions run one after another, as in IndexedDB: one may be refused, end without having written, write and
 * have the word of it lost, or stop until the disk is woken, and with it all after it.
 */
function makeDisk(chance: (below: number) => number) {
  const held = new Map<string, Entry>();
  const memory = makeMemoryOutboxStore(held);
  let last: Promise<unknown> = Promise.resolve();
  let isFull = false;
  let life = 0;
  let asleep: { waking: Promise<void>; wake: () => void } | null = null;

  /** The process of a tab: what it asked for and was not begun dies with it. */
  function open(): OutboxStore & { isIdle: () => boolean; die: () => void } {
    let isDead = false;
    let pending = 0;
    function inTurn<T>(run: () => Promise<T>): Promise<T> {
      const asked = life;
      pending += 1;
      const turn = last.then(async () => {
        await settled();
        await asleep?.waking;
        if (isDead) return new Promise<T>(() => {});
        if (asked !== life) throw new DOMException('cleared meanwhile', 'AbortError');
        return run();
      });
      last = turn.catch(() => {}).finally(() => (pending -= 1));
      return new Promise<T>((resolve, reject) =>
        turn.then(
          (value) => !isDead && resolve(value),
          (error) => !isDead && reject(error),
        ),
      );
    }
    return {
      isIdle: () => pending === 0,
      die() {
        isDead = true;
        last = Promise.resolve();
      },
      load: () => inTurn(() => (chance(6) === 0 ? Promise.reject(new DOMException('not now', 'UnknownError')) : memory.load())),
      change: (ids, decide) =>
        inTurn(async () => {
          if (isFull) throw new DOMException('no room', 'QuotaExceededError');
          if (chance(8) === 0) throw new DOMException('aborted at its end', 'AbortError');
          const outcome = await memory.change(ids, decide);
          if (chance(12) === 0) throw new DOMException('written, and the word of it lost', 'AbortError');
          return outcome;
        }),
    };
  }
  return {
    held,
    open,
    setFull: (next: boolean) => void (isFull = next),
    sleep() {
      if (asleep) return;
      let wake = (): void => {};
      asleep = { waking: new Promise((resolve) => (wake = resolve)), wake: () => wake() };
    },
    wake() {
      asleep?.wake();
      asleep = null;
    },
    clear() {
      life += 1;
      held.clear();
    },
  };
}

describe('[F12, F14] a store that fails at random under the outbox, tabs that are killed', () => {
  test.each(Array.from({ length: 60 }, (_, i) => i + 1))(
    'kept is said of what the disk holds; that leaves, and what has left does not come back (seed %i)',
    async (seed) => {
      const chance = makeChance(seed);
      const clock = makeTestClock();
      const disk = makeDisk(chance);
      let store = disk.open();
      const start = (): Outbox => {
        const opened = openOutbox({ store, siblings: NO_SIBLINGS, clock });
        closers.push(opened.close);
        return opened;
      };
      let outbox = start();
      /** Once said to be kept, and not cleared from the device since. */
      const told = new Set<MessageId>();
      const takenBack = new Set<MessageId>();
      /** What the server took, in its order: it takes each id once. */
      const log: MessageId[] = [];
      const isMessage = (entry: Entry): entry is MessageEntry => entry.kind === 'message';
      const messages = (): MessageEntry[] => outbox.entries().filter(isMessage);

      /** Arrived, and neither in the outbox nor on the disk any more. */
      const over = new Set<MessageId>();

      function look(): void {
        const isAway = (messageId: MessageId): boolean => !outbox.get(messageKey(messageId)) && !disk.held.has(messageKey(messageId));
        if (store.isIdle() && outbox.status() === 'kept') for (const messageId of log.filter(isAway)) over.add(messageId);
        expect(
          messages().filter(({ messageId }) => over.has(messageId)),
          'sent, over, and here again',
        ).toEqual([]);
        for (const entry of messages()) {
          if (!outbox.isKept(entry.id)) continue;
          told.add(entry.messageId);
          expect(disk.held.has(entry.id), 'said to be kept, and the disk holds it').toBe(true);
        }
      }
      /** As the mover does: claimed first, then sent, then out of the outbox. */
      function move(): void {
        if (outbox.status() === 'loading') return;
        const unclaimed = messages().filter(({ placed }) => !placed);
        if (unclaimed.length > 0)
          outbox.claim(
            unclaimed.map((entry) => entry.id),
            () => {},
          );
        for (const { messageId, placed } of messages()) if (placed && !log.includes(messageId)) log.push(messageId);
        const arrived = messages().filter(({ messageId }) => log.includes(messageId));
        if (arrived.length > 0) outbox.done(arrived);
      }
      async function pass(ms: number): Promise<void> {
        await settled();
        look();
        clock.pass(ms);
        await settled();
        look();
      }

      for (let step = 0; step < 80; step++) {
        switch (chance(12)) {
          case 0:
            disk.setFull(chance(2) === 0);
            break;
          case 1:
            if (chance(2) === 0) disk.sleep();
            else disk.wake();
            break;
          case 2: {
            // Killed: what was not kept may be lost with it.
            look();
            store.die();
            outbox.close();
            disk.wake();
            store = disk.open();
            outbox = start();
            break;
          }
          case 3: {
            // The browser clears the origin; the database says so before it answers anything.
            if (chance(3) > 0) break;
            await settled();
            look();
            disk.clear();
            told.clear();
            outbox.keepAgain();
            break;
          }
          case 4: {
            const waiting = messages().filter(({ placed, messageId }) => !placed && !log.includes(messageId));
            const one = waiting[chance(waiting.length || 1)];
            if (!one) break;
            outbox.remove(id, one.messageId, null);
            takenBack.add(one.messageId);
            break;
          }
          case 5:
          case 6:
            move();
            break;
          case 7:
          case 8:
            await pass(chance(3) === 0 ? 5_000 : chance(900));
            break;
          default: {
            const messageId = makeMessageId(1_000_000 + step, systemRandom);
            outbox.send(id, messageId, [`${step}`, null, null]);
          }
        }
      }

      disk.setFull(false);
      disk.wake();
      const isDone = (): boolean => outbox.status() === 'kept' && messages().length === 0 && disk.held.size === 0;
      for (let round = 0; round < 60 && !isDone(); round++) {
        move();
        await pass(1_000);
      }
      expect([outbox.status(), messages(), [...disk.held.values()]]).toEqual(['kept', [], []]);
      const lost = [...told].filter((messageId) => !log.includes(messageId) && !takenBack.has(messageId));
      expect(lost, 'told kept, and never left').toEqual([]);
    },
  );
});
