import { Registry } from 'prom-client';
import { type Clock, systemClock, systemRandom } from '../../shared/clock.ts';
import { signedIn as signedInSchema } from '../../shared/api.ts';
import { type Messaging } from '../core/messaging-port.ts';
import { startNode } from '../core/node.ts';
import type { HintBus } from '../core/ports.ts';
import { membersMay } from '../core/rights/permissions.ts';
import { makeAccounts } from '../postgres/accounts.ts';
import { connect } from '../postgres/connect.ts';
import { makePostgresBus } from '../postgres/hint-bus.ts';
import { makeHistory } from '../postgres/history.ts';
import { makePostgresInbox } from '../postgres/inbox.ts';
import { createTestDatabase } from '../postgres/launcher/test-database.ts';
import { makeSignIns } from '../postgres/sign-ins.ts';
import { makeInvites } from '../postgres/invites.ts';
import { makePasskeys } from '../postgres/passkeys.ts';
import { makePasswordStore } from '../postgres/password-store.ts';
import { makeForeignAccounts } from '../postgres/foreign-accounts.ts';
import { makeKnownDevices } from '../postgres/known-devices.ts';
import { makeReports } from '../postgres/reports.ts';
import { makePostgresMembership } from '../postgres/membership.ts';
import { makePostgresDepartures, makePostgresRelations } from '../postgres/relations.ts';
import { migrate } from '../postgres/migrate.ts';
import { makeSigningKeys } from '../postgres/signing-keys.ts';
import { makeStandingSignIns } from '../postgres/standing-sign-ins.ts';
import { makePostgresLog } from '../postgres/update-log.ts';
import { type AppDeps, createApp } from './app.ts';
import { makePasswords } from './identity/passwords.ts';
import { makeDevices } from './identity/devices.ts';
import { makeEnrol } from './identity/enrol.ts';
import { openKeyRing } from './identity/key-ring.ts';
import { importStored, makeStoredKey } from './identity/signing-keys.ts';
import { makeLimits } from './rate-limit.ts';
import { mountSync } from './sync-route.ts';

/** An answer, read once. `body` is null where there is none. */
export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

const silent = { info() {}, warn() {}, error() {} };

/** The whole API for tests: the real core over a Postgres of its own, a clock that can be moved, and all that was told to `Messaging`. */
export async function openTestApi(change: (deps: AppDeps) => AppDeps = (deps) => deps) {
  const database = await createTestDatabase();
  const sql = await connect(database.url, { allowUnsafe: true });
  await migrate(sql);
  let skew = 0;
  let off = 0;
  const clock: Clock = {
    ...systemClock,
    now: () => systemClock.now() + skew + off,
    elapsed: () => systemClock.elapsed() + skew,
  };
  const bus = makePostgresBus(sql, silent);
  const nodeDeps = {
    log: makePostgresLog(sql),
    bus,
    membership: makePostgresMembership(sql),
    relations: makePostgresRelations(sql),
    departures: makePostgresDepartures(sql),
    inbox: makePostgresInbox(sql),
    signIns: makeStandingSignIns(sql),
    permissions: membersMay,
    clock,
    random: systemRandom,
    logger: silent,
  };
  const node = await startNode(nodeDeps);
  const told: { ended: Parameters<Messaging['endSessions']>[0][]; extended: string[] } = { ended: [], extended: [] };
  const errors: Record<string, unknown>[] = [];
  const signingKeys = makeSigningKeys(sql);
  const load = async () => importStored(await signingKeys.load(() => makeStoredKey(clock.now())));
  const keys = await openKeyRing({ load, clock, logger: silent });
  const deps = change({
    accounts: makeAccounts(sql),
    signIns: makeSignIns(sql),
    passwordStore: makePasswordStore(sql),
    passkeys: makePasskeys(sql),
    invites: makeInvites(sql),
    history: makeHistory(sql),
    reports: makeReports(sql),
    deletedMessages: 'keep',
    messaging: {
      ...node.messaging,
      endSessions(who) {
        told.ended.push(who);
        node.messaging.endSessions(who);
      },
      extendSession: (sid) => void told.extended.push(sid),
    },
    keys,
    platform: null,
    foreignAccounts: makeForeignAccounts(sql),
    enrol: makeEnrol({ foreignAccounts: makeForeignAccounts(sql), random: systemRandom }),
    devices: makeDevices({ knownDevices: makeKnownDevices(sql), random: systemRandom, now: clock.now }),
    passwords: makePasswords(),
    limits: makeLimits(),
    registration: 'open',
    clock,
    random: systemRandom,
    logger: { ...silent, error: (fields) => void errors.push(fields) },
    allowedOrigins: [],
    trustProxy: true,
    registry: new Registry(),
    metricsToken: 'a-token-for-metrics',
    ping: async () => void (await sql`select 1`),
    clientDir: null,
    mount: (mounted, door) => mountSync(mounted, { ...door, ...node, clock }),
  });
  const app = createApp(deps);

  /** One request; a body is sent as JSON, a text as it is. */
  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await app.request(path, {
      method,
      headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text || null };
  }

  let people = 0;
  /** Registers somebody as a program, and calls with their token. */
  async function register(handle: string, displayName = handle) {
    const address = `10.0.${Math.floor(people / 250)}.${people++ % 250}`;
    const body = { handle, displayName, password: 'correct horse', client: 'program' };
    const answer = await call('POST', '/api/auth/register', body, { 'X-Forwarded-For': address });
    const signedIn = signedInSchema.parse(answer.body);
    const authorization = { Authorization: `Bearer ${signedIn.accessToken}` };
    return {
      ...signedIn,
      id: signedIn.user.id,
      call: (method: string, path: string, data?: unknown, headers: Record<string, string> = {}) =>
        call(method, path, data, { ...authorization, ...headers }),
    };
  }

  return {
    app,
    sql,
    node,
    deps,
    told,
    errors,
    call,
    register,
    now: clock.now,
    /** Another node on the same database; it hears of the first by `bus`. */
    anotherNode: (bus: HintBus = makePostgresBus(sql, silent)) => startNode({ ...nodeDeps, bus }),
    /** Moves the clock. */
    pass: (ms: number) => void (skew += ms),
    /** Puts the machine's clock forward, or back, by so much, while no time goes by. */
    jump: (ms: number) => void (off += ms),
    async close() {
      keys.stop();
      await node.stop();
      await sql.end();
      await database.drop();
    },
  };
}
export type TestApi = Awaited<ReturnType<typeof openTestApi>>;
export type TestPerson = Awaited<ReturnType<TestApi['register']>>;
