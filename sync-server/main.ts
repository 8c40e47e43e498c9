import { fileURLToPath } from 'node:url';
import { type Logger as Pino, pino } from 'pino';
import { Registry } from 'prom-client';
import { systemClock, systemRandom } from '../shared/clock.ts';
import { type Config, readConfig } from './config.ts';
import { startNode } from './core/node.ts';
import { membersMay } from './core/rights/permissions.ts';
import type { Logger } from './core/ports.ts';
import { openDatabase } from './database.ts';
import { openIdentity } from './identity.ts';
import { runKeys } from './keys.ts';
import { seeToRestore } from './restored.ts';
import { createApp } from './http/app.ts';
import { makePasswords } from './http/identity/passwords.ts';
import { addNodeMetrics } from './http/metrics.ts';
import { makeLimits } from './http/rate-limit.ts';
import { listenHttp } from './http/server.ts';
import { keepHeartbeat, makeSocketServer } from './http/socket.ts';
import { mountSync } from './http/sync-route.ts';
import { makeAccounts } from './postgres/accounts.ts';
import { makePostgresBus } from './postgres/hint-bus.ts';
import { makeHistory } from './postgres/history.ts';
import { makePostgresInbox } from './postgres/inbox.ts';
import { makeSignIns } from './postgres/sign-ins.ts';
import { makeInvites } from './postgres/invites.ts';
import { makePasskeys } from './postgres/passkeys.ts';
import { makePasswordStore } from './postgres/password-store.ts';
import { makePostgresMembership } from './postgres/membership.ts';
import { makePostgresDepartures, makePostgresRelations } from './postgres/relations.ts';
import { makeStandingSignIns } from './postgres/standing-sign-ins.ts';
import { makeReports } from './postgres/reports.ts';
import { makeRestores } from './postgres/restores.ts';
import { tellUnavailable } from './postgres/unavailable.ts';
import { makePostgresLog } from './postgres/update-log.ts';

/** Sockets that have not answered their close frame by then are cut. */
const DRAIN_MS = 2_000;

/** The built client lies beside the built server; from source, the development server has it. */
const CLIENT = import.meta.url.endsWith('.mjs') ? fileURLToPath(new URL('../client/', import.meta.url)) : null;

const asLogger = (log: Pino): Logger => ({
  info: (fields, message) => log.info(fields, message),
  warn: (fields, message) => log.warn(fields, message),
  error: (fields, message) => log.error(fields, message),
});

/** Starts one node; resolves with the way to stop it once it takes requests. */
async function start(config: Config): Promise<() => Promise<void>> {
  const logger = asLogger(pino({ level: config.logLevel }));
  const database = await openDatabase(config, logger);
  const { sql } = database;
  const log = makePostgresLog(sql);
  const restored = await seeToRestore({ restores: makeRestores(sql), log, random: systemRandom, logger });
  const membership = tellUnavailable(makePostgresMembership(sql));
  const relations = tellUnavailable(makePostgresRelations(sql));
  const node = await startNode({
    log,
    restored,
    bus: makePostgresBus(sql, logger),
    membership,
    relations,
    departures: makePostgresDepartures(sql),
    inbox: makePostgresInbox(sql),
    signIns: makeStandingSignIns(sql),
    permissions: membersMay,
    clock: systemClock,
    random: systemRandom,
    logger,
  });
  const sockets = makeSocketServer();
  const stopHeartbeat = keepHeartbeat(sockets, systemClock);
  const registry = new Registry();
  addNodeMetrics(registry, node.counts);
  const identity = await openIdentity(config, sql, logger);
  const app = createApp({
    accounts: tellUnavailable(makeAccounts(sql)),
    signIns: tellUnavailable(makeSignIns(sql)),
    passwordStore: tellUnavailable(makePasswordStore(sql)),
    passkeys: tellUnavailable(makePasskeys(sql)),
    invites: tellUnavailable(makeInvites(sql)),
    history: tellUnavailable(makeHistory(sql)),
    reports: tellUnavailable(makeReports(sql)),
    deletedMessages: config.deletedMessages,
    messaging: node.messaging,
    ...identity,
    passwords: makePasswords(),
    limits: makeLimits(),
    registration: config.registration,
    allowedOrigins: config.allowedOrigins,
    trustProxy: config.trustProxy,
    clock: systemClock,
    random: systemRandom,
    logger,
    registry,
    metricsToken: config.metricsToken,
    ping: async () => void (await sql`select 1`),
    clientDir: CLIENT,
    mount: (mounted, door) => mountSync(mounted, { ...door, ...node, clock: systemClock }),
  });

  const { server, port } = await listenHttp({ fetch: app.fetch, sockets, port: config.port, host: config.host });
  process.stdout.write(`Homing is at http://localhost:${port}\n`);

  return async () => {
    stopHeartbeat();
    identity.keys.stop();
    const closed = new Promise((resolve) => server.close(resolve));
    const cut = setTimeout(() => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
    }, DRAIN_MS);
    await node.stop();
    await closed;
    clearTimeout(cut);
    await database.close();
  };
}

/** One sentence for the person who started it. */
function explain(error: unknown, config: Config): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE') return `Port ${config.port} is taken: set PORT to another one, or end what uses it.`;
  return error.message;
}

const read = readConfig(process.env);
if ('wrong' in read) {
  process.stderr.write(`${read.wrong.join('\n')}\n`);
  process.exit(1);
}
const { config } = read;
const [command, ...words] = process.argv.slice(2);
try {
  if (command === 'keys') {
    process.stdout.write(`${await runKeys(words, config)}\n`);
    process.exit(0);
  }
  const stop = await start(config);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      stop().then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`${explain(error, config)}\n`);
          process.exit(1);
        },
      );
    });
  }
} catch (error) {
  process.stderr.write(`${explain(error, config)}\n`);
  process.exit(1);
}
