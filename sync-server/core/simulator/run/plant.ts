import { availableParallelism } from 'node:os';
import { buildWorld } from './build.ts';
import { HARD } from './planted-hard.ts';
import { PLANTED } from './planted.ts';
import { openPool } from './pool.ts';
import { runSeeds } from './run-seeds.ts';

/** Within so many seeds each planted mistake has to be found. */
const WITHIN = Number(process.env.WITHIN ?? 10_000);

/** After how many seeds each planted mistake is found, as the table of the README; `ONLY` names some of them, `HARD=1` means those that take long. */
async function main(): Promise<void> {
  const counts: number[] = [];
  for (const { name, mistake, patches } of process.env.HARD === '1' ? HARD : PLANTED) {
    if (!(process.env.ONLY ?? name).split(',').some((one) => name.includes(one))) continue;
    const pool = openPool(await buildWorld(name, patches), Number(process.env.CORES ?? availableParallelism()));
    const { failed } = await runSeeds(pool, { first: 1, count: WITHIN, most: 1 });
    const found = failed.sort((a, b) => a.seed - b.seed)[0];
    pool.close();
    counts.push(found?.seed ?? Infinity);
    console.log(`| ${name} | ${mistake} | ${found?.seed ?? 'not found'} | ${found?.wrong[0]?.split(' ')[0] ?? ''} |`);
    if (process.env.WIDE) console.log(found?.wrong.slice(0, 2));
  }
  counts.sort((a, b) => a - b);
  console.log(`median ${counts[Math.floor(counts.length / 2)]} of ${counts.length}`);
}
void main();
