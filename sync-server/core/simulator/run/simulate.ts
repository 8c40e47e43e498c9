import { availableParallelism } from 'node:os';
import { describePlan, drawPlan } from '../plan.ts';
import { buildWorld } from './build.ts';
import type { Answer } from './child.ts';
import { openPool } from './pool.ts';
import { type Run, runSeeds } from './run-seeds.ts';
import { shrink } from './shrink.ts';

/** A failure as soon as it is found, and a line for every 10,000 seeds: a long run that is killed has still said what it saw. */
function tellProgress(run: Run, { seed, wrong }: Answer): void {
  if (wrong.length > 0)
    console.log(
      seed,
      wrong.slice(0, 3).map((what) => what.slice(0, 400)),
    );
  if (run.seeds % 10_000 === 0) console.log(`${run.seeds} seeds, ${run.failed.length} failed`);
}

/**
 * `npm run fuzz`: seeded worlds for `MINUTES` (10), or `SEEDS` of them, from `SEED` on (a new one each time). What fails is made as small
 * as it can be and printed, ready to be kept in `kept.ts`; the exit code tells.
 */
async function main(): Promise<void> {
  const first = Number(process.env.SEED ?? 1 + Math.floor(Math.random() * 2 ** 30));
  const until = Date.now() + Number(process.env.MINUTES ?? 10) * 60_000;
  const count = Number(process.env.SEEDS ?? (process.env.SEED === undefined ? Infinity : 1));
  const pool = openPool(await buildWorld('as it is'), Number(process.env.CORES ?? availableParallelism()));
  const isOver = (): boolean => process.env.SEEDS === undefined && Date.now() > until;
  const { seeds, failed, ms, steps, reached } = await runSeeds(pool, { first, count, isOver, onSeed: tellProgress });
  console.log(
    `seeds ${first} to ${first + seeds - 1}: ${failed.length} failed; ${(ms / seeds).toFixed(1)} ms of work and ${(steps / seeds).toFixed(0)} steps each`,
  );
  console.log(Object.fromEntries(reached));
  for (const { seed } of failed.slice(0, Number(process.env.SHRINK ?? 3))) {
    const { plan, answer } = await shrink(pool, drawPlan(seed));
    console.log([...describePlan(plan), ...answer.wrong, JSON.stringify(plan)].join('\n'));
  }
  pool.close();
  process.exitCode = failed.length > 0 ? 1 : 0;
}
void main();
