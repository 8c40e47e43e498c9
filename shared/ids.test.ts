import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  digestUuid,
  type DocumentName,
  directConversationId,
  formatDocumentId,
  isMessageId,
  isUuid,
  makeMessageId,
  makeUuid,
  messageTime,
  parseDocumentId,
} from './ids.ts';

const ANA = '01890a5d-ac96-774b-bcce-b302099a8057';
const BEN = '0190163d-8694-739b-aea5-966c26f8ad91';

/** UUIDv5 by Node's own hash and buffers: nothing of ours. */
function uuidv5(namespace: string, name: string): string {
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) % 16) + 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) % 64) + 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const uuid = fc.uuid();
const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
const n = fc.integer({ min: 1, max: 999_999_999 });

describe('direct conversations', () => {
  test('[D2] the yardstick is that of RFC 9562, appendix A.4', () => {
    expect(uuidv5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2');
  });

  test('[D2] two people have one conversation, whoever starts: the id never moves', async () => {
    expect(await directConversationId(ANA, BEN)).toBe('92b3319f-73ee-52ae-9326-955bc422391c');
    expect(await directConversationId(BEN, ANA)).toBe(await directConversationId(ANA, BEN));
  });

  test('[D2] it is UUIDv5 of the two ids, sorted', async () => {
    const namespace = '5f0a1d52-6f0e-4b0e-9d3c-0c6f2d1f7a41';
    await fc.assert(
      fc.asyncProperty(uuid, uuid, async (a, b) => {
        const id = await directConversationId(a, b);
        expect(id).toBe(uuidv5(namespace, a < b ? `${a} ${b}` : `${b} ${a}`));
        expect(isUuid(id)).toBe(true);
      }),
    );
  });
});

describe('message ids', () => {
  test('[D3] a message id is the 16 bytes of a UUIDv7 in base64url', () => {
    // The example of RFC 9562, appendix A.6, with its random bits.
    const uuidv7 = '017f22e2-79b0-7cc3-98c4-dc0c0c07398f';
    const bytes = Buffer.from(uuidv7.replaceAll('-', ''), 'hex');
    expect(makeUuid(0x017f22e279b0, () => Uint8Array.from(bytes))).toBe(uuidv7);
    expect(makeMessageId(0x017f22e279b0, () => Uint8Array.from(bytes))).toBe(bytes.toString('base64url'));
  });

  test('[D3] whatever the time and the random bits, it is a message id, and tells its time', () => {
    fc.assert(
      fc.property(time, sixteen, (now, random) => {
        const id = makeMessageId(now, () => random.slice());
        const bytes = Buffer.from(id, 'base64url');
        expect(bytes.toString('base64url')).toBe(id);
        expect(bytes.toString('hex')).toBe(makeUuid(now, () => random.slice()).replaceAll('-', ''));
        expect(bytes.readUIntBE(0, 6)).toBe(now);
        expect(messageTime(id)).toBe(now);
        expect(isMessageId(id)).toBe(true);
      }),
    );
  });

  test('[D3] nothing else is a message id', () => {
    fc.assert(
      fc.property(sixteen, (bytes) => {
        const isUuidv7 = bytes[6]! >> 4 === 7 && bytes[8]! >> 6 === 2;
        expect(isMessageId(Buffer.from(bytes).toString('base64url'))).toBe(isUuidv7);
      }),
    );
    const id = makeMessageId(1_790_000_000_000, () => new Uint8Array(16));
    // The last digit may hold two bits only: any other spelling would be a second name of the same bytes.
    for (const text of ['', id.slice(1), `${id}A`, `${id}\n`, ` ${id}`, `${id.slice(0, 21)}B`, `r${id}`, `${id}==`, ANA])
      expect([text, isMessageId(text)]).toEqual([text, false]);
  });
});

describe('document ids', () => {
  test('[D1] root, segment and private document are read', () => {
    expect(parseDocumentId(ANA)).toEqual({ kind: 'root', conversationId: ANA, n: 0 });
    expect(parseDocumentId(`${ANA}/12`)).toEqual({ kind: 'segment', conversationId: ANA, n: 12 });
    expect(parseDocumentId(`user:${ANA}/1`)).toEqual({ kind: 'user', conversationId: ANA, n: 1 });
  });

  test('[D1] reading is the inverse of writing, for every document there can be', () => {
    const name: fc.Arbitrary<DocumentName> = fc.oneof(
      fc.record({ kind: fc.constant('root' as const), conversationId: uuid, n: fc.constant(0 as const) }),
      fc.record({ kind: fc.constantFrom('segment' as const, 'user' as const), conversationId: uuid, n }),
    );
    fc.assert(
      fc.property(name, (document) => {
        expect(parseDocumentId(formatDocumentId(document))).toEqual(document);
      }),
    );
  });

  test('[D1] anything else is no such document', () => {
    const junk = [
      ...['', '/', 'user:', 'log', '..', `${ANA}/`, `${ANA}/0`, `${ANA}/01`, `${ANA}/-1`, `${ANA}/1.0`, `${ANA}/1e3`, `${ANA}/ 1`],
      ...[`${ANA}/1/2`, `${ANA}/1000000000`, `${ANA}\n`, ` ${ANA}`, `${ANA}/1\n`, `${ANA}/１`, `/${ANA}`, `${ANA}/../${BEN}`],
      ...[ANA.toUpperCase(), ANA.replaceAll('-', ''), `{${ANA}}`, `urn:uuid:${ANA}`, ANA.slice(1), `${ANA}0`, ANA.replace('0', 'g')],
      ...[`user:${ANA}`, `user:${ANA}/0`, `USER:${ANA}/1`, `user:user:${ANA}/1`, `group:${ANA}/1`, `${ANA}%2F1`],
    ];
    for (const text of junk) expect([text, parseDocumentId(text)]).toEqual([text, null]);
  });

  test('[D1] a text that is read has no other spelling', () => {
    const piece = fc.constantFrom('user:', ANA, ANA.toUpperCase(), '/', '0', '1', '42', ' ', '\n', ':', '-');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
        const text = pieces.join('');
        const document = parseDocumentId(text);
        if (document) expect(formatDocumentId(document)).toBe(text);
      }),
    );
  });
});

test('a digest’s id is of version 8, and the same for the same bytes', () => {
  const digest = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
  expect(digestUuid(digest)).toBe('fffefdfc-fbfa-89f8-b7f6-f5f4f3f2f1f0');
  expect(digest[6]).toBe(249);
});
