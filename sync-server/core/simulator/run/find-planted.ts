import { availableParallelism } from 'node:os';
import { buildWorld } from './build.ts';
import type { Answer } from './child.ts';
import type { Planted } from './planted-patch.ts';
import { openPool } from './pool.ts';
import { runSeeds } from './run-seeds.ts';

/** The first seed of so many by which a world with this mistake in it goes wrong; null: none of them does. */
export async function findPlanted({ name, patches }: Planted, within: number, cores = availableParallelism()): Promise<Answer | null> {
  const mistaken = openPool(await buildWorld(name, patches), cores);
  try {
    const { failed } = await runSeeds(mistaken, { first: 1, count: within, most: 1 });
    return failed.toSorted((a, b) => a.seed - b.seed)[0] ?? null;
  } finally {
    mistaken.close();
  }
}
