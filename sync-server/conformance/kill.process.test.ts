import { afterEach, expect, test, vi } from 'vitest';
import { readRoot } from '../../shared/conversation.ts';
import { readLog } from '../../shared/segment.ts';
import { makeChance } from '../core/simulator/chance.ts';
import { until } from '../postgres/launcher/process-table.ts';
import { type Writer, openDevice } from './device.ts';
import { NOTHING_FOUND, makeLedger } from './ledger.ts';
import { type Person, register } from './person.ts';
import { openProgram } from './program.ts';
import { openReplica } from './replica.ts';
import { type Server, startServer } from './server-process.ts';

const { SEED = String(Date.now() % 1_000_000) } = process.env;
const KINDS = ['server', 'postgres', 'server', 'postgres', 'both', 'server', 'postgres'] as const;
type Kind = (typeof KINDS)[number];
const PER_SECOND = 200;
const TICK_MS = 20;
const PATIENCE = { timeout: 90_000, interval: 20 };

let server: Server | undefined;
const writers: Writer[] = [];
let stopWriting = (): void => {};

afterEach(async () => {
  stopWriting();
  for (const writer of writers) writer.close();
  await server?.close();
});

/** So many messages a second, whatever becomes of them, each writer in its turn. Returns the way to stop. */
function keepWriting(turns: readonly Writer[]): () => void {
  const startedAt = Date.now();
  let count = 0;
  const timer = setInterval(() => {
    for (const due = ((Date.now() - startedAt) * PER_SECOND) / 1000; count < due; count++)
      turns[count % turns.length]!.write(`message ${count}`);
  }, TICK_MS);
  return () => clearInterval(timer);
}

/** Waits until it is so, unless a writer is refused or the server has ended by itself: it has said why. */
async function reach(at: Server, isSo: () => boolean): Promise<void> {
  const trouble = (): string[] => [at.process().said.err, ...writers.flatMap((writer) => writer.refused())].filter((line) => line !== '');
  const reached = await until(() => isSo() || trouble().length > 0, PATIENCE.timeout);
  expect({ trouble: trouble(), reached }, JSON.stringify(writers.map((writer) => writer.state()))).toEqual({ trouble: [], reached: true });
}

async function killPostgres(at: Server): Promise<void> {
  const pid = at.postgresPid();
  process.kill(pid, 'SIGKILL');
  await vi.waitFor(() => expect(at.postgresPid()).not.toBe(pid), PATIENCE);
}

const KILL: Record<Kind, (at: Server) => Promise<void>> = {
  async server(at) {
    await at.process().signal('SIGKILL');
    await at.start();
  },
  postgres: killPostgres,
  async both(at) {
    process.kill(at.postgresPid(), 'SIGKILL');
    await KILL.server(at);
  },
};

test(`[B2] [L10] kill -9 of the server, of the Postgres that it started, and of both under ${PER_SECOND} messages a second: nothing acknowledged is missing, doubled or out of order`, async () => {
  console.info(`SEED=${SEED}`);
  const chance = makeChance(Number(SEED));
  const startedAt = Date.now();
  const running = await startServer({ LOG_LEVEL: 'error' });
  server = running;
  const ledger = makeLedger();
  const people: Person[] = [];
  for (const handle of ['ada', 'grace', 'linus', 'ken']) people.push(await register(running.origin, handle));
  const [ada, grace, linus, ken] = people as [Person, Person, Person, Person];
  const direct = await ada.converse(grace);
  const other = await linus.converse(ken);
  const devices = [
    openDevice(running, ada, direct.id, ledger),
    openDevice(running, grace, direct.id, ledger),
    openDevice(running, linus, other.id, ledger),
  ];
  const program = openProgram(ken, other.id, ledger);
  writers.push(...devices, program);
  // A program waits for the answer to each message: it writes one in ten.
  stopWriting = keepWriting([...devices, ...devices, ...devices, program]);

  for (const bag: Kind[] = [...KINDS]; bag.length > 0;) {
    const kind = bag.splice(chance.int(bag.length), 1)[0]!;
    const goal = ledger.counts().acknowledged + 50 + chance.int(500);
    await reach(running, () => ledger.counts().acknowledged > goal);
    await KILL[kind](running);
  }
  stopWriting();
  await reach(running, () => writers.every((writer) => writer.state().waiting === 0));

  for (const [reader, { id }] of [
    [grace, direct],
    [linus, other],
  ] as const) {
    const history = await reader.history(id);
    expect(ledger.audit(id, history)).toEqual(NOTHING_FOUND);
    // The documents say the same as the tables.
    const root = openReplica(running, reader, id);
    await vi.waitFor(() => expect(readRoot(root.doc)).not.toBeNull(), PATIENCE);
    const { open } = readRoot(root.doc)!;
    const logs: string[] = [];
    for (let n = 1; n <= open; n++) {
      const segment = openReplica(running, reader, `${id}/${n}`);
      await vi.waitFor(() => expect(segment.provider.synced).toBe(true), PATIENCE);
      logs.push(...readLog(segment.doc));
      segment.close();
    }
    root.close();
    expect(logs).toEqual(history.map((message) => message.id));
  }
  console.info({ ...ledger.counts(), seconds: Math.round((Date.now() - startedAt) / 1000) });
}, 330_000);
