import { describe, expect, test } from 'vitest';
import { type ChannelFrame, decodeChannelFrame, encodeChannelFrame } from './channels.ts';
import { decodeExchange, encodeExchange } from './exchange.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

const golden: [ChannelFrame, string][] = [
  [{ op: 'open', channel: 1, documentId: 'user:x/1' }, '010008757365723a782f31'],
  [{ op: 'data', channel: 300, payload: Uint8Array.of(1, 1, 0) }, 'ac0201010100'],
  [{ op: 'data', channel: 0, payload: new Uint8Array(0) }, '0001'],
  [{ op: 'close', channel: 2, code: 4404, reason: 'gone' }, '0202b42204676f6e65'],
  [{ op: 'opened', channel: 127 }, '7f03'],
];

describe('[W9] frames of channels', () => {
  test.each(golden)('%j stands in golden bytes', (frame, bytes) => {
    expect(hex(encodeChannelFrame(frame))).toBe(bytes);
    expect(decodeChannelFrame(fromHex(bytes))).toEqual(frame);
  });

  test.each(['', '01', '0104', '01ff', '0100', '010009757365', '02020a', '7f0300', '0202b42204676f6e6500', 'ffffffffffffffffff0101'])(
    '%s is no frame',
    (bytes) => expect(decodeChannelFrame(fromHex(bytes))).toBeNull(),
  );

  test('a channel of more digits than a number has is no frame: it would be infinite, or no number', () => {
    for (const zeros of [8, 147, 150]) {
      const channel = [...Array.from({ length: zeros }, () => 0x80), 1];
      expect(decodeChannelFrame(Uint8Array.from([...channel, 3]))).toBeNull();
    }
  });

  test('a payload is a copy that fills its own buffer', () => {
    const frame = decodeChannelFrame(fromHex('0101aabb'));
    expect(frame?.op === 'data' && frame.payload.buffer.byteLength).toBe(2);
  });
});

test('[W12] messages of an exchange stand one after the other, each with its length', () => {
  const messages = [Uint8Array.of(0, 0, 1, 0), new Uint8Array(0), new Uint8Array(200).fill(7)];
  const bytes = encodeExchange(messages);
  expect(hex(bytes)).toBe(`040000010000c801${'07'.repeat(200)}`);
  expect(decodeExchange(bytes)).toEqual(messages);
  expect(decodeExchange(new Uint8Array(0))).toEqual([]);
  for (const broken of ['05', '0401', 'ffff']) expect(decodeExchange(fromHex(broken))).toBeNull();
});
