import { Script } from 'node:vm';
import type { Clock } from '../../../shared/clock.ts';
import type { Chance } from './chance.ts';

/**
 * Everything that may happen next waits here; the seed picks. Time is virtual: it moves only when nothing is ready, or when the seed says
 * so. A step is one thing and all that follows from it at once, promises included.
 */
export interface Scheduler {
  readonly clock: Clock;
  /** Puts something into the queue of what may happen next. */
  soon(task: () => void): void;
  /** A promise that resolves when the seed picks it, or rejects with what `fault` returns then. */
  pause(fault: () => Error | null): Promise<void>;
  /** False: nothing is left before `until` (virtual ms). */
  step(until: number): boolean;
  /** Runs something and all that follows from it at once. */
  run<T>(task: () => T): T;
  now(): number;
  /** Timers that have not run. */
  timers(): number;
  /** How often time moves although something else is ready. */
  hurry: number;
}

const START = Date.UTC(2026, 0, 1);

/** Runs what promises wait for. A name of the engine: the process is started with it. */
const settle = new Script('() => %PerformMicrotaskCheckpoint()').runInThisContext() as () => void;

interface Timer {
  at: number;
  /** Among those of one moment, the order of setting. */
  order: number;
  /** Null: it was ended. */
  task: (() => void) | null;
}

const isBefore = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** A heap of timers. */
function makeTimers() {
  const heap: Timer[] = [];
  function swap(i: number, j: number): void {
    [heap[i], heap[j]] = [heap[j]!, heap[i]!];
  }
  return {
    heap,
    add(timer: Timer): void {
      let i = heap.push(timer) - 1;
      for (let up = (i - 1) >> 1; i > 0 && isBefore(heap[i]!, heap[up]!); up = (i - 1) >> 1) {
        swap(i, up);
        i = up;
      }
    },
    pop(): void {
      const last = heap.pop()!;
      if (heap.length === 0) return;
      heap[0] = last;
      for (let i = 0; ;) {
        let least = i;
        for (const child of [2 * i + 1, 2 * i + 2]) if (child < heap.length && isBefore(heap[child]!, heap[least]!)) least = child;
        if (least === i) return;
        swap(i, least);
        i = least;
      }
    },
  };
}

export function makeScheduler(chance: Chance): Scheduler {
  let now = START;
  let order = 0;
  const ready: (() => void)[] = [];
  const { heap, add, pop } = makeTimers();

  function after(delayMs: number, task: () => void): () => void {
    const timer: Timer = { at: now + Math.max(0, delayMs), order: order++, task };
    add(timer);
    return () => void (timer.task = null);
  }

  function fireTimer(until: number): boolean {
    while (heap.length > 0 && heap[0]!.task === null) pop();
    const next = heap[0];
    if (!next || next.at > until) return false;
    now = Math.max(now, next.at);
    pop();
    next.task!();
    return true;
  }

  function run<T>(task: () => T): T {
    const result = task();
    settle();
    return result;
  }

  const scheduler: Scheduler = {
    hurry: 0.02,
    run,
    // Machines tell whole milliseconds.
    clock: { now: () => Math.floor(now), elapsed: () => Math.floor(now), after },
    now: () => Math.floor(now),
    timers: () => heap.filter(({ task }) => task !== null).length,
    soon: (task) => void ready.push(task),
    pause: (fault) =>
      new Promise((resolve, reject) => {
        ready.push(() => {
          const error = fault();
          if (error) reject(error);
          else resolve();
        });
      }),
    step(until) {
      const hurried = ready.length === 0 || chance.happens(scheduler.hurry);
      if (!(hurried && run(() => fireTimer(until)))) {
        if (ready.length === 0) return false;
        const i = chance.int(ready.length);
        const task = ready[i]!;
        ready[i] = ready.at(-1)!;
        ready.pop();
        run(task);
      }
      return true;
    },
  };
  return scheduler;
}
