import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { conversationAnswer } from '../../../shared/api.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { addMessage } from '../../../shared/segment.ts';
import { makeChance } from '../../core/simulator/chance.ts';
import { openBalancer } from '../chaos/balancer.ts';
import { type CommitGate, openCommitGate } from '../chaos/commit-gate.ts';
import { keepWriting, openCrew } from '../chaos/load.ts';
import { openDevice } from '../device.ts';
import { newId } from '../frames.ts';
import { NOTHING_FOUND, makeLedger } from '../ledger.ts';
import { type Person, register } from '../person.ts';
import { type Replica, openReplica } from '../replica.ts';
import { freshLog, storedMessages } from '../stored.ts';
import { type NodeProcess, type Nodes, openNodes } from './nodes.ts';

/** Nodes that stand still, and nodes that are told to stop. */
let nodes: Nodes;
let node: NodeProcess;
/** The one that is stopped, by way of a gate that can catch it in the middle of a commit. */
let frozen: NodeProcess;
let gate: CommitGate;
const closers: (() => unknown)[] = [];
const PATIENCE = { timeout: 30_000, interval: 20 };
/** Postgres takes its locks from a node that stands still in a transaction after 5 s. */
const HELD_UP_MS = 9_000;

beforeAll(async () => {
  nodes = await openNodes();
  gate = await openCommitGate(nodes.databaseUrl);
  [node, frozen] = await Promise.all([nodes.start(), nodes.start(gate.url)]);
});
afterAll(async () => {
  await nodes.close();
  await gate.close();
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const until = (check: () => void, timeout = PATIENCE.timeout) => vi.waitFor(check, { ...PATIENCE, timeout });
const write = ({ doc }: Replica, { id }: Person, body: string): void => addMessage(doc, id, newId(), [body, null, null]);

function open(at: { syncUrl: string }, who: Person, documentId: string): Replica {
  const replica = openReplica(at, who, documentId);
  closers.push(replica.close);
  return replica;
}

async function group([owner, ...others]: readonly Person[]): Promise<Uuid> {
  const body = { title: 'Group', memberIds: others.map(({ id }) => id) };
  return conversationAnswer.parse((await owner!.call('POST', '/api/messaging/conversations', body)).body).conversation.id;
}

const freeze = ({ program }: NodeProcess): void => void process.kill(program.pid, 'SIGSTOP');
const thaw = ({ program }: NodeProcess): void => void process.kill(program.pid, 'SIGCONT');

test.each([
  ['while it does nothing', false],
  ['within a commit, with the lock', true],
])(
  '[F19] a node that stands still %s holds up nobody for long, and commits nothing with old rights or old seq when it goes on',
  async (_, inCommit) => {
    const name = inCommit ? 'held' : 'idle';
    const ana = await register(node.origin, `ana.${name}`);
    const [ben, carl] = [await register(frozen.origin, `ben.${name}`), await register(frozen.origin, `carl.${name}`)];
    const id = await group([ana, ben, carl]);
    const ledger = makeLedger();
    const [a, b] = [openDevice(node, ana, id, ledger), openDevice(frozen, ben, id, ledger)];
    closers.push(a.close, b.close);
    const c = open(frozen, carl, `${id}/1`);
    for (const device of [a, b]) device.write('before');
    await until(() => expect([a.state().sent, b.state().sent, c.messages().length]).toEqual([1, 1, 2]));

    if (inCommit) {
      const standsStill = new Promise<void>((resolve) =>
        gate.atNextCommit('asked', () => {
          freeze(frozen);
          resolve();
        }),
      );
      b.write('in the commit');
      await standsStill;
    } else freeze(frozen);
    const since = performance.now();
    for (let i = 0; i < 5; i++) a.write(`meanwhile ${i}`);
    write(c, carl, 'let me in');
    b.write('patience');
    await until(() => expect(a.state().sent).toBe(6), HELD_UP_MS);
    const heldUpMs = performance.now() - since;
    expect((await ana.call('DELETE', `/api/messaging/conversations/${id}/members/${carl.id}`)).status).toBeLessThan(300);
    a.write('among ourselves');
    await until(() => expect(a.state().sent).toBe(7));
    thaw(frozen);

    await until(() => expect([a, b].map((device) => device.state().waiting)).toEqual([0, 0]));
    await until(() => expect(c.closes.at(-1)?.code).toBe(4403));
    expect([a, b].flatMap((device) => device.refused())).toEqual([]);
    const stored = await storedMessages(nodes.databaseUrl, id);
    expect(ledger.audit(id, stored)).toEqual(NOTHING_FOUND);
    const texts = stored.map(({ content }) => content);
    expect(texts).not.toContain('let me in');
    // What waited on the node that stood still comes after what was said meanwhile.
    expect(texts.indexOf('patience')).toBeGreaterThan(texts.indexOf('among ourselves'));
    expect(c.messages().map(({ body }) => body)).not.toContain('among ourselves');
    for (const each of [node, frozen]) expect(await freshLog(each, ana, id)).toEqual(stored.map((message) => message.id));
    console.info(`frozen ${name}: others held up ${Math.round(heldUpMs)} ms`);
  },
);

test('[W15] [P5] [F15] a rolling restart under 150 messages a second: 1012, in-flight commits end, nothing that was shown as sent is lost, and nobody is left as a ghost', async () => {
  const running = [frozen, node];
  const balancer = await openBalancer(() => running.map(({ port }) => port), makeChance(7));
  closers.push(balancer.close);
  const all = { origin: `http://127.0.0.1:${balancer.port}`, syncUrl: `ws://127.0.0.1:${balancer.port}/api/sync` };
  const ledger = makeLedger();
  const crew = await openCrew(all, 'crew', ledger);
  closers.push(...crew.writers.map((writer) => writer.close));
  const stopWriting = keepWriting([crew], 150);
  closers.push(stopWriting);
  const [stays, goes] = crew.people as [Person, Person];
  const trouble = (): string[] => crew.writers.flatMap((writer) => writer.refused());
  const reach = async (sent: number): Promise<void> => {
    const goal = ledger.counts().acknowledged + sent;
    await until(() => expect(ledger.counts().acknowledged > goal || trouble().length > 0).toBe(true));
  };

  for (let round = 0; round < 2; round++) {
    const [stopping, other] = running as [NodeProcess, NodeProcess];
    const onIt = open(stopping, goes, crew.conversationId);
    const elsewhere = open(other, stays, crew.conversationId);
    const seen = (): boolean =>
      [...elsewhere.provider.awareness.getStates().values()].some(
        (state) => (state.user as { id?: Uuid } | undefined)?.id === goes.id && state.typing,
      );
    onIt.provider.awareness.setLocalState({ typing: true });
    await until(() => expect(seen()).toBe(true));
    await reach(100);

    running.shift();
    const stoppedAt = performance.now();
    expect(await stopping.program.signal('SIGTERM')).toBe(0);
    console.info(`stopped after ${Math.round(performance.now() - stoppedAt)} ms`);
    expect(stopping.program.said.err).toBe('');
    await until(() =>
      expect(onIt.closes.find((close) => close !== null)).toMatchObject({ code: 1012, reason: expect.stringMatching(/ within \d+ ms/) }),
    );
    await until(() => expect(seen()).toBe(false), 5_000);
    onIt.close();
    elsewhere.close();
    running.push(await nodes.start());
    await reach(100);
  }
  stopWriting();
  await until(() =>
    expect([trouble(), ...crew.writers.map((writer) => writer.state().waiting)]).toEqual([[], ...crew.writers.map(() => 0)]),
  );
  const stored = await storedMessages(nodes.databaseUrl, crew.conversationId);
  expect(ledger.audit(crew.conversationId, stored)).toEqual(NOTHING_FOUND);
  expect(await freshLog(all, stays, crew.conversationId)).toEqual(stored.map(({ id }) => id));
});
