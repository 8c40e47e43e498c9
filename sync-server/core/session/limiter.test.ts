import { expect, test } from 'vitest';
import { makeBucket, makeLimiter } from './limiter.ts';

test('a burst at once, then as many as the minute gives', () => {
  const limiter = makeLimiter({ burst: 3, perMinute: 6 });
  expect([0, 0, 0, 0].map((at) => limiter.take('a', at))).toEqual([0, 0, 0, 10_000]);
  expect(limiter.take('a', 9_999)).toBe(1);
  expect(limiter.take('a', 10_000)).toBe(0);
  expect(limiter.take('a', 10_000)).toBe(10_000);
});

test('an allowance fills up again, and no further', () => {
  const limiter = makeLimiter({ burst: 2, perMinute: 60 });
  for (const at of [0, 0]) limiter.take('a', at);
  expect([3_600_000, 3_600_000, 3_600_000].map((at) => limiter.take('a', at))).toEqual([0, 0, 1_000]);
});

test('keys do not share, and a clock that goes back gives nothing away', () => {
  const limiter = makeLimiter({ burst: 1, perMinute: 60 });
  expect(limiter.take('a', 5_000)).toBe(0);
  expect(limiter.take('b', 5_000)).toBe(0);
  expect(limiter.take('a', 0)).toBe(6_000);
});

test('keys whose allowance is full again are forgotten', () => {
  const limiter = makeLimiter({ burst: 5, perMinute: 60 });
  for (let i = 0; i < 100_000; i++) limiter.take(`key ${i}`, i * 10);
  expect(limiter.size()).toBeLessThan(2_000);
});

test('what is charged may be more than there is: the debt refills first', () => {
  const limiter = makeLimiter({ burst: 10, perMinute: 60 });
  limiter.charge('a', 0, 25);
  expect(limiter.wait('a', 0)).toBe(16_000);
  expect([limiter.take('a', 15_999), limiter.take('a', 16_000)]).toEqual([1, 0]);
});

test('what costs more than a burst can be taken when the burst is whole', () => {
  const limiter = makeLimiter({ burst: 10, perMinute: 60 });
  expect([limiter.take('a', 0, 15), limiter.take('a', 0)]).toEqual([0, 6_000]);
});

test.each([3, 7, 11, 600, 1_048_576])('a whole burst can be taken, whatever fractions %s a minute make', (perMinute) => {
  const [bucket, limiter] = [makeBucket({ burst: 100, perMinute }), makeLimiter({ burst: 100, perMinute })];
  const now = Date.UTC(2026, 0, 1);
  for (let i = 0; i < 100; i++) expect([bucket.take(now), limiter.take('a', now)]).toEqual([0, 0]);
  expect(bucket.take(now)).toBeGreaterThan(0);
  expect(limiter.take('a', now)).toBeGreaterThan(0);
});

test('[S7] more keys than it holds share one allowance, and those that it knows keep theirs', () => {
  const limiter = makeLimiter({ burst: 2, perMinute: 0.001 });
  limiter.take('early', 0);
  for (let i = 0; i < 200_000; i++) limiter.take(`key ${i}`, 0);
  expect(limiter.size()).toBeLessThanOrEqual(100_001);
  expect(limiter.take('new', 0)).toBeGreaterThan(0);
  expect(limiter.take('early', 0)).toBe(0);
  expect(limiter.take('early', 0)).toBeGreaterThan(0);
});
