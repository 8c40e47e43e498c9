import { expect, test } from 'vitest';
import { fuzzNode } from './test-node-fuzz.ts';

test('[A9, W8] 4,000 spoilt frames through a node: no throw, nothing half applied, nothing pending', async () => {
  const { accepted, ends } = await fuzzNode(20_261_124, 4_000);
  // About one row for each of its 16 rounds.
  expect(accepted).toBeGreaterThan(8);
  expect(Object.keys(ends)).toEqual(expect.arrayContaining(['4408 malformed', '4408 foreign-lane', '4408 client-id']));
});
