import { expect, test } from 'vitest';
import { HTTP_RATES } from '../../shared/limits.ts';
import { addressKey, isOwnAddress, makeLimits, refuseAfter } from './rate-limit.ts';
import { ProblemError } from './problem.ts';

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

test('[S7] ten thousand guesses from two thousand addresses: few are looked at, and the person’s own device always is', () => {
  const limits = makeLimits();
  let guesses = 0;
  const refused: number[] = [];
  for (let i = 0; i < 10_000; i++) {
    const now = i * 360;
    if (limits.logIn({ address: `10.${i % 200}.${i % 10}.1`, handle: 'ada', device: null }, now) === 0) guesses += 1;
    if (i % 1_000 === 999) refused.push(limits.logIn({ address: `10.${i % 200}.${i % 10}.1`, handle: 'ada', device: 'hers' }, now));
  }
  // An hour: fifty at once and two a minute.
  expect(guesses).toBe(50 + 2 * 60 - 1);
  expect(refused).toEqual(Array(10).fill(0));
});

test('log-ins: few by one address for one account, more by one address, many for one account', () => {
  const tries = (next: (i: number) => { address: string; handle: string; device?: string }): number => {
    const limits = makeLimits();
    let i = 0;
    while (limits.logIn({ device: null, ...next(i) }, 0) === 0) i++;
    return i;
  };
  expect(tries(() => ({ address: '192.0.2.1', handle: 'ada' }))).toBe(10);
  expect(tries((i) => ({ address: '192.0.2.1', handle: `user${i}` }))).toBe(60);
  expect(tries((i) => ({ address: `192.0.2.${i}`, handle: 'ada' }))).toBe(50);
  expect(tries((i) => ({ address: `192.0.2.${i}`, handle: 'ada', device: 'known' }))).toBe(10);
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

test.each([
  ['127.0.0.1', true],
  ['::1', true],
  ['::ffff:127.8.0.1', true],
  ['', true],
  ['128.0.0.1', false],
  ['10.127.0.1', false],
  ['::ffff:10.0.0.1', false],
])('%s is this machine’s own: %s', (address, own) => expect(isOwnAddress(address)).toBe(own));

test('[H6] a person has a burst to read and one to change, an address one for all of its people, and this machine none', () => {
  const limits = makeLimits();
  const tries = (take: () => number): number => {
    let count = 0;
    while (count < 10_000 && take() === 0) count++;
    return count;
  };
  expect(tries(() => limits.person('ana', false, 0))).toBe(HTTP_RATES.reads.burst);
  expect(tries(() => limits.person('ana', true, 0))).toBe(HTTP_RATES.writes.burst);
  expect(limits.person('ben', true, 0)).toBe(0);
  expect(tries(() => limits.address('192.0.2.1', 0))).toBe(HTTP_RATES.address.burst);
  expect(tries(() => limits.address('127.0.0.1', 0))).toBe(10_000);
});
