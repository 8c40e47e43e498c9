import { expect, test } from 'vitest';
import { fromBase64, jsonRows, storableTime, toBase64 } from './json-rows.ts';

const through = (value: unknown): unknown => (JSON.parse(jsonRows([{ value }])) as { value: unknown }[])[0]!.value;

test.each([
  ['a NUL', 'a\0b', 'a\ufffdb'],
  ['half a surrogate pair', 'a\ud83db\udc4b', 'a\ufffdb\ufffd'],
  ['a NUL after a backslash', '\\\0', '\\\ufffd'],
])('%s, which Postgres does not take, becomes U+FFFD', (_, text, stored) => {
  expect(through(text)).toBe(stored);
  expect(through({ [text]: [text] })).toEqual({ [stored]: [stored] });
});

test.each(['\\u0000', '\\\\ud83d', '👋🏽', '"\n\t\u0001', '\\'])('%j stays as it is', (text) => {
  expect(through(text)).toBe(text);
});

test('bytes come back', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  expect(fromBase64(toBase64(bytes.subarray(3, 200)))).toEqual(bytes.slice(3, 200));
});

test('a time beyond the year 9999 is its last millisecond', () => {
  expect(new Date(storableTime(Number.MAX_SAFE_INTEGER)).toISOString()).toBe('9999-12-31T23:59:59.999Z');
  expect(storableTime(5)).toBe(5);
});
