import { describe, expect, test } from 'vitest';
import { loadWorld } from './copies.ts';
import { PLANTED, SMALL } from './planted.ts';

/** The first seed of this run; `SEED` repeats one. */
const FIRST = Number(process.env.SEED ?? 1);
const SEEDS = Number(process.env.SEEDS ?? 500);
/** A planted mistake has to be found within so many seeds. */
const WITHIN = 600;

describe('the core under a seeded world', () => {
  test(
    `[L1-L13] ${SEEDS} seeds: nothing sent is lost, doubled or re-ordered, and every replica ends as the log has it`,
    { timeout: 900_000 },
    async () => {
      const runSeed = await loadWorld('as it is', SMALL);
      const reached = new Set<string>();
      for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
        const outcome = await runSeed(seed);
        for (const what of outcome.reached) reached.add(what);
        expect(outcome.wrong, `seed ${seed}, ${outcome.steps} steps`).toEqual([]);
      }
      if (SEEDS >= 100) expect([...reached].sort()).toEqual(['block', 'fault', 'node killed', 'removal', 'return', 'roll-over', 'write']);
    },
  );

  test.each(PLANTED)('the simulator finds: $name', { timeout: 600_000 }, async ({ name, patches }) => {
    const runSeed = await loadWorld(name, [...SMALL, ...patches]);
    let found: number | null = null;
    for (let seed = 1; seed <= WITHIN && found === null; seed++) if ((await runSeed(seed)).wrong.length > 0) found = seed;
    expect(found, 'the seed that finds it').not.toBeNull();
  });
});
