import { expect, test } from 'vitest';
import { type InboxAnswer, type InboxRequest, decodeInboxAnswer, decodeInboxRequest, encodeInbox } from './inbox.ts';

const id = '00000000-0000-4000-8000-000000000001';
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

test('[I1] messages of the inbox come back as they were', () => {
  const requests: InboxRequest[] = [
    { hello: { version: 1, cursor: null } },
    { hello: { version: 1, cursor: '7.1.99' } },
    { delivered: { [id]: 3 } },
  ];
  for (const request of requests) expect(decodeInboxRequest(encodeInbox(request))).toEqual(request);
  const answers: InboxAnswer[] = [{ hello: { version: 1, oldest: 1 } }, { changed: [], gone: [id], cursor: null }];
  for (const answer of answers) expect(decodeInboxAnswer(encodeInbox(answer))).toEqual(answer);
});

test.each([
  '',
  'null',
  '[]',
  '{}',
  '{"hello":{}}',
  '{"hello":{"version":-1,"cursor":null}}',
  '{"hello":{"version":1}}',
  '{"delivered":{"x":1}}',
  `{"delivered":{"${id}":-1}}`,
  `{"delivered":{"${id}":"1"}}`,
  `{"hello":{"version":1,"cursor":"${'x'.repeat(201)}"}}`,
  JSON.stringify({ delivered: Object.fromEntries(Array.from({ length: 257 }, (_, i) => [id.slice(0, -3) + (100 + i), 1])) }),
])('[I1] %.60s is none of them', (json) => expect(decodeInboxRequest(text(json))).toBeNull());

test('[I1] bytes that are no text are none of them', () => {
  expect(decodeInboxRequest(Uint8Array.of(0xff, 0xfe))).toBeNull();
});
