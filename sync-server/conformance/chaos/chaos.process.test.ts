import { afterEach, expect, test, vi } from 'vitest';
import { type Chance, makeChance } from '../../core/simulator/chance.ts';
import { NOTHING_FOUND, makeLedger } from '../ledger.ts';
import { freshLog, storedMessages } from '../stored.ts';
import { type Cluster, type When, openCluster } from './cluster.ts';
import { type Crew, keepWriting, openCrew, renew } from './load.ts';

const { KILLS = '4', DB_KILLS = '2', RATE = '100', NODES = '3', SEED = String(Date.now() % 1_000_000) } = process.env;
const kills = { node: Number(KILLS), postgres: Number(DB_KILLS) };
type Kind = keyof typeof kills;
const WHEN: readonly When[] = ['any', 'any', 'asked', 'sent', 'answered'];
const CREWS = ['oak', 'elm', 'ash'];
/** Sessions are renewed so often, counted in kills: their tokens live 15 minutes. */
const RENEW_EVERY = 40;
// In Node each provider listens for the end of the process.
process.setMaxListeners(0);
const PATIENCE = { timeout: 90_000, interval: 20 };

let cluster: Cluster | undefined;
let crews: Crew[] = [];
let stopWriting = (): void => {};

afterEach(async () => {
  stopWriting();
  for (const { writers } of crews) for (const writer of writers) writer.close();
  await cluster?.close();
});

const writersOf = () => crews.flatMap(({ writers }) => writers);

/** Waits until it is so, unless a writer is refused or a node has ended by itself: it has said why. */
async function reach(at: Cluster, isSo: () => boolean): Promise<void> {
  const trouble = (): string[] => [...at.trouble(), ...writersOf().flatMap((writer) => writer.refused())];
  await vi.waitFor(() => expect(isSo() || trouble().length > 0).toBe(true), PATIENCE).catch(() => {});
  expect({ trouble: trouble(), reached: isSo() }, JSON.stringify(writersOf().map((writer) => writer.state()))).toEqual({
    trouble: [],
    reached: true,
  });
}

/** All kills, in an order of chance. */
function shuffled(chance: Chance): Kind[] {
  const bag = (Object.keys(kills) as Kind[]).flatMap((kind) => Array.from({ length: kills[kind] }, () => kind));
  return Array.from({ length: bag.length }, () => bag.splice(chance.int(bag.length), 1)[0]!);
}

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

test(
  `[F1] [F2] [L10] ${KILLS} nodes and ${DB_KILLS} times Postgres killed under ${RATE} messages a second, at any moment and within commits: nothing that was shown as sent is missing, doubled or out of order`,
  async () => {
    console.info(`SEED=${SEED} KILLS=${KILLS} DB_KILLS=${DB_KILLS} RATE=${RATE} NODES=${NODES}`);
    const startedAt = Date.now();
    const chance = makeChance(Number(SEED));
    const running = await openCluster(Number(NODES), chance);
    cluster = running;
    const ledger = makeLedger();
    for (const name of CREWS) crews.push(await openCrew(running, name, ledger));
    stopWriting = keepWriting(crews, Number(RATE));
    const people = crews.flatMap((crew) => crew.people);

    const done: Record<Kind, Partial<Record<When, number>>> = { node: {}, postgres: {} };
    const backAfter: Record<Kind, number[]> = { node: [], postgres: [] };
    for (const [i, kind] of shuffled(chance).entries()) {
      const goal = ledger.counts().acknowledged + 10 + chance.int(300);
      await reach(running, () => ledger.counts().acknowledged > goal);
      const when = chance.oneOf(WHEN)!;
      await (kind === 'node' ? running.killNode(when) : running.killPostgres(when));
      done[kind][when] = (done[kind][when] ?? 0) + 1;
      if (i % RENEW_EVERY === RENEW_EVERY - 1) await renew(people);
      // Half of the next ones come before everybody is back.
      if (chance.happens(0.5)) continue;
      const at = Date.now();
      const before = writersOf().map((writer) => writer.state().sent);
      await reach(running, () => writersOf().every((writer, j) => writer.state().sent > before[j]!));
      backAfter[kind].push(Date.now() - at);
    }
    stopWriting();
    await reach(running, () => writersOf().every((writer) => writer.state().waiting === 0));

    const found = structuredClone(NOTHING_FOUND);
    for (const { conversationId, people } of crews) {
      const stored = await storedMessages(running.databaseUrl, conversationId);
      const wrong = ledger.audit(conversationId, stored);
      for (const key of ['missing', 'doubled', 'outOfOrder', 'foreign'] as const) found[key].push(...wrong[key]);
      expect(await freshLog(running, people[0]!, conversationId)).toEqual(stored.map(({ id }) => id));
    }
    console.table(
      Object.fromEntries(
        (Object.keys(kills) as Kind[]).map((kind) => [
          `${kind} killed`,
          {
            times: kills[kind],
            ...Object.fromEntries((['any', 'asked', 'sent', 'answered'] as const).map((when) => [when, done[kind][when] ?? 0])),
            'all write again, middle ms': middle(backAfter[kind]),
            'longest ms': Math.max(0, ...backAfter[kind]),
          },
        ]),
      ),
    );
    console.table({
      messages: { ...ledger.counts(), seconds: Math.round((Date.now() - startedAt) / 1000) },
      wrong: Object.fromEntries(Object.entries(found).map(([kind, list]) => [kind, list.length])),
    });
    expect(found).toEqual(NOTHING_FOUND);
  },
  180_000 + (kills.node + kills.postgres) * 30_000,
);
