import { expect, test } from 'vitest';
import { addressKey, makeLimiter, makeLimits, refuseAfter } from './rate-limit.ts';
import { ProblemError } from './problem.ts';

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

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:DB8:0:1:aaaa::1', '2001:db8:0:1'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:0db8:0000:0001:2:3:4:5', '2001:db8:0:1'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['', ''],
])('%s counts as %s', (address, key) => expect(addressKey(address)).toBe(key));

test('log-ins: few by one address for one account, more by one address, many for one account', () => {
  const tries = (next: (i: number) => [address: string, handle: string]): number => {
    const limits = makeLimits();
    let i = 0;
    while (limits.logIn(...next(i), 0) === 0) i++;
    return i;
  };
  expect(tries(() => ['192.0.2.1', 'ada'])).toBe(10);
  expect(tries((i) => ['192.0.2.1', `user${i}`])).toBe(60);
  expect(tries((i) => [`192.0.2.${i}`, 'ada'])).toBe(100);
});

test('a refusal tells whole seconds to wait', () => {
  refuseAfter(0);
  expect(() => refuseAfter(1_001)).toThrow(ProblemError);
  try {
    refuseAfter(1_001);
  } catch (error) {
    expect(error).toMatchObject({ code: 'too-many-requests', details: { headers: { 'Retry-After': '2' } } });
  }
});
