import type { Entry } from '../../../../client/sync/outbox/entry.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Chance } from '../chance.ts';
import type { Health } from './keep.ts';
import type { Place } from './place.ts';

/** What a transaction is about to write; it answers how that is undone. */
export type Write = () => () => void;

/**
 * What one browser keeps: transactions one after another, each in three moments that others come between: it reads and decides, it is
 * durable, it is answered. A tab that is killed before the second has written nothing.
 */
export interface Disk {
  readonly outbox: Map<string, Entry>;
  readonly values: Map<string, unknown>;
  /** Updates of documents, by document and generation. */
  readonly copies: Map<string, Uint8Array[]>;
  health: Health;
  /** `strict` is on the disk when it is answered; what else was answered lately may be lost with the browser. */
  transact<T>(place: Place, strict: boolean, work: () => { answer: T; write: Write | null }): Promise<T>;
  /** The browser ends without a word: some of the tail was never flushed. */
  crash(): void;
  wipe(): void;
}

const ABORTS = 0.3;
/** Relaxed writes that may not have reached the disk. */
const TAIL = 8;

export function makeDisk(scheduler: Scheduler, chance: Chance, reached: Set<string>): Disk {
  const waiting: (() => void)[] = [];
  const answers = new WeakMap<Place, (() => void)[]>();
  let isBusy = false;
  let unflushed: (() => void)[] = [];

  function next(): void {
    const first = isBusy ? undefined : waiting.shift();
    if (!first) return;
    isBusy = true;
    scheduler.soon(first);
  }
  function ended(): void {
    isBusy = false;
    next();
  }
  function isAborted(): boolean {
    const fails = disk.health === 'full' || (disk.health === 'aborting' && chance.happens(ABORTS));
    if (fails) reached.add('quota hit');
    return fails;
  }

  /** Answers reach a tab in the order of their transactions. */
  function answer(place: Place, task: () => void): void {
    const queue = answers.get(place) ?? [];
    answers.set(place, queue);
    queue.push(task);
    place.later(() => queue.shift()!());
  }

  const disk: Disk = {
    outbox: new Map(),
    values: new Map(),
    copies: new Map(),
    health: 'well',
    transact: (place, strict, work) =>
      new Promise((resolve, reject) => {
        const fail = (why: string): void => answer(place, () => reject(new DOMException(why, 'AbortError')));
        function begin(): void {
          if (!place.isAlive()) return ended();
          if (disk.health === 'stuck') return scheduler.clock.after(500, begin) as unknown as void;
          let done: ReturnType<typeof work>;
          try {
            done = work();
          } catch (error) {
            answer(place, () => reject(error));
            return ended();
          }
          scheduler.soon(() => {
            const { write } = done;
            if (!place.isAlive()) return ended();
            if (write && isAborted()) fail('the transaction was aborted');
            else {
              const undo = write?.();
              // A strict one takes with it what was written before.
              if (strict) unflushed = [];
              else if (undo) unflushed = [...unflushed.slice(1 - TAIL), undo];
              answer(place, () => resolve(done.answer));
            }
            ended();
          });
        }
        waiting.push(begin);
        next();
      }),
    crash() {
      for (let lost = chance.int(unflushed.length + 1); lost > 0; lost--) unflushed.pop()!();
      unflushed = [];
    },
    wipe() {
      for (const store of [disk.outbox, disk.values, disk.copies]) store.clear();
      unflushed = [];
    },
  };
  return disk;
}

/** Sets a value of a store, or takes it away. */
export function put<T>(store: Map<string, T>, key: string, value: T | null): () => void {
  const before = store.get(key);
  const set = (to: T | null | undefined): void => {
    if (to === null || to === undefined) store.delete(key);
    else store.set(key, to);
  };
  set(value);
  return () => set(before);
}
