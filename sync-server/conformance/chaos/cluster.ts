import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Chance } from '../../core/simulator/chance.ts';
import { type RunningPostgres, startPostgres } from '../../postgres/launcher/launcher.ts';
import { type Program, build, findFreePort, runProgram } from '../server-process.ts';
import { openBalancer } from './balancer.ts';
import { type CommitGate, type Moment, openCommitGate } from './commit-gate.ts';

/** When something is killed: at once, or at a moment of a commit. */
export type When = 'any' | Moment;

/**
 * Nodes as processes on one PostgreSQL, behind one address, where anything may be killed. A node that ends is started again until it runs,
 * as an operator's supervisor does.
 *
 *   clients ─► balancer ─► node ─► commit gate ─┐
 *                     └──► node ─► commit gate ─┴► PostgreSQL
 */
export interface Cluster {
  origin: string;
  /** For `WebsocketProvider`: `ws://…/api/sync`. */
  syncUrl: string;
  databaseUrl: string;
  /** SIGKILL to a node that lives. Resolves when it is done; the node comes back by itself. */
  killNode(when: When): Promise<void>;
  /** SIGKILL to the postmaster. Resolves when PostgreSQL takes connections again. */
  killPostgres(when: When): Promise<void>;
  /** What nobody meant to happen: nodes that ended by themselves. */
  trouble(): string[];
  close(): Promise<void>;
}

interface Node {
  port: number;
  gate: CommitGate;
  program: Program | null;
  isUp: boolean;
  /** The process that was killed on purpose. */
  killed: Program | null;
}

const MAIN = ['dist/server/main.mjs'];
/** Where no node is left, it is looked so often whether one has come back. */
const LOOK_MS = 20;

export async function openCluster(size: number, chance: Chance): Promise<Cluster> {
  await build();
  const dataDir = await mkdtemp(join(tmpdir(), 'homing-chaos-'));
  let postgres: RunningPostgres = await startPostgres({ dataDir });
  const { url } = postgres;
  const trouble: string[] = [];
  let closing = false;

  const nodes: Node[] = [];
  for (let i = 0; i < size; i++)
    nodes.push({ port: await findFreePort(), gate: await openCommitGate(url), program: null, isUp: false, killed: null });
  const living = (): Node[] => nodes.filter(({ isUp }) => isUp);
  const balancer = await openBalancer(() => living().map(({ port }) => port), chance);

  async function keep(node: Node): Promise<void> {
    while (!closing) {
      const env = { NODE_ENV: 'production', DATABASE_URL: node.gate.url, PORT: String(node.port), HOST: '127.0.0.1', LOG_LEVEL: 'error' };
      const program = runProgram(MAIN, env);
      node.program = program;
      node.isUp = await program.ready.then(
        () => true,
        () => false,
      );
      const wasUp = node.isUp;
      const code = await program.ended;
      node.isUp = false;
      // Without its database a node does not start, and says so.
      if (wasUp && node.killed !== program && !closing) trouble.push(`a node ended with ${code}: ${program.said.err}`);
    }
  }

  function strike(node: Node): void {
    node.isUp = false;
    node.killed = node.program;
    void node.program?.signal('SIGKILL');
  }

  /** Settles with the node whose commit is the first to be at that moment; `then` happens in that very moment. */
  function atCommit(moment: Moment, then: (node: Node) => void): Promise<void> {
    return new Promise((resolve) => {
      for (const node of living())
        node.gate.atNextCommit(moment, () => {
          for (const { gate } of nodes) gate.disarm();
          then(node);
          resolve();
        });
    });
  }

  async function someLive(): Promise<void> {
    while (living().length === 0) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }

  const running = nodes.map(keep);
  await Promise.all(nodes.map(async (node) => node.program?.ready));
  return {
    origin: `http://127.0.0.1:${balancer.port}`,
    syncUrl: `ws://127.0.0.1:${balancer.port}/api/sync`,
    databaseUrl: url,
    async killNode(when) {
      await someLive();
      if (when !== 'any') return atCommit(when, strike);
      strike(chance.oneOf(living())!);
    },
    async killPostgres(when) {
      const kill = (): void => void process.kill(postgres.pid, 'SIGKILL');
      if (when === 'any') kill();
      else await someLive().then(() => atCommit(when, kill));
      await postgres.ended;
      postgres = await startPostgres({ dataDir, port: Number(new URL(url).port) });
    },
    trouble: () => trouble,
    async close() {
      closing = true;
      for (const { program } of nodes) await program?.signal('SIGKILL');
      await Promise.all(running);
      await balancer.close();
      for (const { gate } of nodes) await gate.close();
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
