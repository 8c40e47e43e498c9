import type { Scheduler } from '../scheduler.ts';

/** One tab's process: what runs in it, runs there and nowhere else. It can be frozen, and killed at any moment. */
export interface Place {
  /** False once its process has ended: then nothing more runs in it. */
  isAlive(): boolean;
  isFrozen(): boolean;
  /** Runs something here when the seed picks it, after a thaw at the earliest. */
  later(task: () => void): void;
  /** The same after a delay. */
  after(delayMs: number, task: () => void): () => void;
  /** Runs something here now. */
  here<T>(task: () => T): T;
  freeze(): void;
  thaw(): void;
  end(): void;
}

/** Where the present step of a world happens; null: in the world itself, or in a node. */
export const step: { place: Place | null } = { place: null };

export function makePlace(scheduler: Scheduler): Place {
  let isAlive = true;
  let backlog: (() => void)[] | null = null;

  function here<T>(task: () => T): T {
    const before = step.place;
    step.place = place;
    try {
      return scheduler.run(task);
    } finally {
      step.place = before;
    }
  }
  function arrive(task: () => void): void {
    if (!isAlive) return;
    if (backlog) backlog.push(task);
    else here(task);
  }
  const place: Place = {
    here,
    isAlive: () => isAlive,
    isFrozen: () => backlog !== null,
    later: (task) => scheduler.soon(() => arrive(task)),
    after: (delayMs, task) => scheduler.clock.after(delayMs, () => arrive(task)),
    freeze: () => void (backlog ??= []),
    thaw() {
      const waiting = backlog ?? [];
      backlog = null;
      for (const task of waiting) arrive(task);
    },
    end: () => void (isAlive = false),
  };
  return place;
}
