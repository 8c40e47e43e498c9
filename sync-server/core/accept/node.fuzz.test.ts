import { expect, test } from 'vitest';
import { fuzzNode } from './test-node-fuzz.ts';

/** `SEED=… FRAMES=… npm run fuzz`: the same seed makes the same frames. */
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const FRAMES = Number(process.env.FRAMES ?? 1_000_000);

test(`[A9, W8] ${FRAMES} spoilt frames through a node: no throw, nothing half applied, nothing pending (SEED=${SEED})`, async () => {
  const summary = await fuzzNode(SEED, FRAMES);
  console.log(JSON.stringify(summary));
  expect(summary.frames).toBeGreaterThanOrEqual(FRAMES);
});
