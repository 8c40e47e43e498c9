import { expect, test } from 'vitest';
import { anId } from '../core/contracts/contract-examples.ts';
import type { Hint } from '../core/ports.ts';
import { decodeHint, encodeHint } from './hints.ts';

test('[L12] hints come back as they were', () => {
  const hints: Hint[] = [
    { kind: 'positions', conversationId: anId(), userId: anId(), read: true },
    { kind: 'members', conversationId: anId() },
    { kind: 'signed-out', userId: anId() },
    { kind: 'signed-out', userId: anId(), sid: anId() },
    { kind: 'renewed', sid: anId(), expiresAt: 1_800_000_000_000 },
    { kind: 'updates', documents: [[anId(), 0, Number.MAX_SAFE_INTEGER]] },
  ];
  for (const hint of hints) expect(encodeHint(hint).map(decodeHint)).toEqual([hint]);
});

test('[L6] a hint of many documents is cut into payloads that NOTIFY takes', () => {
  const documents = Array.from({ length: 1_000 }, (_, n): [string, number, number] => [anId(), n, n * 1_000_000]);
  const payloads = encodeHint({ kind: 'updates', documents });
  expect(Math.max(...payloads.map((payload) => Buffer.byteLength(payload)))).toBeLessThan(8_000);
  expect(payloads.flatMap((payload) => (decodeHint(payload) as Extract<Hint, { kind: 'updates' }>).documents)).toEqual(documents);
});

test.each([
  '',
  'null',
  '[]',
  '{"kind":"other"}',
  '{"kind":"updates"}',
  '{"kind":"updates","documents":[["x",1,1]]}',
  '{"kind":"positions"}',
  '{"kind":"members","conversationId":"x"}',
  '{"kind":"signed-out","sid":"x"}',
  '{"kind":"renewed","sid":"x","expiresAt":1}',
])('[L12] %j is no hint', (payload) => {
  expect(decodeHint(payload)).toBeNull();
});
