import { systemRandom } from '../../shared/clock.ts';
import { deletedTextContract } from '../core/contracts/deleted-text.contract.ts';
import { membersMay } from '../core/rights/permissions.ts';
import { makeManualClock } from '../core/testing/manual-clock.ts';
import { makeMemoryBus } from './hint-bus.ts';
import { makeMemoryInbox } from './inbox.ts';
import { makeMemoryMembership } from './membership.ts';
import { makeMemoryDepartures, makeMemoryRelations } from './relations.ts';
import { makeMemorySignIns } from './standing-sign-ins.ts';
import { makeMemoryStore } from './store.ts';
import { makeMemoryLog } from './update-log.ts';

/** Everything in a value, maps and bytes too. */
const dump = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => {
    if (inner instanceof Uint8Array) return Buffer.from(inner).toString('latin1');
    return inner instanceof Map || inner instanceof Set ? [...inner] : inner;
  });

deletedTextContract('memory', async () => {
  const store = makeMemoryStore();
  const clock = makeManualClock();
  return {
    deps: {
      log: makeMemoryLog(store, { clock }),
      bus: makeMemoryBus(store),
      membership: makeMemoryMembership(store),
      relations: makeMemoryRelations(store),
      departures: makeMemoryDepartures(store),
      inbox: makeMemoryInbox(store, () => new Promise((resolve) => setImmediate(resolve))),
      signIns: makeMemorySignIns(store),
      permissions: membersMay,
      clock,
      random: systemRandom,
      logger: { info() {}, warn() {}, error() {} },
    },
    dump: async () => dump(store.conversations),
    passMinute: () => clock.advance(60_000),
    close: async () => {},
  };
});
