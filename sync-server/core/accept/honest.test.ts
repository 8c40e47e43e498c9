import { describe, expect, it } from 'vitest';
import { syncHonestly } from './test-honest.ts';

describe('honest stock replicas', () => {
  it('[A2] [A3] [A9] [D7] [L5] are never refused, end up equal, and the tables show what the document shows', () => {
    const seen = syncHonestly(20_260_101, 150);
    expect(seen.syncs).toBeGreaterThan(2_000);
    // The property says nothing when the runs are tame.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(50);
  });
});
