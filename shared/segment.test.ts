import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { type MessageId, makeMessageId } from './ids.ts';
import { LIMITS } from './limits.ts';
import {
  LOG,
  type MessageValue,
  addMessage,
  createSegment,
  deleteMessage,
  editMessage,
  laneName,
  laneOwner,
  react,
  readLaneEntry,
  readLaneKey,
  readLog,
  readLogElement,
  readMessages,
  readSegmentMeta,
  readUnlogged,
  removeMessage,
} from './segment.ts';

const ANA = '01890a5d-ac96-774b-bcce-b302099a8057';
const BEN = '0190163d-8694-739b-aea5-966c26f8ad91';
const NOW = 1_790_000_000_000;
const idOf = (n: number, time = NOW): MessageId => makeMessageId(time, (size) => new Uint8Array(size).fill(n));
const [K, L] = [idOf(1), idOf(2)];
const hello: MessageValue = ['hello', null, null];

let doc: Y.Doc;
const log = (...elements: unknown[]): void => doc.getArray(LOG).push(elements);
const lane = (userId = ANA): Y.Map<unknown> => doc.getMap(laneName(userId));
const only = () => readMessages(doc)[0]!;

beforeEach(() => {
  doc = new Y.Doc();
  createSegment(doc, 3, 1_001);
});

describe('lanes', () => {
  test('[D3] a lane is named for its owner', () => {
    expect(laneName(ANA)).toBe(`u:${ANA}`);
    expect(laneOwner(laneName(ANA))).toBe(ANA);
    for (const name of ['log', 'meta', '', ANA, `U:${ANA}`]) expect(laneOwner(name)).toBeNull();
  });

  test('[D6] the grammar of entries', () => {
    expect(readLaneEntry(K, hello)).toEqual({ kind: 'message', id: K, value: hello });
    expect(readLaneEntry(K, 0)).toEqual({ kind: 'deletion', id: K });
    expect(readLaneEntry(`r${K}`, ['👍', '❤️'])).toEqual({ kind: 'reactions', id: K, emoji: ['👍', '❤️'] });
    expect(readLaneEntry(`r${K}`, [])).toEqual({ kind: 'reactions', id: K, emoji: [] });
    expect(readLaneEntry(`x${K}`, 1)).toEqual({ kind: 'removal', id: K });
  });

  test('[D6] a key is read whatever its value; no other text is a key', () => {
    expect(readLaneKey(K)).toEqual({ kind: 'message', id: K });
    expect(readLaneKey(`r${K}`)).toEqual({ kind: 'reactions', id: K });
    expect(readLaneKey(`x${K}`)).toEqual({ kind: 'removal', id: K });
    for (const key of ['', 'r', 'x', '__proto__', 'constructor', `y${K}`, `rr${K}`, `R${K}`, K.slice(1), `${K}/`, `r${K}\n`]) {
      expect([key, readLaneKey(key)]).toEqual([key, null]);
      for (const value of [hello, 0, 1, []]) expect([key, readLaneEntry(key, value)]).toEqual([key, null]);
    }
  });

  const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });
  const proto = (json: string): unknown => JSON.parse(json);
  const good: [why: string, value: unknown][] = [
    ['one unit', ['x', null, null]],
    ['the longest', ['x'.repeat(LIMITS.body), null, null]],
    ['an answer', ['x', `12:${L}`, null]],
    ['an edited one', ['x', null, NOW]],
    ['empty extras', ['x', null, null, {}]],
    ['extras of a newer version', ['x', null, null, { later: [1, null, true, { deep: 'ünï' }] }]],
    ['extras as deep as they may be', ['x', null, null, nested(4)]],
  ];
  test.each(good)('[D6] a message: %s', (_, value) => {
    expect(readLaneEntry(K, value)).toEqual({ kind: 'message', id: K, value });
  });

  const bad: [why: string, key: string, value: unknown][] = [
    ['an empty body', K, ['', null, null]],
    ['a body too long', K, ['x'.repeat(LIMITS.body + 1), null, null]],
    ['a body that is no text', K, [1, null, null]],
    ['a tuple too short', K, ['x', null]],
    ['a tuple too long', K, ['x', null, null, {}, 1]],
    ['an object', K, { 0: 'x', 1: null, 2: null, length: 3 }],
    ['text', K, 'x'],
    ['nothing', K, null],
    ['1 is no deletion', K, 1],
    ['false is no deletion', K, false],
    ['an answer without a segment', K, ['x', L, null]],
    ['an answer to segment 0', K, ['x', `0:${L}`, null]],
    ['an answer to segment 01', K, ['x', `01:${L}`, null]],
    ['an answer to no message id', K, ['x', `1:${'A'.repeat(22)}`, null]],
    ['an answer with more behind it', K, ['x', `1:${L}\n`, null]],
    ['an answer left undefined', K, ['x', undefined, null]],
    ['an edit at no time', K, ['x', null, 'now']],
    ['an edit before 1970', K, ['x', null, -1]],
    ['an edit at half a millisecond', K, ['x', null, 0.5]],
    ['extras: nothing', K, ['x', null, null, null]],
    ['extras: left undefined', K, ['x', null, null, undefined]],
    ['extras: a list', K, ['x', null, null, []]],
    ['extras: text', K, ['x', null, null, 'x']],
    ['extras: too deep', K, ['x', null, null, nested(5)]],
    ['extras: too long a text', K, ['x', null, null, { a: 'x'.repeat(4_000) }]],
    ['extras: too long a name', K, ['x', null, null, { ['x'.repeat(4_000)]: 1 }]],
    ['extras: too many', K, ['x', null, null, { a: Array.from({ length: 4_000 }, () => 1) }]],
    ['extras: bytes', K, ['x', null, null, { a: new Uint8Array(1) }]],
    ['extras: infinite', K, ['x', null, null, { a: Infinity }]],
    ['extras: a large integer', K, ['x', null, null, { a: 1n }]],
    ['extras: undefined inside', K, ['x', null, null, { a: undefined }]],
    ['extras: __proto__ of its own', K, ['x', null, null, proto('{"__proto__": 1}')]],
    ['extras: __proto__ further in', K, ['x', null, null, proto('{"a": [{"__proto__": {}}]}')]],
    ['extras: __proto__ as a decoder sets it', K, ['x', null, null, Object.create({ admin: true })]],
    ['extras: __proto__ null as a decoder sets it', K, ['x', null, null, { a: Object.create(null) }]],
    ['reactions: no list', `r${K}`, '👍'],
    ['reactions: 0', `r${K}`, 0],
    ['reactions: empty text', `r${K}`, ['']],
    ['reactions: long text', `r${K}`, ['x'.repeat(33)]],
    ['reactions: no text', `r${K}`, [1]],
    ['reactions: twice the same', `r${K}`, ['👍', '👍']],
    ['reactions: too many', `r${K}`, Array.from({ length: LIMITS.reactionsPerMessage + 1 }, (_, n) => `${n}`)],
    ['a removal by true', `x${K}`, true],
    ['a removal taken back', `x${K}`, 0],
  ];
  test.each(bad)('[D6] no entry: %s', (_, key, value) => expect(readLaneEntry(key, value)).toBeNull());

  test('[D6] no value, however odd, breaks the reader', () => {
    const key = fc.oneof(fc.string(), fc.constantFrom(K, `r${K}`, `x${K}`));
    const value = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withTypedArray: true });
    fc.assert(
      fc.property(key, value, fc.array(value, { maxLength: 5 }), (key, value, list) => {
        for (const each of [value, list, ['x', null, null, value]]) {
          const entry = readLaneEntry(key, each);
          if (entry?.kind === 'message') expect(entry.value).toBe(each);
        }
      }),
    );
  });
});

describe('the log', () => {
  test('[D5] an element is an id, or an id with the time of acceptance', () => {
    expect(readLogElement(K)).toEqual({ id: K, acceptedAt: null });
    expect(readLogElement([K, NOW])).toEqual({ id: K, acceptedAt: NOW });
    for (const element of ['', 'x', 1, null, {}, [], [K], [K, null], [K, -1], [1, NOW], ['x', NOW], `r${K}`])
      expect([element, readLogElement(element)]).toEqual([element, null]);
  });

  test('[D5] seq is the first seq and the place; the order is that of the log, not of ids or times', () => {
    const [early, late] = [idOf(3, NOW - 86_400_000), idOf(4, NOW + 1)];
    addMessage(doc, ANA, early, ['early', null, null]);
    addMessage(doc, BEN, late, ['late', null, null]);
    log(late, [early, NOW + 2]);
    expect(readSegmentMeta(doc)).toEqual({ n: 3, firstSeq: 1_001 });
    expect(readLog(doc)).toEqual([late, early]);
    expect(readMessages(doc)).toEqual([
      expect.objectContaining({ id: late, seq: 1_001, authorId: BEN, body: 'late', writtenAt: NOW + 1, acceptedAt: null }),
      expect.objectContaining({ id: early, seq: 1_002, authorId: ANA, body: 'early', writtenAt: NOW - 86_400_000, acceptedAt: NOW + 2 }),
    ]);
  });

  test('[D5] an element that this version cannot read keeps its place', () => {
    addMessage(doc, ANA, K, hello);
    addMessage(doc, ANA, L, hello);
    log(K, { later: true }, L);
    expect(readMessages(doc).map(({ id, seq }) => [id, seq])).toEqual([
      [K, 1_001],
      [L, 1_003],
    ]);
    expect(readLog(doc)).toEqual([K, L]);
  });

  test('[D5] what is not in the log is not shown', () => {
    addMessage(doc, BEN, K, hello);
    expect(readMessages(doc)).toEqual([]);
  });

  test('[D5] own messages without a place wait in the order of writing', () => {
    // In ASCII the first digits of these ids stand the other way round: 0 before A, - before 0.
    const steps = 2 ** 42;
    const ids = [25, 26, 51, 52, 61, 62, 63].map((n) => idOf(n, n * steps));
    expect(ids.toSorted()).not.toEqual(ids);
    for (const id of ids.toReversed()) addMessage(doc, ANA, id, hello);
    expect(readUnlogged(doc, ANA).map(({ id }) => id)).toEqual(ids);
    log(ids[0], [ids[1], NOW]);
    deleteMessage(doc, ANA, ids[2]!);
    addMessage(doc, BEN, K, hello);
    react(doc, ANA, K, ['👍']);
    expect(readUnlogged(doc, ANA)).toEqual(ids.slice(3).map((id) => ({ id, value: hello })));
  });

  test('[D5] own messages of one millisecond wait in the order of setting', () => {
    const ids = [9, 1, 250, 60, 120].map((n) => idOf(n));
    for (const id of ids) addMessage(doc, ANA, id, hello);
    expect(readUnlogged(doc, ANA).map(({ id }) => id)).toEqual(ids);
  });

  test('[D3] an empty document is no segment yet', () => {
    expect(readSegmentMeta(new Y.Doc())).toBeNull();
    expect(readMessages(new Y.Doc())).toEqual([]);
    expect(readLog(new Y.Doc())).toEqual([]);
    expect(readUnlogged(new Y.Doc(), ANA)).toEqual([]);
  });
});

describe('messages', () => {
  test('[D3] everybody reads the same, whoever’s lane they met first', () => {
    addMessage(doc, ANA, K, ['question', null, null, { mentions: [BEN] }]);
    addMessage(doc, BEN, L, ['answer', `3:${K}`, null]);
    react(doc, BEN, K, ['👍', '🎉']);
    react(doc, ANA, K, ['👍']);
    log(K, L);
    const replicas = [
      [ANA, BEN],
      [BEN, ANA],
    ].map((people) => {
      const replica = new Y.Doc();
      for (const person of people) replica.getMap(laneName(person));
      Y.applyUpdate(replica, Y.encodeStateAsUpdate(doc));
      return readMessages(replica).map((message) => ({ ...message, reactions: [...message.reactions] }));
    });
    expect(replicas[0]).toEqual(replicas[1]);
    expect(replicas[0]![0]!.reactions).toEqual([
      ['👍', [ANA, BEN]],
      ['🎉', [BEN]],
    ]);
    expect(only()).toMatchObject({ body: 'question', extras: { mentions: [BEN] }, replyTo: null });
    expect(readMessages(doc)[1]).toMatchObject({ body: 'answer', extras: null, replyTo: `3:${K}` });
  });

  test('[D6] an edit keeps what it answers and what stands beside it', () => {
    addMessage(doc, ANA, K, ['helo', `2:${L}`, null, { later: 1 }]);
    addMessage(doc, ANA, L, hello);
    log(K);
    expect(editMessage(doc, ANA, K, 'hello', NOW + 5)).toBe(true);
    expect(lane().get(K)).toEqual(['hello', `2:${L}`, NOW + 5, { later: 1 }]);
    expect(only()).toMatchObject({ body: 'hello', replyTo: `2:${L}`, editedAt: NOW + 5, extras: { later: 1 } });
    expect(editMessage(doc, ANA, L, 'there', NOW)).toBe(true);
    expect(lane().get(L)).toEqual(['there', null, NOW]);
  });

  test('[D7] what is deleted, missing or of somebody else cannot be edited', () => {
    addMessage(doc, ANA, K, hello);
    deleteMessage(doc, ANA, K);
    addMessage(doc, BEN, L, hello);
    for (const id of [K, L, idOf(7)]) expect(editMessage(doc, ANA, id, 'back', NOW)).toBe(false);
    expect([...lane().entries()]).toEqual([[K, 0]]);
  });

  const gone = { body: null, replyTo: null, editedAt: null, extras: null, reactions: new Map() };

  test('[D7] a deleted message keeps its place and author, and nothing else', () => {
    addMessage(doc, ANA, K, ['secret', `2:${L}`, NOW, { later: 1 }]);
    react(doc, BEN, K, ['👍']);
    log(K);
    deleteMessage(doc, ANA, K);
    expect(only()).toEqual({ id: K, seq: 1_001, authorId: ANA, writtenAt: NOW, acceptedAt: null, ...gone });
    expect(lane().has(K)).toBe(true);
  });

  test('[D7] a removed message is deleted for readers, before and after its entry is gone', () => {
    addMessage(doc, ANA, K, hello);
    react(doc, ANA, K, ['👍']);
    log(K);
    removeMessage(doc, BEN, K);
    expect(only()).toMatchObject({ authorId: ANA, ...gone });
    lane().delete(K);
    expect(only()).toMatchObject({ authorId: null, ...gone });
  });

  test('[D7] a message in the log and in no lane reads as deleted', () => {
    log([K, NOW]);
    expect(readMessages(doc)).toEqual([{ id: K, seq: 1_001, authorId: null, writtenAt: NOW, acceptedAt: NOW, ...gone }]);
  });

  test('[D6] reactions are replaced as one; an empty list takes them away', () => {
    addMessage(doc, ANA, K, hello);
    log(K);
    react(doc, BEN, K, ['👍', '🎉']);
    react(doc, BEN, K, ['🎉']);
    expect([...only().reactions]).toEqual([['🎉', [BEN]]]);
    react(doc, BEN, K, []);
    expect([...only().reactions]).toEqual([]);
    expect(lane(BEN).get(`r${K}`)).toEqual([]);
  });

  test('[D6] reactions and messages of the wrong shape harm nobody else', () => {
    addMessage(doc, ANA, K, hello);
    log(K, L);
    react(doc, ANA, K, ['👍']);
    lane(BEN).set(`r${K}`, '👍👍👍');
    lane(BEN).set(`x${K}`, true);
    lane(BEN).set(K, { body: 'mine now' });
    lane(BEN).set(L, ['too', 'long', null]);
    expect(only()).toMatchObject({ body: 'hello', authorId: ANA, reactions: new Map([['👍', [ANA]]]) });
    expect(readMessages(doc)[1]).toMatchObject({ id: L, authorId: BEN, ...gone });
  });

  test('[D3] kinds of entry that this version does not know survive it', () => {
    const newer = new Y.Doc();
    newer.getMap(laneName(ANA)).set(`p${K}`, { poll: ['a', 'b'] });
    newer.getMap('pins').set(K, true);
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(newer));
    addMessage(doc, ANA, K, hello);
    log(K);
    editMessage(doc, ANA, K, 'hello!', NOW);
    const back = new Y.Doc();
    Y.applyUpdate(back, Y.encodeStateAsUpdate(doc));
    expect(readMessages(back)).toHaveLength(1);
    expect(back.getMap(laneName(ANA)).get(`p${K}`)).toEqual({ poll: ['a', 'b'] });
    expect(back.getMap('pins').get(K)).toBe(true);
  });
});
