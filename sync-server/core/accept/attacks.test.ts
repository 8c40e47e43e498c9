import { beforeEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import type { Refusal } from '../../../shared/close-codes.ts';
import { LIMITS } from '../../../shared/limits.ts';
import { addMessage, editMessage, laneName, readLog, readMessages } from '../../../shared/segment.ts';
import {
  ANNA,
  BERT,
  CARL,
  LOG_CLIENT,
  NOW,
  type RawStruct,
  type World,
  changeOf,
  makeDevice,
  makeWorld,
  messageId,
  rawUpdate,
  text,
  tombstone,
  value,
} from './test-world.ts';
import type { Plain } from './stored.ts';

/** Hand-made frames of a hostile client. Anna (11) and Bert (22) have written one message each; Carl attacks. */
const A = messageId(1);
const B = messageId(2);
const NEW = messageId(3);
const BODY: Plain = ['evil', null, null];
let world: World;

beforeEach(() => {
  world = makeWorld();
  for (const [client, person, id] of [
    [11, ANNA, A],
    [22, BERT, B],
  ] as const) {
    const device = makeDevice(world, client);
    world.push(
      person,
      changeOf(device, () => addMessage(device, person, id, text(`from ${client}`))),
    ); // [11, 0] and [22, 0]
  }
});

const inLane = (person: string, key: string, content: Plain): RawStruct => ({ root: laneName(person), key, ...value(content) });
const after = (client: number, clock: number, content: Plain = BODY): RawStruct => ({ origin: [client, clock], ...value(content) });
type Blocks = Parameters<typeof rawUpdate>[0];

function judged(person: string, blocks: Blocks, deletes: [number, number, number][] = []): string {
  const before = Y.encodeStateAsUpdate(world.doc);
  const verdict = world.push(person, rawUpdate(blocks, deletes));
  if (verdict.kind === 'accepted') return verdict.told.map(({ code }) => code).join(' ') || 'accepted';
  expect(Y.encodeStateAsUpdate(world.doc)).toEqual(before);
  return verdict.kind === 'refused' ? verdict.reason : verdict.kind;
}

describe("[A2] [A4] in another person's name", () => {
  const cases: [string, Refusal, Blocks][] = [
    ['a new client id in another lane', 'foreign-lane', [[5, 0, [inLane(ANNA, NEW, BODY)]]]],
    ['a new client id in a lane of nobody', 'foreign-lane', [[5, 0, [{ root: 'u:', key: NEW, ...value(BODY) }]]]],
    ['a new root type', 'foreign-lane', [[5, 0, [{ root: 'flood', key: NEW, ...value(BODY) }]]]],
    ['into the log', 'foreign-lane', [[5, 0, [{ root: 'log', ...value(NEW) }]]]],
    ['after the log', 'foreign-lane', [[5, 0, [after(LOG_CLIENT, 2, NEW)]]]],
    ['into meta', 'foreign-lane', [[5, 0, [{ root: 'meta', key: 'firstSeq', ...value(9) }]]]],
    ['over meta, by origin', 'foreign-lane', [[5, 0, [after(LOG_CLIENT, 1, 9)]]]],
    ["over another's message, by origin", 'foreign-lane', [[5, 0, [after(11, 0)]]]],
    ["a tombstone over another's message", 'foreign-lane', [[5, 0, [{ origin: [11, 0], ...tombstone() }]]]],
    ["after an own item, then after another's", 'foreign-lane', [[5, 0, [inLane(CARL, NEW, BODY), after(22, 0)]]]],
    ['a right origin', 'malformed', [[5, 0, [{ rightOrigin: [11, 0], ...value(BODY) }]]]],
    [
      'a right origin beside an own origin',
      'malformed',
      [[5, 0, [inLane(CARL, NEW, BODY), { origin: [5, 0], rightOrigin: [11, 0], ...value(BODY) }]]],
    ],
    ["another's client id, in the writer's lane", 'client-id', [[11, 1, [inLane(CARL, NEW, BODY)]]]],
    ['a list item in the own lane', 'malformed', [[5, 0, [{ root: laneName(CARL), ...value(BODY) }]]]],
    [
      'several values in one struct',
      'malformed',
      [[5, 0, [{ root: laneName(CARL), key: NEW, info: 8, content: (e) => e.cbuf.set([2, 126, 126], (e.cpos += 3) - 3) }]]],
    ],
  ];
  it.each(cases)('%s', (_, reason, blocks) => {
    expect(judged(CARL, blocks)).toBe(reason);
  });

  it("another's client id reaching into the writer's lane by an origin", () => {
    expect(judged(CARL, [[5, 0, [inLane(CARL, NEW, BODY)]]])).toBe('accepted');
    expect(judged(CARL, [[11, 1, [after(5, 0)]]])).toBe('client-id');
  });

  it("another's client id in that person's lane is left out: future clocks cannot be squatted", () => {
    expect(judged(CARL, [[11, 1, [after(11, 0), { info: 0, content: tombstone(1_000).content }]]])).toBe('known');
    expect(judged(CARL, [[11, 1, [{ info: 0, content: tombstone(1_000_000).content }]]], [[11, 0, 2_000_000]])).toBe('known');
    const anna = makeDevice(world, 1);
    anna.clientID = 11;
    expect(
      world.push(
        ANNA,
        changeOf(anna, () => editMessage(anna, ANNA, A, 'mine', NOW)),
      ),
    ).toMatchObject({ kind: 'accepted', told: [] });
    expect(readMessages(world.doc)[0]!.body).toBe('mine');
  });

  it('in the batch in which a client id is first used it already belongs to its first user', () => {
    const frame = (person: string, id: string) => world.decode(rawUpdate([[5, 0, [inLane(person, id, BODY)]]]));
    const verdicts = world.batch((batch) => [batch.accept(BERT, frame(BERT, NEW)), batch.accept(CARL, frame(CARL, messageId(4)))]);
    expect(verdicts).toMatchObject([{ kind: 'accepted' }, { kind: 'refused', reason: 'client-id' }]);
    expect(world.claims.get(5)).toBe(BERT);
  });

  it("a message id of another person's message is a duplicate", () => {
    expect(judged(CARL, [[5, 0, [inLane(CARL, A, BODY)]]])).toBe('duplicate');
    expect(judged(CARL, [[5, 1, [after(5, 0)]]])).toBe('duplicate');
    expect(readLog(world.doc)).toEqual([A, B]);
  });

  it('an id hidden behind an own tombstone is found all the same', () => {
    expect(judged(CARL, [[5, 0, [{ root: laneName(CARL), key: A, ...tombstone() }]]])).toBe('accepted');
    expect(judged(CARL, [[5, 1, [after(5, 0)]]])).toBe('duplicate');
    expect(judged(CARL, [[5, 2, [after(5, 1, 0)]]])).toBe('duplicate');
    expect(readMessages(world.doc).map(({ authorId }) => authorId)).toEqual([ANNA, BERT]);
  });
});

describe("[A2] the server's own client id", () => {
  it('below its clock is left out, whatever it says; beyond it the server was restored', () => {
    const clock = world.state.logClock;
    expect(judged(CARL, [[LOG_CLIENT, 0, [inLane(CARL, NEW, BODY)]]])).toBe('known');
    expect(judged(CARL, [[LOG_CLIENT, clock, [{ origin: [LOG_CLIENT, clock - 1], ...value(NEW) }]]])).toBe('restored');
    expect(
      judged(CARL, [
        [5, 0, [{ root: 'flood', ...value(1) }]],
        [LOG_CLIENT, clock - 1, [{ root: 'log', ...tombstone(2) }]],
      ]),
    ).toBe('restored');
  });
});

describe('[A3] clocks', () => {
  it('said again with other content are refused: value, key, origin', () => {
    const own = judged(CARL, [[5, 0, [inLane(CARL, NEW, BODY), after(5, 0, ['edit', null, 1])]]]);
    expect(own).toBe('accepted');
    expect(judged(CARL, [[5, 1, [after(5, 0, ['edit', null, 1])]]])).toBe('known');
    expect(judged(CARL, [[5, 1, [after(5, 0, ['other', null, 1])]]])).toBe('clock-reused');
    expect(judged(CARL, [[5, 1, [inLane(CARL, NEW, ['edit', null, 1])]]])).toBe('clock-reused');
    expect(judged(CARL, [[6, 0, [inLane(CARL, `r${NEW}`, [])]]])).toBe('accepted');
    expect(judged(CARL, [[6, 0, [inLane(CARL, `r${A}`, [])]]])).toBe('clock-reused');
    expect(judged(CARL, [[6, 0, [{ root: 'u:x', key: `r${NEW}`, ...value([]) }]]])).toBe('clock-reused');
  });

  it('said again as a tombstone, or over a tombstone, are equal', () => {
    expect(judged(CARL, [[5, 0, [inLane(CARL, NEW, BODY), after(5, 0, ['edit', null, 1])]]])).toBe('accepted');
    expect(judged(CARL, [[5, 0, [{ root: laneName(CARL), key: NEW, ...tombstone(2) }]]])).toBe('known');
    expect(judged(CARL, [[5, 0, [inLane(CARL, NEW, ['other', null, null])]]])).toBe('known');
  });

  it('GC structs under own ids are malformed; a gap is ahead, and a hundred of them leave nothing pending', () => {
    expect(judged(CARL, [[5, 0, [{ info: 0, content: tombstone(3).content }]]])).toBe('malformed');
    for (let n = 1; n <= 100; n++) expect(judged(CARL, [[5, n, [inLane(CARL, NEW, BODY)]]])).toBe('ahead');
    expect(world.doc.store.pendingStructs).toBeNull();
  });

  it('of a tombstone may be huge without costing anything', () => {
    const started = performance.now();
    expect(judged(CARL, [[5, 0, [{ root: laneName(CARL), key: NEW, ...tombstone(2 ** 52) }]]])).toBe('accepted');
    expect(judged(CARL, [[5, 0, [{ root: laneName(CARL), key: NEW, ...tombstone(2 ** 51) }]]], [[5, 0, 2 ** 52]])).toBe('known');
    expect(performance.now() - started).toBeLessThan(200);
  });
});

describe('[A5] keys and values', () => {
  it.each<[string, string, Plain]>([
    ['text as a key', 'some text', 1],
    ['a key that is no message id', 'a'.repeat(22), BODY],
    ['a reaction to nothing', 'rabc', []],
    ['an empty body', NEW, ['', null, null]],
    ['a body that is too long', NEW, ['x'.repeat(8_001), null, null]],
    ['a body of another type', NEW, [{ toString: 1 }, null, null]],
    ['a reply to nothing', NEW, ['a', 'x', null]],
    ['extras that are a list', NEW, ['a', null, null, []]],
    ['extras too deep', NEW, ['a', null, null, { a: { b: { c: { d: {} } } } }]],
    ['a fifth element', NEW, ['a', null, null, {}, 1]],
    ['one as a deletion', NEW, 1],
    ['an emoji that is a text', `r${A}`, ['x'.repeat(33)]],
    ['a removal of another value', `x${A}`, 2],
  ])('%s', (_, key, content) => {
    expect(judged(CARL, [[5, 0, [inLane(CARL, key, content)]]])).toBe('malformed');
  });

  it('tombstones keep to the keys as well', () => {
    expect(judged(CARL, [[5, 0, [{ root: laneName(CARL), key: 'kept for ever', ...tombstone() }]]])).toBe('malformed');
  });

  it('one wrong struct refuses the frame whole (A9)', () => {
    expect(judged(CARL, [[5, 0, [inLane(CARL, NEW, BODY), inLane(CARL, 'x', 1)]]])).toBe('malformed');
    expect(world.usedIds.has(NEW)).toBe(false);
    expect(judged(CARL, [[5, 0, [inLane(CARL, NEW, BODY)]]])).toBe('accepted');
  });

  it('a refused frame leaves the batch as it was, for the frames after it', () => {
    const good = rawUpdate([[5, 0, [inLane(CARL, NEW, BODY)]]]);
    const bad = rawUpdate([[5, 1, [after(5, 0, ['edit', null, 1]), inLane(CARL, 'x', 1)]]]);
    const next = rawUpdate([[5, 1, [after(5, 0, ['good', null, 1])]]]);
    const kinds = world.batch((batch) => [good, bad, next].map((frame) => batch.accept(CARL, world.decode(frame)).kind));
    expect(kinds).toEqual(['accepted', 'refused', 'accepted']);
    expect(world.rows.get(NEW)!.body).toBe('good');
  });
});

describe('[A6] a message that would never be seen', () => {
  it('beside an own tombstone that comes after it, is not logged', () => {
    const hidden: RawStruct[] = [{ root: laneName(CARL), key: NEW, ...tombstone() }, inLane(CARL, NEW, BODY)];
    expect(judged(CARL, [[5, 0, hidden]])).toBe('removed');
    expect(readLog(world.doc)).toEqual([A, B]);
    expect(world.usedIds.has(NEW)).toBe(false);
  });
});

describe('[A7] delete sets', () => {
  it("of others' items, of the log and of what is not there are ignored", () => {
    expect(
      judged(
        CARL,
        [],
        [
          [11, 0, 1],
          [LOG_CLIENT, 0, 100],
          [99, 0, 5],
        ],
      ),
    ).toBe('known');
    expect(judged(CARL, [[5, 0, [inLane(CARL, NEW, BODY)]]], [[11, 0, 9]])).toBe('accepted');
    expect(readMessages(world.doc).map(({ body }) => body)).toEqual(['from 11', 'from 22', 'evil']);
  });

  it('of an own living item are refused, in whatever form', () => {
    expect(judged(ANNA, [], [[11, 0, 1]])).toBe('own-delete');
    expect(judged(ANNA, [], [[11, 0, 2 ** 50]])).toBe('own-delete');
    expect(judged(ANNA, [[11, 1, [{ origin: [11, 0], ...tombstone() }]]])).toBe('own-delete');
    expect(judged(ANNA, [[11, 1, [after(11, 0, ['a', null, 1]), { origin: [11, 1], ...tombstone(3) }]]])).toBe('own-delete');
    expect(judged(CARL, [[5, 0, [inLane(CARL, NEW, BODY)]]], [[5, 0, 1]])).toBe('own-delete');
    world.post(CARL, NEW, text('posted'));
    expect(judged(CARL, [], [[LOG_CLIENT, 0, 100]])).toBe('own-delete');
    expect(readMessages(world.doc).map(({ body }) => body)).toEqual(['from 11', 'from 22', 'posted']);
  });

  it('of an item that was removed earlier in the batch are no harm', () => {
    const removal = rawUpdate([[5, 0, [inLane(CARL, `x${A}`, 1)]]]);
    const kinds = world.batch((batch) => [
      batch.accept(CARL, world.decode(removal)).kind,
      batch.accept(ANNA, world.decode(rawUpdate([], [[11, 0, 1]]))).kind,
    ]);
    expect(kinds).toEqual(['accepted', 'known']);
  });

  it('of an own item that the frame overwrites are honest', () => {
    expect(judged(ANNA, [[11, 1, [after(11, 0, ['edit', null, 1])]]], [[11, 0, 1]])).toBe('accepted');
    expect(judged(ANNA, [[11, 2, [{ origin: [11, 1], ...tombstone(2) }, after(11, 3, ['again', null, 1])]]], [[11, 1, 3]])).toBe(
      'accepted',
    );
    expect(readMessages(world.doc)[0]!.body).toBe('again');
  });
});

describe('cost', () => {
  it('[A1] a frame may not make Yjs pass more than 10,000 items', () => {
    // Siblings of one key: Yjs looks for each one's place among all that are there.
    const siblings = (count: number) => Array.from({ length: count }, () => inLane(CARL, `r${A}`, []));
    expect(judged(CARL, [[100, 0, siblings(101)]])).toBe('malformed');
    expect(judged(CARL, [[100, 0, siblings(99)]])).toBe('accepted');
    expect(judged(CARL, [[101, 0, siblings(99)]])).toBe('malformed');
    expect(judged(CARL, [[101, 0, siblings(60)]])).toBe('accepted');
  });

  it('[A1] what two devices did to one key, thousands of times and at once, is no such frame', () => {
    const history = (client: number): RawStruct[] => [
      ...[A, B].map((id) => inLane(CARL, `r${id}`, [])),
      ...Array.from({ length: 1_000 }, (_, i) => after(client, i, [])),
    ];
    expect(judged(CARL, [[101, 0, history(101)]])).toBe('accepted');
    expect(judged(CARL, [[100, 0, history(100)]])).toBe('accepted');
    expect(judged(CARL, [[102, 0, history(102)]])).toBe('accepted');
  });

  it('[A2] a frame may not bring more than 256 new client ids', () => {
    const blocks = (count: number): Blocks =>
      Array.from({ length: count }, (_, i) => [1_000 - i, 0, [inLane(CARL, messageId(100 + i), BODY)]]);
    expect(judged(CARL, blocks(257))).toBe('malformed');
    expect(judged(CARL, blocks(256))).toBe('accepted');
  });
});

describe('[A1] [A2] what one person can pile up', () => {
  const tombstones = (client: number, from: number, count: number): RawStruct[] =>
    Array.from({ length: count }, (_, i) =>
      from + i < 2
        ? { root: laneName(CARL), key: `r${messageId(100 * client + i)}`, ...tombstone() }
        : { origin: [client, from + i - 2], ...tombstone() },
    );

  it('no more than 3,072 new structs come in one frame; known ones do not count', () => {
    const most = LIMITS.updateStructs;
    expect(judged(CARL, [[5, 0, tombstones(5, 0, most + 1)]])).toBe('malformed');
    expect(judged(CARL, [[5, 0, tombstones(5, 0, most)]])).toBe('accepted');
    expect(judged(CARL, [[5, 0, tombstones(5, 0, most + 500)]])).toBe('accepted');
  });

  it('no more than 8,192 structs are one person’s in one document, over all of their client ids and within a batch', () => {
    const frame = (client: number, from: number, count: number) =>
      world.decode(rawUpdate([[client, from, tombstones(client, from, count)]]));
    const kinds = world.batch((batch) =>
      [5, 6, 7, 8].map((client) => batch.accept(CARL, frame(client, 0, client === 7 ? 2_040 : 3_000)).kind),
    );
    expect(kinds).toEqual(['accepted', 'accepted', 'accepted', 'refused']);
    expect(judged(CARL, [[7, 2_040, tombstones(7, 2_040, 500)]])).toBe('malformed');
    expect(judged(BERT, [[9, 0, [inLane(BERT, NEW, BODY)]]])).toBe('accepted');
  });

  it('client ids beyond 512 of one person in one document are refused', () => {
    const blocks = (from: number): Blocks =>
      Array.from({ length: 128 }, (_, i) => [from + i, 0, [inLane(CARL, messageId(from + i), BODY)]]);
    const verdicts = [1, 2, 3, 4, 5].map((i) => judged(CARL, blocks(1_000 * i)));
    expect(verdicts.slice(0, 4).every((verdict) => verdict.startsWith('accepted') || verdict.startsWith('closed'))).toBe(true);
    expect(verdicts[4]).toBe('client-id');
    expect(judged(BERT, [[7, 0, [{ root: laneName(BERT), key: `r${A}`, ...value(['👍']) }]]])).toBe('accepted');
  });
});
