import type { Clock } from '../../../shared/clock.ts';
import { makeMemoryLog } from '../../memory/update-log.ts';
import { makeMemoryInbox } from '../../memory/inbox.ts';
import { makeMemorySignIns } from '../../memory/standing-sign-ins.ts';
import { makeMemoryMembership } from '../../memory/membership.ts';
import { makeMemoryDepartures, makeMemoryRelations } from '../../memory/relations.ts';
import { type MemoryStore, notify } from '../../memory/store.ts';
import { type Node, startNode } from '../node.ts';
import { membersMay } from '../rights/permissions.ts';
import { CommitUnknown, type Hint, type HintBus, LogUnavailable } from '../ports.ts';
import type { Chance } from './chance.ts';
import type { Scheduler } from './scheduler.ts';

/** A node that can be killed: its timers stop, what it waits for fails, its hints go nowhere. */
export interface NodeProcess {
  readonly node: Node;
  alive(): boolean;
  kill(): void;
  /** Its database listener goes away, or returns. */
  setListening(on: boolean): void;
}

/** How often a commit goes wrong, per moment. */
export interface Faults {
  failed: number;
  unknownLost: number;
  unknownCommitted: number;
}

export async function startProcess(deps: {
  store: MemoryStore;
  scheduler: Scheduler;
  chance: Chance;
  faults: Faults;
}): Promise<NodeProcess> {
  const { store, scheduler, chance, faults } = deps;
  let alive = true;
  let listener: { onHint(hint: Hint): void; onGap(): void } | null = null;
  let listening = true;

  const clock: Clock = {
    now: scheduler.clock.now,
    elapsed: scheduler.clock.elapsed,
    after: (delayMs, task) => scheduler.clock.after(delayMs, () => alive && task()),
  };

  const gone = (): Error | null => (alive ? null : new LogUnavailable('the node is dead'));

  const log = makeMemoryLog(store, {
    clock,
    pause: (moment) =>
      scheduler.pause(() => {
        if (!alive) return gone();
        if (moment === 'written' && chance.happens(faults.failed)) return new Error('commit failed');
        if (moment === 'written' && chance.happens(faults.unknownLost)) return new CommitUnknown('lost before the commit');
        if (moment === 'committed' && chance.happens(faults.unknownCommitted)) return new CommitUnknown('lost after the commit');
        return null;
      }),
  });

  const deliver = (hint: Hint): void => scheduler.soon(() => alive && listening && listener?.onHint(hint));
  const bus: HintBus = {
    async listen(onHint, onGap) {
      await scheduler.pause(gone);
      listener = { onHint, onGap };
      store.listeners.add(deliver);
      scheduler.soon(onGap);
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
    signIns: makeMemorySignIns(store),
    inbox: makeMemoryInbox(store, () => scheduler.pause(gone)),
    relations: makeMemoryRelations(store),
    departures: makeMemoryDepartures(store),
    permissions: membersMay,
    clock,
    random: chance.bytes,
    logger: { info: () => {}, warn: () => {}, error: () => {} },
  });

  return {
    node,
    alive: () => alive,
    kill() {
      alive = false;
      store.listeners.delete(deliver);
    },
    setListening(on) {
      if (on && !listening) scheduler.soon(() => alive && listener?.onGap());
      listening = on;
    },
  };
}
