import { expect, test } from 'vitest';
import { syncHonestly } from './test-honest.ts';

/** `SEED=… SYNCS=… npm run fuzz`: the same seed makes the same lives. */
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const SYNCS = Number(process.env.SYNCS ?? 10_000);
/** A life holds some thirty syncs. */
const RUNS = 100;

test(`[A2, A3, D7] ${SYNCS} honest stock syncs: none is refused (SEED=${SEED})`, () => {
  let syncs = 0;
  for (let i = 0; syncs < SYNCS; i++) {
    const seen = syncHonestly(SEED + i, RUNS);
    syncs += seen.syncs;
    console.log(JSON.stringify({ SEED, ...seen, total: syncs }));
  }
  expect(syncs).toBeGreaterThanOrEqual(SYNCS);
});
