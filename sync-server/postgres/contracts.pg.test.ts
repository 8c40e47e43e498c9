import { hintBusContract } from '../core/contracts/hint-bus.contract.ts';
import { inboxContract } from '../core/contracts/inbox.contract.ts';
import { membershipContract } from '../core/contracts/membership.contract.ts';
import { rightsContract } from '../core/contracts/rights.contract.ts';
import type { Logger } from '../core/ports.ts';
import { updateLogContract } from '../core/contracts/update-log.contract.ts';
import { makeAccounts } from './accounts.ts';
import { connect } from './connect.ts';
import { makePostgresBus } from './hint-bus.ts';
import { makePostgresMembership } from './membership.ts';
import { makePostgresDepartures, makePostgresRelations } from './relations.ts';
import { makePostgresInbox } from './inbox.ts';
import { openMigratedDatabase } from './migrated-database.ts';
import { makePostgresLog } from './update-log.ts';

const logger: Logger = { info() {}, warn() {}, error() {} };

updateLogContract('Postgres', async () => {
  const database = await openMigratedDatabase();
  return { ...database, log: makePostgresLog(database.sql), bus: makePostgresBus(database.sql, logger) };
});

membershipContract('Postgres', async () => {
  const database = await openMigratedDatabase();
  const { sql } = database;
  return {
    log: makePostgresLog(sql),
    membership: makePostgresMembership(sql),
    async remove(conversationId, userId) {
      await sql`update members set left_at = now(), left_seq = 0 where conversation_id = ${conversationId} and user_id = ${userId}`;
    },
    close: () => database.close(),
  };
});

inboxContract('Postgres', async () => {
  const database = await openMigratedDatabase();
  const { sql } = database;
  return {
    log: makePostgresLog(sql),
    bus: makePostgresBus(sql, logger),
    membership: makePostgresMembership(sql),
    inbox: makePostgresInbox(sql),
    async remove(conversationId, userId) {
      await sql`update members set left_at = now(), left_seq = 0 where conversation_id = ${conversationId} and user_id = ${userId}`;
    },
    close: () => database.close(),
  };
});

rightsContract('Postgres', async () => {
  const database = await openMigratedDatabase();
  const { sql } = database;
  const accounts = makeAccounts(sql);
  return {
    log: makePostgresLog(sql),
    bus: makePostgresBus(sql, logger),
    membership: makePostgresMembership(sql),
    relations: makePostgresRelations(sql),
    departures: makePostgresDepartures(sql),
    inbox: makePostgresInbox(sql),
    async remove(userId, removes) {
      const account = { id: userId, handle: userId.slice(0, 30), displayName: 'Ana', passwordHash: null, createdAt: 0 };
      await accounts.create(account, null);
      await accounts.remove(userId, removes, 0);
    },
    close: () => database.close(),
  };
});

hintBusContract('Postgres', async () => {
  const database = await openMigratedDatabase();
  const other = await connect(database.url, { allowUnsafe: true, max: 2 });
  return {
    here: makePostgresBus(database.sql, logger),
    there: makePostgresBus(other, logger),
    async close() {
      await other.end();
      await database.close();
    },
  };
});
