import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { systemClock, systemRandom } from '../../shared/clock.ts';
import { deletedTextContract } from '../core/contracts/deleted-text.contract.ts';
import { membersMay } from '../core/rights/permissions.ts';
import { writeBackup } from './backup.ts';
import type { Sql } from './connect.ts';
import { makePostgresBus } from './hint-bus.ts';
import { makePostgresInbox } from './inbox.ts';
import { makePostgresMembership } from './membership.ts';
import { openMigratedDatabase } from './migrated-database.ts';
import { makePostgresDepartures, makePostgresRelations } from './relations.ts';
import { makeStandingSignIns } from './standing-sign-ins.ts';
import { makePostgresLog } from './update-log.ts';

const logger = { info() {}, warn() {}, error() {} };
/** A node whose timers are in a hurry. */
const clock = { ...systemClock, after: (ms: number, task: () => void) => systemClock.after(ms / 50, task) };

/** What a dump of the database holds, its bytes read as Latin-1. */
async function dump(sql: Sql): Promise<string> {
  const out = new PassThrough();
  const whole = text(out);
  await writeBackup(sql, out, new Date(0));
  out.end();
  return (await whole).replace(/\\\\x([0-9a-f]*)/g, (_, hex: string) => Buffer.from(hex, 'hex').toString('latin1'));
}

deletedTextContract('Postgres', async () => {
  const { sql, close } = await openMigratedDatabase();
  return {
    deps: {
      log: makePostgresLog(sql),
      bus: makePostgresBus(sql, logger),
      membership: makePostgresMembership(sql),
      relations: makePostgresRelations(sql),
      departures: makePostgresDepartures(sql),
      inbox: makePostgresInbox(sql),
      signIns: makeStandingSignIns(sql),
      permissions: membersMay,
      clock,
      random: systemRandom,
      logger,
    },
    dump: () => dump(sql),
    async passMinute() {
      await sql`update documents set compact_asked_at = compact_asked_at - interval '50 seconds'`;
    },
    close,
  };
});
