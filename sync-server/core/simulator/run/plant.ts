import { availableParallelism } from 'node:os';
import { findPlanted } from './find-planted.ts';
import { HARD } from './planted-hard.ts';
import { PLANTED } from './planted.ts';

/** Within so many seeds each planted mistake has to be found. */
const WITHIN = Number(process.env.WITHIN ?? 10_000);

/** After how many seeds each planted mistake is found, as the table of the README; `ONLY` names some of them, `HARD=1` means those that take long. */
async function main(): Promise<void> {
  const counts: number[] = [];
  for (const planted of process.env.HARD === '1' ? HARD : PLANTED) {
    const { name, mistake } = planted;
    if (!(process.env.ONLY ?? name).split(',').some((one) => name.includes(one))) continue;
    const found = await findPlanted(planted, WITHIN, Number(process.env.CORES ?? availableParallelism()));
    counts.push(found?.seed ?? Infinity);
    console.log(`| ${name} | ${mistake} | ${found?.seed ?? 'not found'} | ${found?.wrong[0]?.split(' ')[0] ?? ''} |`);
    if (process.env.WIDE) console.log(found?.wrong.slice(0, 2));
  }
  counts.sort((a, b) => a - b);
  console.log(`median ${counts[Math.floor(counts.length / 2)]} of ${counts.length}`);
  if (counts.includes(Infinity)) process.exitCode = 1;
}
void main();
