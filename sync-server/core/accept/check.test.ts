import * as encoding from 'lib0/encoding';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { laneName } from '../../../shared/segment.ts';
import { checkUpdate } from './check.ts';
import { decodeUpdate } from './decode.ts';
import { ANNA, messageId, rawUpdate, text, tombstone, value } from './test-world.ts';
import type { Plain } from './stored.ts';

const LANE = laneName(ANNA);
const place = { root: LANE, key: messageId(1) };
const one = (struct: Parameters<typeof rawUpdate>[0][number][2][number]) => rawUpdate([[5, 0, [struct]]]);
const bytes = (...list: number[]) => Uint8Array.from(list);

/** A value inside `depth` arrays. */
function nested(depth: number): Plain {
  let inner: Plain = 1;
  for (let i = 0; i < depth; i++) inner = [inner];
  return inner;
}

describe('[A1] bytes are checked before any library decodes them', () => {
  it('takes what stock replicas send: values, tombstones, the log, delete sets, an empty update', () => {
    const doc = new Y.Doc();
    expect(checkUpdate(Y.encodeStateAsUpdate(doc))).toBe(true);
    const lane = doc.getMap(LANE);
    for (const body of ['a', 'ü', '€', '𝄞', '\u{feff}x', 'y'.repeat(8_000)]) lane.set(messageId(1), text(body));
    for (const item of [0, -1, -64, 2 ** 31, 2 ** 53 - 1, 0.5, 1e300, true, false, null, '', [], {}, { a: [1, { b: null }] }])
      lane.set('k', item);
    doc.getArray('log').push([messageId(1), [messageId(2), 5], messageId(3)]);
    doc.getMap('meta').set('n', 1);
    doc.getMap('meta').delete('n');
    const update = Y.encodeStateAsUpdate(doc);
    expect(checkUpdate(update)).toBe(true);
    expect(decodeUpdate(update).messageIds).toEqual(new Set([messageId(1)]));
    expect(decodeUpdate(Y.encodeStateAsUpdate(new Y.Doc()))).toEqual({ blocks: [], deletes: new Map(), messageIds: new Set() });
  });

  it('tolerates gaps and GC structs, which accept judges', () => {
    expect(checkUpdate(bytes(1, 1, 5, 0, 10, 3, 0))).toBe(true);
    expect(checkUpdate(bytes(1, 1, 5, 0, 0, 3, 0))).toBe(true);
    expect(decodeUpdate(bytes(1, 2, 5, 0, 10, 3, 0, 2, 0)).blocks[0]!.structs.map(({ kind, clock }) => [kind, clock])).toEqual([
      ['other', 3],
    ]);
  });

  it('refuses numbers with more digits than they need, which would grow into no number at all', () => {
    const endless = [...Array.from({ length: 150 }, () => 0x80), 0];
    for (const update of [
      bytes(1, 1, 5, 0, 1, 1, 1, 97, ...endless, 0),
      bytes(1, 1, 5, 0, 1, 1, ...endless, 1, 0),
      bytes(1, 1, 5, ...endless, 1, 1, 1, 97, 1, 0),
      bytes(1, 1, ...endless, 0, 1, 1, 1, 97, 1, 0),
      bytes(1, 1, 5, 0, 8, 1, 1, 97, 1, 125, ...endless, 0),
      bytes(0, 1, 5, 1, 0, ...endless),
      bytes(0, ...endless),
    ])
      expect(checkUpdate(update)).toBe(false);
  });

  it('refuses the seven-byte length bomb and its like at once', () => {
    const huge = [0xff, 0xff, 0xff, 0xff, 0x07];
    const started = performance.now();
    for (const bomb of [
      bytes(1, ...huge, 0),
      bytes(...huge),
      bytes(0, ...huge),
      bytes(0, 1, 5, ...huge),
      bytes(1, 1, 5, 0, 8, 1, 1, 97, ...huge),
      bytes(1, 1, 5, 0, 8, 1, 1, 97, 1, 117, ...huge),
      bytes(1, 1, 5, 0, 8, 1, 1, 97, 1, 118, ...huge),
      bytes(1, 1, 5, 0, 8, 1, 1, 97, 1, 119, ...huge),
      bytes(1, 1, 5, 0, 8, 1, ...huge),
    ])
      expect(checkUpdate(bomb)).toBe(false);
    expect(performance.now() - started).toBeLessThan(200);
  });

  it('refuses every update that is cut short or has bytes after its end', () => {
    const whole = rawUpdate(
      [
        [
          5,
          0,
          [
            { ...place, ...value(['body', null, 3.5, { a: [true] }]) },
            { origin: [5, 0], ...tombstone(2) },
          ],
        ],
      ],
      [[5, 0, 1]],
    );
    expect(checkUpdate(whole)).toBe(true);
    for (let length = 0; length < whole.length; length++) expect(checkUpdate(whole.subarray(0, length))).toBe(false);
    expect(checkUpdate(Uint8Array.from([...whole, 0]))).toBe(false);
  });

  it('refuses the second encoding', () => {
    const doc = new Y.Doc();
    expect(checkUpdate(Y.encodeStateAsUpdateV2(doc))).toBe(false);
    doc.getMap(LANE).set(messageId(1), text('a'));
    expect(checkUpdate(Y.encodeStateAsUpdateV2(doc))).toBe(false);
  });

  it('refuses nested types, subdocuments and every content but plain values', () => {
    const makers: ((map: Y.Map<unknown>, doc: Y.Doc) => void)[] = [
      (map) => map.set('k', new Y.Map()),
      (map) => map.set('k', new Y.Text('a')),
      (map) => map.set('k', new Y.Doc()),
      (map) => map.set('k', Uint8Array.of(1)),
      (map) => map.set('k', undefined),
      (map) => map.set('k', 10n),
      (_, doc) => doc.getText('t').insert(0, 'a'),
      (_, doc) => doc.getText('t').insertEmbed(0, { a: 1 }),
      (_, doc) => doc.getText('t').format(0, 0, { bold: true }),
    ];
    for (const make of makers.slice(0, 8)) {
      const doc = new Y.Doc();
      make(doc.getMap(LANE), doc);
      expect(checkUpdate(Y.encodeStateAsUpdate(doc))).toBe(false);
    }
    for (const info of [2, 3, 4, 5, 6, 7, 9, 11, 12, 31]) expect(checkUpdate(one({ ...value('a'), ...place, info }))).toBe(false);
    // A parent that is an item, not a root; GC and skip with flags of items.
    expect(checkUpdate(bytes(1, 1, 5, 0, 8, 0, 4, 0, 1, 126, 0))).toBe(false);
    expect(checkUpdate(bytes(1, 1, 5, 0, 0x80, 1, 0))).toBe(false);
    expect(checkUpdate(bytes(1, 1, 5, 0, 0x8a, 4, 0, 1, 0))).toBe(false);
  });

  it('refuses poison: depth, __proto__ as a key at any level, text that is not UTF-8', () => {
    expect(checkUpdate(one({ ...place, ...value(nested(6)) }))).toBe(true);
    expect(checkUpdate(one({ ...place, ...value(nested(7)) }))).toBe(false);
    expect(checkUpdate(one({ ...place, ...value(nested(3_000)) }))).toBe(false);
    const proto: Plain = JSON.parse('{"__proto__":{"isAdmin":true}}');
    expect(checkUpdate(one({ ...place, ...value(proto) }))).toBe(false);
    expect(checkUpdate(one({ ...place, ...value(['a', null, null, { x: proto }]) }))).toBe(false);
    expect(checkUpdate(one({ root: LANE, key: '__proto__', ...value(1) }))).toBe(false);
    expect(checkUpdate(one({ root: LANE, key: '__proto_', ...value(1) }))).toBe(true);
    const strict = new TextDecoder('utf-8', { fatal: true });
    // Every two bytes, and three and four around the borders of the table.
    const sequences = Array.from({ length: 65_536 }, (_, i) => [i >> 8, i & 255]);
    for (const lead of [0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5])
      for (const second of [0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0])
        for (const third of [0x7f, 0x80, 0xbf, 0xc0])
          sequences.push([lead, second, third], [lead, second, third, 0x80], [lead, second, third, 0x41]);
    for (const sequence of sequences) {
      let valid = true;
      try {
        strict.decode(Uint8Array.from(sequence));
      } catch {
        valid = false;
      }
      if (checkUpdate(bytes(1, 1, 5, 0, 8, 1, sequence.length, ...sequence, 1, 126, 0)) !== valid)
        expect.fail(`${sequence.join(' ')}: ${valid}`);
    }
  });

  it('refuses empty stretches, numbers beyond the safe integers, and a client named twice', () => {
    expect(checkUpdate(one({ ...place, ...tombstone(0) }))).toBe(false);
    expect(checkUpdate(bytes(1, 1, 5, 0, 0, 0, 0))).toBe(false);
    expect(checkUpdate(bytes(1, 1, 5, 0, 10, 0, 0))).toBe(false);
    expect(checkUpdate(one({ ...place, ...tombstone(Number.MAX_SAFE_INTEGER) }))).toBe(true);
    expect(checkUpdate(rawUpdate([[5, 1, [{ ...place, ...tombstone(Number.MAX_SAFE_INTEGER) }]]]))).toBe(false);
    expect(checkUpdate(bytes(0, 1, ...Array<number>(8).fill(0xff), 0x7f, 0))).toBe(false);
    const block: Parameters<typeof rawUpdate>[0][number] = [5, 0, [{ ...place, ...value(1) }]];
    expect(checkUpdate(rawUpdate([block, block]))).toBe(false);
  });

  it('refuses more than a segment can hold', () => {
    const update = encoding.encode((encoder) => {
      for (const part of [0, 1, 5, 300_000]) encoding.writeVarUint(encoder, part);
      for (let i = 0; i < 600_000; i++) encoding.writeUint8(encoder, 1);
    });
    expect(checkUpdate(update)).toBe(false);
  });
});
