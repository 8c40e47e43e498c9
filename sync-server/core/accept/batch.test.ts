import { beforeEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { LIMITS } from '../../../shared/limits.ts';
import { addMessage, deleteMessage, editMessage, laneName, react, readLog, readMessages, removeMessage } from '../../../shared/segment.ts';
import {
  ANNA,
  BERT,
  CARL,
  LOG_CLIENT,
  NOW,
  type World,
  changeOf,
  makeDevice,
  makeWorld,
  messageId,
  rawUpdate,
  rowsOf,
  step2,
  text,
  tombstone,
  value,
} from './test-world.ts';

const K = messageId(1);
let world: World;
let anna: Y.Doc;
beforeEach(() => {
  world = makeWorld();
  anna = makeDevice(world, 11);
});

const body = (id = K) => readMessages(world.doc).find((message) => message.id === id)?.body;
const write = (device: Y.Doc, person: string, id: string, words = 'hello') =>
  world.push(
    person,
    changeOf(device, () => addMessage(device, person, id, text(words))),
  );
/** All text that the last update holds. */
const stored = () => Buffer.from(world.built!.update).toString('latin1');
const refusals = (person: string, update: Uint8Array) => {
  const before = { ...world.state };
  const verdict = world.push(person, update);
  expect(world.built).toBeNull();
  expect(world.state).toEqual(before);
  return verdict.kind === 'refused' ? verdict.reason : verdict.kind;
};

describe('messages', () => {
  it('[L5] [D5] a new message is accepted, logged in the same update, and claims its client id', () => {
    expect(write(anna, ANNA, K)).toEqual({ kind: 'accepted', committed: [[11, 1]], told: [] });
    expect(readLog(world.doc)).toEqual([K]);
    expect(world.built).toMatchObject({
      claims: [{ client: 11, userId: ANNA }],
      state: { position: 2, messages: 1, clients: 1, bytes: world.built!.update.length, logClock: 3 },
      snapshot: [{ kind: 'message', id: K, seq: 1, n: 1, senderId: ANNA, body: 'hello', acceptedAt: NOW }],
      deleted: false,
      full: false,
    });
    expect(world.usedIds.has(K)).toBe(true);
  });

  it('[D5] the log tells the time of acceptance where it is far from that of writing', () => {
    const late = messageId(2, NOW - 120_001);
    write(anna, ANNA, messageId(1, NOW - 120_000));
    write(anna, ANNA, late);
    expect(world.doc.getArray('log').toArray()).toEqual([messageId(1, NOW - 120_000), [late, NOW]]);
  });

  it('[L4] a batch orders the messages of several people, and of the server, as they came', () => {
    const bert = makeDevice(world, 22);
    const frames = [1, 2, 3].map((n) => changeOf(anna, () => addMessage(anna, ANNA, messageId(n), text(`a${n}`))));
    const other = changeOf(bert, () => addMessage(bert, BERT, messageId(4), text('b')));
    world.batch((batch) => {
      batch.accept(ANNA, world.decode(frames[0]!));
      batch.accept(BERT, world.decode(other));
      expect(batch.post(BERT, messageId(5), text('posted'))).toEqual({ kind: 'sent', created: true });
      batch.accept(ANNA, world.decode(frames[1]!));
      batch.accept(ANNA, world.decode(frames[2]!));
    });
    expect(readLog(world.doc)).toEqual([1, 4, 5, 2, 3].map((n) => messageId(n)));
    expect(world.built!.snapshot.map((change) => change.kind === 'message' && change.seq)).toEqual([1, 2, 3, 4, 5]);
  });

  it('[L8] a frame with nothing new is known and writes nothing', () => {
    write(anna, ANNA, K);
    expect(world.push(ANNA, Y.encodeStateAsUpdate(anna))).toEqual({ kind: 'known', committed: [[11, 1]] });
    expect(world.built).toBeNull();
    expect(world.push(ANNA, Uint8Array.of(0, 0))).toEqual({ kind: 'known', committed: [] });
  });

  it('[L8] a frame that repeats another of its batch is known', () => {
    const frame = changeOf(anna, () => addMessage(anna, ANNA, K, text('a')));
    const verdicts = world.batch((batch) => [batch.accept(ANNA, world.decode(frame)), batch.accept(ANNA, world.decode(frame))]);
    expect(verdicts.map(({ kind }) => kind)).toEqual(['accepted', 'known']);
    expect(readLog(world.doc)).toEqual([K]);
  });

  it('[A6] an id used elsewhere is neutralised as duplicate; its text is nowhere', () => {
    world.usedIds.add(K);
    expect(write(anna, ANNA, K, 'secret')).toMatchObject({ told: [{ client: 11, clock: 0, code: 'duplicate' }], committed: [[11, 1]] });
    expect(stored()).not.toContain('secret');
    expect(readLog(world.doc)).toEqual([]);
    expect(world.rows.size).toBe(0);
    // The writer forgets it as well, and writes on under the same client id.
    Y.applyUpdate(anna, world.built!.update);
    expect(anna.getMap(laneName(ANNA)).has(K)).toBe(false);
    expect(write(anna, ANNA, messageId(2))).toMatchObject({ kind: 'accepted', told: [] });
  });

  it('[A6] [D4] a closed segment takes no new message, and still edits, deletions and reactions', () => {
    write(anna, ANNA, K);
    write(anna, ANNA, messageId(2));
    world.state.closed = true;
    expect(write(anna, ANNA, messageId(3))).toMatchObject({ told: [{ code: 'closed' }] });
    // Again, over its tombstone.
    Y.applyUpdate(anna, world.built!.update);
    expect(write(anna, ANNA, messageId(3))).toMatchObject({ told: [{ code: 'closed' }] });
    const rest = changeOf(anna, () => {
      editMessage(anna, ANNA, K, 'edited', NOW);
      react(anna, ANNA, K, ['👍']);
      deleteMessage(anna, ANNA, messageId(2));
    });
    expect(world.push(ANNA, rest)).toMatchObject({ told: [] });
    expect(body()).toBe('edited');
    expect(world.built!.state.closed).toBe(true);
  });

  it('[A6] a message that was blocked may be sent again under its id when the block is gone', () => {
    world.permissions = { judge: () => 'blocked' };
    expect(write(anna, ANNA, K)).toMatchObject({ told: [{ code: 'blocked' }] });
    Y.applyUpdate(anna, world.built!.update);
    world.permissions = { judge: () => null };
    expect(write(anna, ANNA, K)).toMatchObject({ told: [] });
    expect(readLog(world.doc)).toEqual([K]);
  });

  it('[A6] an id that nobody looked up is not taken for a new message', () => {
    world.permissions = { judge: () => 'blocked' };
    write(anna, ANNA, K);
    Y.applyUpdate(anna, world.built!.update);
    world.permissions = { judge: () => null };
    const again = changeOf(anna, () => addMessage(anna, ANNA, K, text('again')));
    const decoded = { ...world.decode(again), messageIds: new Set<string>() };
    expect(world.batch((batch) => batch.accept(ANNA, decoded))).toMatchObject({ told: [{ code: 'closed' }] });
  });

  it('[D4] 500 messages are the end, within a batch too; then the document is full', () => {
    world.state.messages = LIMITS.segmentMessages - 1;
    const frame = changeOf(anna, () => {
      addMessage(anna, ANNA, K, text('last'));
      addMessage(anna, ANNA, messageId(2), text('beyond'));
    });
    expect(world.push(ANNA, frame)).toMatchObject({ told: [{ clock: 1, code: 'closed' }] });
    expect(world.built!.full).toBe(true);
  });

  it('[D4] bytes and client ids fill a document as well', () => {
    world.state.bytes = LIMITS.segmentBytes - 50;
    write(anna, ANNA, K);
    expect(world.built!.full).toBe(true);
    world.state.bytes = 0;
    write(anna, ANNA, messageId(2));
    expect(world.built!.full).toBe(false);
    world.state.clients = LIMITS.segmentClients - 1;
    write(makeDevice(world, 12), ANNA, messageId(3));
    expect(world.built!.full).toBe(true);
  });

  it('[L4] a message that is new and edited in one batch is one change, with the newest text', () => {
    const frame = changeOf(anna, () => {
      addMessage(anna, ANNA, K, text('a'));
      editMessage(anna, ANNA, K, 'b', NOW);
    });
    world.push(ANNA, frame);
    expect(world.built!.snapshot).toMatchObject([{ kind: 'message', body: 'b', editedAt: NOW }]);
  });

  it('[L4] of two edits at the same time the table takes the one that the document shows', () => {
    write(anna, ANNA, K);
    const [low, high] = [makeDevice(world, 100), makeDevice(world, 200)];
    const edit = (device: Y.Doc, words: string) => changeOf(device, () => editMessage(device, ANNA, K, words, NOW));
    const [first, second] = [edit(high, 'high'), edit(low, 'low')];
    world.push(ANNA, first);
    expect(world.push(ANNA, second)).toMatchObject({ kind: 'accepted', told: [] });
    expect(world.built!.snapshot).toEqual([]);
    expect(body()).toBe('high');
    expect(world.rows.get(K)!.body).toBe('high');
  });
});

describe('deletions and removals', () => {
  it('[D7] an edit that comes after a deletion is neutralised', () => {
    write(anna, ANNA, K);
    const other = makeDevice(world, 12);
    const edit = changeOf(other, () => editMessage(other, ANNA, K, 'secret', NOW));
    world.push(
      ANNA,
      changeOf(anna, () => deleteMessage(anna, ANNA, K)),
    );
    expect(world.built).toMatchObject({ deleted: true, snapshot: [{ kind: 'deletion', id: K, deletedAt: NOW, by: ANNA }] });
    expect(world.push(ANNA, edit)).toMatchObject({ told: [{ client: 12, clock: 0, code: 'removed' }] });
    expect(stored()).not.toContain('secret');
    expect(body()).toBeNull();
  });

  it.each([
    ['smaller', 2],
    ['greater', 900],
  ])('[D7] a deletion wins over an edit that was there before it, by a %s client id', (_, client) => {
    write(anna, ANNA, K);
    const other = makeDevice(world, client);
    const deletion = changeOf(other, () => deleteMessage(other, ANNA, K));
    world.push(
      ANNA,
      changeOf(anna, () => editMessage(anna, ANNA, K, 'edited', NOW)),
    );
    world.push(ANNA, deletion);
    expect(body()).toBeNull();
    expect(Buffer.from(Y.encodeStateAsUpdate(world.doc)).toString('latin1')).not.toContain('edited');
    expect(rowsOf(world.doc)).toEqual(new Map([[K, { seq: 1, body: null, reactions: new Map() }]]));
  });

  it('[D7] a message that is written and deleted in one batch leaves its text nowhere', () => {
    const add = changeOf(anna, () => addMessage(anna, ANNA, K, text('secret')));
    const del = changeOf(anna, () => deleteMessage(anna, ANNA, K));
    world.batch((batch) => [add, del].map((frame) => batch.accept(ANNA, world.decode(frame))));
    expect(stored()).not.toContain('secret');
    expect(world.built!.snapshot).toMatchObject([{ kind: 'message', body: '' }, { kind: 'deletion' }]);
    expect(readLog(world.doc)).toEqual([K]);
  });

  it('[D7] a second deletion changes nothing; one of an unlogged key keeps later text out', () => {
    write(anna, ANNA, K);
    const other = makeDevice(world, 12);
    const again = changeOf(other, () => deleteMessage(other, ANNA, K));
    world.push(
      ANNA,
      changeOf(anna, () => deleteMessage(anna, ANNA, K)),
    );
    expect(world.push(ANNA, again)).toMatchObject({ kind: 'accepted', told: [] });
    expect(world.built!.snapshot).toEqual([]);
    const early = changeOf(anna, () => deleteMessage(anna, ANNA, messageId(2)));
    expect(world.push(ANNA, early)).toMatchObject({ told: [] });
    expect(write(anna, ANNA, messageId(2))).toMatchObject({ told: [{ code: 'removed' }] });
    expect(readLog(world.doc)).toEqual([K]);
  });

  it("[A6] a deletion under the id of another person's message does not stand", () => {
    write(anna, ANNA, K);
    const bert = makeDevice(world, 22);
    expect(
      world.push(
        BERT,
        changeOf(bert, () => deleteMessage(bert, BERT, K)),
      ),
    ).toMatchObject({ told: [{ code: 'duplicate' }] });
    expect(body()).toBe('hello');
  });

  it('[A6] [D7] a removal takes the message out of its lane, and later edits are neutralised', () => {
    write(anna, ANNA, K);
    const edit = changeOf(anna, () => editMessage(anna, ANNA, K, 'secret', NOW));
    const bert = makeDevice(world, 22);
    const removal = changeOf(bert, () => removeMessage(bert, BERT, K));
    expect(world.push(BERT, removal)).toMatchObject({ told: [] });
    expect(world.built).toMatchObject({ deleted: true, snapshot: [{ kind: 'deletion', id: K, by: BERT }] });
    expect(world.doc.getMap(laneName(ANNA)).has(K)).toBe(false);
    expect(world.push(ANNA, edit)).toMatchObject({ told: [{ code: 'removed' }] });
    expect(body()).toBeNull();
    // Somebody else removes it too.
    const carl = makeDevice(world, 33);
    expect(
      world.push(
        CARL,
        changeOf(carl, () => removeMessage(carl, CARL, K)),
      ),
    ).toMatchObject({ told: [] });
  });

  it('[A6] a removal needs the role, and a message that is there', () => {
    write(anna, ANNA, K);
    const bert = makeDevice(world, 22);
    const unknown = changeOf(bert, () => removeMessage(bert, BERT, messageId(9)));
    expect(world.push(BERT, unknown)).toMatchObject({ told: [{ code: 'removed' }] });
    world.permissions = { judge: ({ kind }) => (kind === 'removal' ? 'role' : null) };
    const removal = changeOf(bert, () => removeMessage(bert, BERT, K));
    expect(world.push(BERT, removal)).toMatchObject({ told: [{ code: 'role' }] });
    expect(body()).toBe('hello');
  });

  it('[L4] a removal may come in the batch of its message', () => {
    const add = changeOf(anna, () => addMessage(anna, ANNA, K, text('secret')));
    const bert = makeDevice(world, 22);
    const removal = changeOf(bert, () => removeMessage(bert, BERT, K));
    world.batch((batch) => {
      batch.accept(ANNA, world.decode(add));
      expect(batch.accept(BERT, world.decode(removal))).toMatchObject({ told: [] });
    });
    expect(stored()).not.toContain('secret');
    expect(world.rows.get(K)!.body).toBeNull();
    expect(body()).toBeNull();
  });
});

describe('reactions', () => {
  const reactTo = (emoji: string[], id = K) => {
    const bert = makeDevice(world, 22 + world.claims.size);
    return world.push(
      BERT,
      changeOf(bert, () => react(bert, BERT, id, emoji)),
    );
  };

  it('[D6] the newest list of a person is what the table holds', () => {
    write(anna, ANNA, K);
    reactTo(['👍']);
    expect(world.built!.snapshot).toEqual([{ kind: 'reactions', id: K, userId: BERT, emoji: ['👍'] }]);
    reactTo([]);
    expect(world.rows.get(K)!.reactions.size).toBe(0);
  });

  it('[A6] a reaction to what is not there, or is gone, is neutralised', () => {
    expect(reactTo(['👍'])).toMatchObject({ told: [{ code: 'removed' }] });
    write(anna, ANNA, K);
    world.push(
      ANNA,
      changeOf(anna, () => deleteMessage(anna, ANNA, K)),
    );
    expect(reactTo(['👍'])).toMatchObject({ told: [{ code: 'removed' }] });
  });

  it('[A6] a neutralised change of reactions leaves none, in the document and in the table', () => {
    write(anna, ANNA, K);
    reactTo(['👍']);
    world.permissions = { judge: () => 'blocked' };
    expect(reactTo(['🎉'])).toMatchObject({ told: [{ code: 'blocked' }] });
    expect(world.rows.get(K)!.reactions.size).toBe(0);
    expect(rowsOf(world.doc).get(K)!.reactions.size).toBe(0);
  });

  it('[D4] reactions stop at 2,000 client ids or 1 MiB', () => {
    write(anna, ANNA, K);
    world.state.clients = LIMITS.reactionClients;
    expect(reactTo(['👍'])).toMatchObject({ told: [{ code: 'quota' }] });
    world.state.clients = 1;
    world.state.bytes = LIMITS.reactionBytes;
    expect(reactTo(['👍'])).toMatchObject({ told: [{ code: 'quota' }] });
    world.state.bytes = 1;
    expect(reactTo(['👍'])).toMatchObject({ told: [] });
  });
});

describe('posts', () => {
  it("[H2] [L5] stand in the sender's lane under the log's client id, once", () => {
    expect(world.post(ANNA, K, text('posted'))).toEqual({ kind: 'sent', created: true });
    expect([...world.doc.store.clients.keys()]).toEqual([LOG_CLIENT]);
    expect(world.built).toMatchObject({ claims: [], snapshot: [{ kind: 'message', senderId: ANNA, body: 'posted', seq: 1 }] });
    expect(world.post(ANNA, K, text('posted'))).toEqual({ kind: 'sent', created: false });
    expect(world.built).toBeNull();
    expect(world.post(BERT, K, text('stolen'))).toEqual({ kind: 'neutralised', code: 'duplicate' });
    world.post(ANNA, messageId(2), text('second'));
    expect(readLog(world.doc)).toEqual([K, messageId(2)]);
  });

  it('[A2] are known to clients that send them back, and may be edited and deleted by their author', () => {
    world.post(ANNA, K, text('posted'));
    const device = makeDevice(world, 12);
    editMessage(device, ANNA, K, 'edited', NOW);
    expect(world.push(ANNA, Y.encodeStateAsUpdate(device))).toMatchObject({ kind: 'accepted', told: [] });
    expect(body()).toBe('edited');
    deleteMessage(device, ANNA, K);
    world.push(ANNA, step2(world, device));
    expect(world.post(ANNA, K, text('again'))).toEqual({ kind: 'neutralised', code: 'removed' });
  });

  it('[A6] [D4] keep to what is allowed', () => {
    world.permissions = { judge: () => 'blocked' };
    expect(world.post(ANNA, K, text('a'))).toEqual({ kind: 'neutralised', code: 'blocked' });
    world.permissions = { judge: () => null };
    world.state.messages = LIMITS.segmentMessages;
    expect(world.post(ANNA, K, text('a'))).toEqual({ kind: 'neutralised', code: 'closed' });
    expect(() => makeWorld('user').post(ANNA, K, text('a'))).toThrow(TypeError);
  });

  it('[A9] a row that does not fit its document is a broken invariant', () => {
    world.state.logClock++;
    expect(() => world.post(ANNA, K, text('a'))).toThrow('does not hold');
  });
});

describe('[D8] a private document', () => {
  it('is full at 4,096 structs, which months of drafts make, however few bytes they are', () => {
    const mine = makeWorld('user');
    const drafts = Array.from({ length: 2_048 }, (_, i) =>
      i < 2
        ? { root: laneName(ANNA), key: ['sone', 'stwo'][i]!, ...tombstone() }
        : { origin: [5, i - 2] as [number, number], ...tombstone() },
    );
    mine.push(ANNA, rawUpdate([[5, 0, drafts]]));
    expect(mine.built!.full).toBe(false);
    mine.push(ANNA, rawUpdate([[5, 2_048, drafts.map((_, i) => ({ origin: [5, 2_046 + i] as [number, number], ...tombstone() }))]]));
    expect(mine.built!.full).toBe(true);
    expect(mine.state.bytes).toBeLessThan(LIMITS.segmentBytes / 4);
  });

  it('takes no more values at 1 MiB, but for what is known; its writer is told', () => {
    const mine = makeWorld('user');
    const device = makeDevice(mine, 100);
    const set = (setting: boolean) =>
      mine.push(
        ANNA,
        changeOf(device, () => device.getMap(laneName(ANNA)).set('stheme', setting)),
      );
    expect(set(true)).toMatchObject({ told: [] });
    mine.state.bytes = LIMITS.privateBytes;
    expect(set(false)).toMatchObject({ told: [{ client: 100, clock: 1, code: 'quota' }] });
    expect(mine.push(ANNA, Y.encodeStateAsUpdate(device))).toMatchObject({ kind: 'known' });
  });
});

describe('structs', () => {
  const LANE = laneName(ANNA);
  const put = (content: Parameters<typeof value>[0], key = K) => ({ root: LANE, key, ...value(content) });
  const BODY = ['a', null, null];

  it('[A3] ahead of the server is dropped: a gap, an unknown origin, a skipped stretch', () => {
    expect(refusals(ANNA, rawUpdate([[5, 1, [put(BODY)]]]))).toBe('ahead');
    expect(refusals(ANNA, rawUpdate([[5, 0, [{ origin: [6, 0], ...value(BODY) }]]]))).toBe('ahead');
    expect(refusals(ANNA, rawUpdate([[5, 0, [put(BODY), { info: 10, content: tombstone(3).content }, put(BODY, messageId(2))]]]))).toBe(
      'ahead',
    );
  });

  it('[A4] waits for origins in the same frame, across client ids and both ways', () => {
    const frame = rawUpdate([
      [9, 0, [{ origin: [8, 0], ...value(['b', null, 1]) }, put(BODY, messageId(2))]],
      [8, 0, [put(BODY), { origin: [9, 1], ...value(['c', null, 1]) }]],
    ]);
    expect(world.push(ANNA, frame)).toEqual({
      kind: 'accepted',
      committed: [
        [9, 2],
        [8, 2],
      ],
      told: [],
    });
    expect(body()).toBe('b');
    expect(body(messageId(2))).toBe('c');
  });

  it('[A4] a circle of origins is malformed', () => {
    const circle = rawUpdate([
      [9, 0, [{ origin: [8, 0], ...value(BODY) }]],
      [8, 0, [{ origin: [9, 0], ...value(BODY) }]],
    ]);
    expect(refusals(ANNA, circle)).toBe('malformed');
    expect(refusals(ANNA, rawUpdate([[9, 0, [{ origin: [9, 0], ...value(BODY) }]]]))).toBe('malformed');
  });

  it('[A3] a tombstone that is known in part brings its tail', () => {
    const lane = anna.getMap(LANE);
    world.push(
      ANNA,
      changeOf(anna, () => lane.set(K, text('1'))),
    );
    for (const n of [2, 3, 4]) lane.set(K, text(`${n}`));
    // 0 to 2 are one tombstone now; the server knows the first of them as living.
    expect(world.push(ANNA, Y.encodeStateAsUpdate(anna))).toEqual({ kind: 'accepted', committed: [[11, 4]], told: [] });
    expect(body()).toBe('4');
    Y.applyUpdate(anna, Y.encodeStateAsUpdate(world.doc, Y.encodeStateVector(anna)));
    expect(Y.encodeStateAsUpdate(world.doc)).toEqual(Y.encodeStateAsUpdate(anna));
  });

  it('[A8] what nothing was neutralised of is, applied, what the raw bytes would have been', () => {
    const raw = makeDevice(world, 1);
    const frame = changeOf(anna, () => {
      addMessage(anna, ANNA, K, ['ü€𝄞', '3:' + messageId(7), 5, { mentions: [BERT], n: -0.5, deep: { a: [null, true] } }]);
      react(anna, ANNA, K, ['👍', '👩‍👩‍👧']);
      deleteMessage(anna, ANNA, messageId(2));
    });
    world.push(ANNA, frame);
    Y.applyUpdate(raw, frame);
    expect(world.doc.getMap(LANE).toJSON()).toEqual(raw.getMap(LANE).toJSON());
    expect(world.doc.store.clients.get(11)).toHaveLength(raw.store.clients.get(11)!.length);
  });

  it('[A8] the update is, byte for byte, what Yjs itself would write', () => {
    const mine = makeWorld('user');
    const [low, high] = [makeDevice(mine, 100), makeDevice(mine, 200)];
    for (const draft of ['a', 'b', 'c']) low.getMap(LANE).set(`d${BERT}`, draft);
    for (const draft of ['d', 'e']) for (const person of [CARL, ANNA]) high.getMap(LANE).set(`d${person}`, draft);
    mine.batch((batch) => [low, high].map((device) => batch.accept(ANNA, mine.decode(Y.encodeStateAsUpdate(device)))));
    const hex = (update: Uint8Array) => Buffer.from(update).toString('hex');
    expect(hex(mine.built!.update)).toBe(hex(Y.encodeStateAsUpdate(mine.doc)));
  });

  it('[D8] [A5] a private document takes its own keys, from its owner, and nothing else', () => {
    const mine = makeWorld('user');
    const device = makeDevice(mine, 11);
    const frame = changeOf(device, () => {
      const lane = device.getMap(LANE);
      lane.set(`d${BERT}`, 'half a sent');
      lane.set(`d${BERT}`, 'half a sentence');
      lane.set(`c${BERT}`, { mute: null, pin: 3 });
      lane.set('stheme', 'dark');
    });
    expect(mine.push(ANNA, frame)).toMatchObject({ kind: 'accepted', told: [] });
    expect(mine.built).toMatchObject({ snapshot: [], deleted: false });
    expect(mine.doc.getMap(LANE).get(`d${BERT}`)).toBe('half a sentence');
    expect(mine.push(ANNA, rawUpdate([[5, 0, [put(BODY)]]]))).toEqual({ kind: 'refused', reason: 'malformed' });
    expect(mine.push(ANNA, rawUpdate([[5, 0, [put({ mute: 'x' }, `c${BERT}`)]]]))).toEqual({ kind: 'refused', reason: 'malformed' });
    mine.state.closed = true;
    const late = changeOf(device, () => device.getMap(LANE).set(`d${CARL}`, 'x'));
    expect(mine.push(ANNA, late)).toMatchObject({ told: [{ code: 'closed' }] });
  });

  it('[A4] a root takes nothing from members and knows its own structs', () => {
    const root = makeWorld('root');
    const device = makeDevice(root, 11);
    expect(root.push(ANNA, Y.encodeStateAsUpdate(device))).toEqual({ kind: 'known', committed: [] });
    const earlier = new Y.Doc();
    earlier.getMap('meta').set('picture', 'of another server id, which nobody claimed');
    for (const doc of [root.doc, device]) Y.applyUpdate(doc, Y.encodeStateAsUpdate(earlier));
    expect(root.push(ANNA, Y.encodeStateAsUpdate(device))).toEqual({ kind: 'known', committed: [] });
    device.getMap('meta').set('title', 'Mine');
    expect(root.push(ANNA, step2(root, device))).toEqual({ kind: 'refused', reason: 'foreign-lane' });
    expect(root.push(ANNA, rawUpdate([[5, 0, [put(BODY)]]]))).toEqual({ kind: 'refused', reason: 'foreign-lane' });
  });
});
