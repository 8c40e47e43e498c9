import { systemClock } from '../../shared/clock.ts';
import { hintBusContract } from '../core/contracts/hint-bus.contract.ts';
import { inboxContract } from '../core/contracts/inbox.contract.ts';
import { membershipContract } from '../core/contracts/membership.contract.ts';
import { rightsContract } from '../core/contracts/rights.contract.ts';
import { updateLogContract } from '../core/contracts/update-log.contract.ts';
import { makeMemoryBus } from './hint-bus.ts';
import { makeMemoryInbox } from './inbox.ts';
import { makeMemoryMembership } from './membership.ts';
import { makeMemoryDepartures, makeMemoryRelations } from './relations.ts';
import { makeMemoryStore } from './store.ts';
import { makeMemoryLog } from './update-log.ts';

updateLogContract('memory', async () => {
  const store = makeMemoryStore();
  return {
    log: makeMemoryLog(store, { clock: systemClock }),
    bus: makeMemoryBus(store),
    messages: async (conversationId) =>
      [...(store.conversations.get(conversationId)?.messages.values() ?? [])].sort((a, b) => a.seq - b.seq),
    close: async () => {},
  };
});

membershipContract('memory', async () => {
  const store = makeMemoryStore();
  return {
    log: makeMemoryLog(store, { clock: systemClock }),
    membership: makeMemoryMembership(store),
    async remove(conversationId, userId) {
      const row = store.conversations.get(conversationId)!;
      row.members.delete(userId);
      row.former.add(userId);
    },
    close: async () => {},
  };
});

inboxContract('memory', async () => {
  const store = makeMemoryStore();
  return {
    log: makeMemoryLog(store, { clock: systemClock }),
    bus: makeMemoryBus(store),
    membership: makeMemoryMembership(store),
    inbox: makeMemoryInbox(store),
    async remove(conversationId, userId) {
      const row = store.conversations.get(conversationId)!;
      row.members.delete(userId);
      row.former.add(userId);
    },
    close: async () => {},
  };
});

rightsContract('memory', async () => {
  const store = makeMemoryStore();
  return {
    log: makeMemoryLog(store, { clock: systemClock }),
    bus: makeMemoryBus(store),
    membership: makeMemoryMembership(store),
    relations: makeMemoryRelations(store),
    departures: makeMemoryDepartures(store),
    inbox: makeMemoryInbox(store),
    async remove(userId, removes) {
      store.gone.add(userId);
      store.departures.set(userId, { removes });
    },
    close: async () => {},
  };
});

hintBusContract('memory', async () => {
  const store = makeMemoryStore();
  return { here: makeMemoryBus(store), there: makeMemoryBus(store), close: async () => {} };
});
