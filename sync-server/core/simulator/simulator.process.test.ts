import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describePlan, drawPlan } from './plan.ts';
import { buildWorld } from './run/build.ts';
import { KEPT } from './run/kept.ts';
import { makeChance } from './chance.ts';
import { findPlanted } from './run/find-planted.ts';
import type { Planted } from './run/planted-patch.ts';
import { PLANTED } from './run/planted.ts';
import { type Pool, openPool } from './run/pool.ts';
import { SOMETIMES, runSeeds } from './run/run-seeds.ts';
import { shrink } from './run/shrink.ts';

/** Seeds that nobody has run before. */
const FRESH = Number(process.env.SEEDS ?? 2_000);
const FIRST = Number(process.env.SEED ?? 1 + Math.floor(Math.random() * 2 ** 30));
/** So many of the planted mistakes are planted here, drawn by the same chance; `run/plant.ts` plants them all. */
const PLANTED_HERE = 6;
/** Each has to be found by so many seeds, which is far more than any of them takes (README); `run/plant.ts` allows 10,000. */
const WITHIN = 3_000;
let pool: Pool;

function drawPlanted(): Planted[] {
  const chance = makeChance(FIRST);
  const left = [...PLANTED];
  return Array.from({ length: PLANTED_HERE }, () => left.splice(chance.int(left.length), 1)[0]!);
}

beforeAll(async () => {
  pool = openPool(await buildWorld('as it is'), availableParallelism());
});
afterAll(() => pool.close());

describe('client and core under a seeded world', () => {
  test.each(KEPT)('what failed once: $name', async ({ plan }) => {
    expect((await pool.ask({ plan })).wrong, describePlan(plan).join('\n')).toEqual([]);
  });

  test('the same seed is the same world, in another process, after other worlds and before them', async () => {
    const other = openPool(await buildWorld('as it is'), 1);
    const seeds = Array.from({ length: 40 }, (_, i) => i + 1);
    const traces = async (order: readonly number[], on: Pool) => {
      const found = new Map<number, string>();
      for (const seed of order) {
        const { trace, steps } = await on.ask({ plan: drawPlan(seed) });
        found.set(seed, `${trace} ${steps}`);
      }
      return seeds.map((seed) => found.get(seed));
    };
    const [there, here] = await Promise.all([traces(seeds.toReversed(), other), traces(seeds, pool)]);
    expect(there).toEqual(here);
    other.close();
  });

  test(
    `[V1-V9, Q1-Q7] ${FRESH} fresh seeds: nothing sent is lost, doubled or re-ordered, and all screens end as the log has it`,
    { timeout: 1_800_000 },
    async () => {
      const { failed, reached, seeds } = await runSeeds(pool, { first: FIRST, count: FRESH, most: 1 });
      for (const { seed } of failed) {
        const { plan, answer } = await shrink(pool, drawPlan(seed));
        expect(answer.wrong, [...describePlan(plan), JSON.stringify(plan)].join('\n')).toEqual([]);
        expect.fail(`seed ${seed} failed once`);
      }
      expect(seeds).toBe(FRESH);
      if (FRESH >= 1_000) expect(SOMETIMES.filter((what) => !reached.has(what))).toEqual([]);
    },
  );

  test.each(drawPlanted())('a planted mistake is found: $name', { timeout: 600_000 }, async (planted) => {
    expect(await findPlanted(planted, WITHIN)).not.toBeNull();
  });
});
