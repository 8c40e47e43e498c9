import { expect, test } from 'vitest';
import { anId } from '../core/contracts/contract-examples.ts';
import type { Hint, PresenceNews } from '../core/ports.ts';
import { decodeHint, encodeHint } from './hints.ts';

const SOMEBODY = '00000000-0000-7000-8000-000000000001';

test('[L12] hints come back as they were', () => {
  const hints: Hint[] = [
    { kind: 'positions', conversationId: anId(), userId: anId(), read: true },
    { kind: 'members', conversationId: anId() },
    { kind: 'signed-out', userId: anId() },
    { kind: 'signed-out', userId: anId(), sid: anId() },
    { kind: 'renewed', sid: anId(), expiresAt: 1_800_000_000_000 },
    { kind: 'updates', documents: [[anId(), 0, Number.MAX_SAFE_INTEGER]] },
    { kind: 'presence', node: anId(), clock: 1, news: [[anId(), 4_294_967_295, anId(), 2, true, 7]] },
    { kind: 'presence', node: anId(), clock: 1, news: [[anId(), 5, anId(), 2, null, null]] },
    { kind: 'who-is-here', node: anId(), clock: 1_800_000_000_000, conversationIds: [anId()] },
    { kind: 'who-is-here', node: anId(), clock: 1, conversationIds: [] },
  ];
  for (const hint of hints) expect(encodeHint(hint).map(decodeHint)).toEqual([hint]);
});

test('[L6] a hint of many documents is cut into payloads that NOTIFY takes', () => {
  const documents = Array.from({ length: 1_000 }, (_, n): [string, number, number] => [anId(), n, n * 1_000_000]);
  const payloads = encodeHint({ kind: 'updates', documents });
  expect(Math.max(...payloads.map((payload) => Buffer.byteLength(payload)))).toBeLessThan(8_000);
  expect(payloads.flatMap((payload) => (decodeHint(payload) as Extract<Hint, { kind: 'updates' }>).documents)).toEqual(documents);
});

test('[P8] [L6] so are presence and the question who is here, and every payload says whose it is', () => {
  const news = Array.from({ length: 512 }, (_, i): PresenceNews => [anId(), 4_294_967_295 - i, anId(), 1_800_000_000_000, true, i]);
  const conversationIds = Array.from({ length: 512 }, anId);
  const head = { node: anId(), clock: 1_800_000_000_000 };
  const payloads = [{ kind: 'presence', ...head, news } as const, { kind: 'who-is-here', ...head, conversationIds } as const].map(
    encodeHint,
  );
  expect(payloads.map(({ length }) => length)).toEqual([8, 4]);
  expect(Math.max(...payloads.flat().map((payload) => Buffer.byteLength(payload)))).toBeLessThan(8_000);
  const [told, asked] = payloads.map((each) => each.map(decodeHint));
  expect(told!.flatMap((hint) => (hint as Extract<Hint, { kind: 'presence' }>).news)).toEqual(news);
  expect(asked!.flatMap((hint) => (hint as Extract<Hint, { kind: 'who-is-here' }>).conversationIds)).toEqual(conversationIds);
  expect([...told!, ...asked!]).toEqual(Array.from({ length: 12 }, () => expect.objectContaining(head)));
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
  '{"kind":"presence","node":"x","clock":1,"news":[]}',
  `{"kind":"presence","node":"${SOMEBODY}","clock":1.5,"news":[]}`,
  `{"kind":"presence","node":"${SOMEBODY}","clock":1,"news":[["${SOMEBODY}",1,"${SOMEBODY}",1,true]]}`,
  `{"kind":"presence","node":"${SOMEBODY}","clock":1,"news":[["${SOMEBODY}",1,"${SOMEBODY}",1,"text",1]]}`,
  `{"kind":"who-is-here","node":"${SOMEBODY}","clock":1,"conversationIds":["x"]}`,
])('[L12] %j is no hint', (payload) => {
  expect(decodeHint(payload)).toBeNull();
});
