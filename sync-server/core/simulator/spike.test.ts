import { test } from 'vitest';
import { loadWorld } from './copies.ts';
import { SMALL } from './planted.ts';
test('spike', { timeout: 600_000 }, async () => {
  const runSeed = await loadWorld('spike', SMALL);
  const first = Number(process.env.SEED ?? 1);
  const n = Number(process.env.SEEDS ?? 3);
  const reached = new Set<string>();
  const t = Date.now();
  let steps = 0;
  for (let seed = first; seed < first + n; seed++) {
    const o = await runSeed(seed);
    steps += o.steps;
    for (const r of o.reached) reached.add(r);
    if (o.wrong.length) console.log(seed, o.steps, o.wrong.slice(0, 3).map((w) => w.slice(0, 600)));
  }
  console.log(n, 'seeds', (Date.now() - t) / n, 'ms each', steps / n, 'steps', [...reached]);
});
