import type { Clock } from '../../../../shared/clock.ts';
import { makeMemoryInbox } from '../../../memory/inbox.ts';
import { makeMemoryMembership } from '../../../memory/membership.ts';
import { type MemoryStore, notify } from '../../../memory/store.ts';
import { makeMemoryLog } from '../../../memory/update-log.ts';
import { makeMemoryDepartures, makeMemoryRelations } from '../../../memory/relations.ts';
import { makeMemorySignIns } from '../../../memory/standing-sign-ins.ts';
import { type Node, startNode } from '../../node.ts';
import { CommitUnknown, type ConversationWrite, type Hint, type HintBus, LogUnavailable, type UpdateLog } from '../../ports.ts';
import { membersMay } from '../../rights/permissions.ts';
import type { Chance } from '../chance.ts';
import type { Plan } from '../plan.ts';
import type { Scheduler } from '../scheduler.ts';

/** What the nodes have in common. */
export interface Backend {
  store: MemoryStore;
  scheduler: Scheduler;
  chance: Chance;
  /** How often a commit goes wrong, per moment, and what becomes of hints. */
  commits: Plan['commits'];
  hints: Plan['hints'];
  /** The log answers nobody until then. */
  awayUntil: number;
  reached: Set<string>;
  /** Writes that a transaction is about to commit. */
  underway: Set<readonly ConversationWrite[]>;
}

/** A node that can be killed: its timers stop, what it waits for fails, its hints go nowhere. */
export interface NodeProcess {
  readonly node: Node;
  isAlive(): boolean;
  kill(): void;
  /** Ends as for a new version: sessions are sent away, what waits is committed. */
  stop(): Promise<void>;
  /** Its database listener goes away, or returns. */
  setListening(on: boolean): void;
}

export async function startProcess(backend: Backend): Promise<NodeProcess> {
  const { store, scheduler, chance, commits, hints, reached, underway } = backend;
  let isAlive = true;
  let listener: { onHint(hint: Hint): void; onGap(): void } | null = null;
  let isListening = true;

  const clock: Clock = {
    now: scheduler.clock.now,
    elapsed: scheduler.clock.elapsed,
    after: (delayMs, task) => scheduler.clock.after(delayMs, () => isAlive && task()),
  };

  function gone(): Error | null {
    if (!isAlive) return new LogUnavailable('the node is dead');
    return scheduler.now() < backend.awayUntil ? new LogUnavailable('the log is away') : null;
  }
  function unknown(why: string): Error {
    reached.add(why);
    return new CommitUnknown(why);
  }

  const memory = makeMemoryLog(store, {
    clock,
    pause: (moment) =>
      scheduler.pause(() => {
        if (moment === 'committed') return isAlive && chance.happens(commits.unknown) ? unknown('commit answer lost') : null;
        const error = gone();
        if (error || moment !== 'written') return error;
        if (chance.happens(commits.failed)) {
          reached.add('commit failed');
          return new Error('commit failed');
        }
        return chance.happens(commits.lost) ? unknown('commit lost') : null;
      }),
  });
  const log: UpdateLog = {
    ...memory,
    async transact(wants, build) {
      let writes: ConversationWrite[] = [];
      try {
        await memory.transact(wants, (locked) => {
          if ([...locked.values()].some(({ documents }) => [...documents.values()].some(({ rows }) => rows.length > 0)))
            reached.add('gap fetched');
          writes = build(locked);
          underway.add(writes);
          if (writes.length === 0) reached.add('duplicate dropped');
          return writes;
        });
      } finally {
        underway.delete(writes);
      }
    },
  };

  function deliver(hint: Hint): void {
    const times = hints.off || chance.happens(hints.dropped) ? 0 : chance.happens(hints.doubled) ? 2 : 1;
    for (let i = 0; i < times; i++) scheduler.soon(() => isAlive && isListening && listener?.onHint(structuredClone(hint)));
  }
  const bus: HintBus = {
    async listen(onHint, onGap) {
      await scheduler.pause(() => null);
      listener = { onHint, onGap };
      store.listeners.add(deliver);
      scheduler.soon(() => isAlive && onGap());
      return async () => void store.listeners.delete(deliver);
    },
    async publish(hint) {
      notify(store, hint);
    },
  };

  const node = await startNode({
    log,
    bus,
    membership: makeMemoryMembership(store, () => scheduler.pause(gone)),
    inbox: makeMemoryInbox(store, () => scheduler.pause(gone)),
    signIns: makeMemorySignIns(store),
    relations: makeMemoryRelations(store),
    departures: makeMemoryDepartures(store),
    permissions: membersMay,
    clock,
    random: chance.bytes,
    logger: { info: () => {}, warn: () => {}, error: () => {} },
  });

  return {
    node,
    isAlive: () => isAlive,
    stop: node.stop,
    kill() {
      isAlive = false;
      store.listeners.delete(deliver);
    },
    setListening(on) {
      if (on && !isListening) scheduler.soon(() => isAlive && listener?.onGap());
      isListening = on;
    },
  };
}
