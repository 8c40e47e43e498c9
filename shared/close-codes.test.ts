import { expect, test } from 'vitest';
import { CLOSE, NEUTRALISED, REFUSALS, SPREAD_MOST_MS, decodeSpread, encodeSpread } from './close-codes.ts';

const table = Object.values(CLOSE);

test('[W4] 4400 to 4499 are final, and nothing else is', () => {
  for (const { code, again } of table) expect([code, again]).toEqual([code, code < 4400 || code > 4499]);
});

test('[W4] a code means one thing', () => {
  expect(new Set(table.map(({ code }) => code)).size).toBe(table.length);
});

test('[W4] every code is one that a server may send', () => {
  // RFC 6455, 7.4: 1000 to 1003, 1007 to 1014, and those of applications; 1005, 1006 and 1015 never travel.
  for (const { code } of table) expect([code, [1012, 1013].includes(code) || (code >= 4000 && code <= 4999)]).toEqual([code, true]);
});

test('[W4] every reason fits into a close frame', () => {
  const reasons = [...table.map(({ means }) => means), ...REFUSALS, encodeSpread(SPREAD_MOST_MS)];
  for (const reason of reasons) expect(new TextEncoder().encode(reason).length, reason).toBeLessThanOrEqual(123);
});

test('[A6] reasons of refusals and of neutralised entries are told apart', () => {
  const words: string[] = [...REFUSALS, ...NEUTRALISED];
  expect(new Set(words).size).toBe(words.length);
});

test('[W15] how to spread comes back as it was said, and never as more than may be', () => {
  expect([0, 1, 12_345, SPREAD_MOST_MS, 999_999].map((ms) => decodeSpread(encodeSpread(ms)))).toEqual([0, 1, 12_345, 20_000, 20_000]);
  for (const reason of ['', CLOSE.restart.means, 'within ms', 'Come back within 99999999 ms.']) expect(decodeSpread(reason)).toBe(0);
});
