import { messaging } from './0001-messaging.ts';
import { accounts } from './0002-accounts.ts';
import { inbox } from './0003-inbox.ts';
import { avatars } from './0004-avatars.ts';
import { waysIn } from './0006-ways-in.ts';
import { identity } from './0005-identity.ts';
import { rights } from './0007-rights.ts';
import { reports } from './0008-reports.ts';
import { foreignDepartures } from './0009-foreign-departures.ts';
import { restores } from './0010-restores.ts';

/** A change of the schema: SQL text of one or more statements. Once released it is never edited. */
export interface Migration {
  name: string;
  up: string;
}

/** All migrations, in the order in which they are applied. */
export const MIGRATIONS: readonly Migration[] = [
  messaging,
  accounts,
  inbox,
  avatars,
  identity,
  waysIn,
  rights,
  reports,
  foreignDepartures,
  restores,
];
