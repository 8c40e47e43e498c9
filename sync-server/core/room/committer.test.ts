import * as Y from 'yjs';
import { describe, expect, test } from 'vitest';
import { readRoot } from '../../../shared/conversation.ts';
import { LIMITS } from '../../../shared/limits.ts';
import { addMessage, deleteMessage, laneName, readLog, readMessages, readSegmentMeta } from '../../../shared/segment.ts';
import { readNext } from '../../../shared/user-document.ts';
import { CommitUnknown, LogUnavailable } from '../ports.ts';
import { makeMemoryLog } from '../../memory/update-log.ts';
import { systemRandom } from '../../../shared/clock.ts';
import { membersMay } from '../rights/permissions.ts';
import { makeCommitter } from './committer.ts';
import { QUARANTINE_MS, makeRooms } from './rooms.ts';
import type { Watcher } from './work.ts';
import { fakeSocket } from '../testing/fake-socket.ts';
import { settled } from '../testing/manual-clock.ts';
import { type TestNode, startTestNode } from '../testing/test-node.ts';

const say = (world: TestNode, userId: string, text: string) => (doc: Y.Doc) =>
  addMessage(doc, userId, world.messageId(), [text, null, null]);

describe('commits that go wrong', () => {
  test('[L9] a failed commit has changed nothing anywhere, and is tried again', async () => {
    const world = await startTestNode();
    const { open, ana, ben, conversationId, faults, row } = world;
    const [a, b] = [await open(ana, `${conversationId}/1`), await open(ben, `${conversationId}/1`)];
    faults.push({ moment: 'written', error: new Error('deadlock') });
    a.change(say(world, ana, 'hello'));
    await settled();
    expect(row().messages.size).toBe(1);
    expect(readLog(b.doc)).toHaveLength(1);
    expect([a.acks.length, a.closed, b.closed]).toEqual([1, null, null]);
  });

  test('[L9] a room that fails three times is quarantined; the others of its batch go on', async () => {
    let poisoned = '';
    const world = await startTestNode({
      permissions: {
        judge({ conversation }) {
          if (conversation.id === poisoned) throw new Error('poison');
          return null;
        },
      },
    });
    const { open, ana, ben, node, clock, conversationId, row } = world;
    const { conversationId: second } = await node.messaging.openGroup(ana, 'Second', [ben]);
    const [good, bad] = [await open(ana, `${conversationId}/1`), await open(ana, `${second}/1`)];
    poisoned = second;
    bad.change(say(world, ana, 'poison'));
    good.change(say(world, ana, 'honest'));
    await settled();
    await settled();
    expect(bad.closed?.code).toBe(1013);
    expect([good.closed, row().messages.size, row(second).messages.size]).toEqual([null, 1, 0]);
    expect((await open(ana, `${second}/1`)).closed?.code).toBe(1013);
    await clock.advance(QUARANTINE_MS + 1);
    expect((await open(ana, `${second}/1`)).closed).toBeNull();
  });

  test('[L9] while the log is unavailable frames wait, nobody is blamed, and they go when it is back', async () => {
    const world = await startTestNode();
    const { open, ana, faults, clock, conversationId, row } = world;
    const a = await open(ana, `${conversationId}/1`);
    for (let i = 0; i < 12; i++) faults.push({ moment: 'asked', error: new LogUnavailable('down') });
    a.change(say(world, ana, 'patience'));
    await clock.advance(3_000);
    expect([row().messages.size, a.closed, a.acks]).toEqual([0, null, []]);
    await clock.advance(10_000);
    expect([row().messages.size, a.acks.length, a.closed]).toEqual([1, 1, null]);
  });

  test.each([
    ['was committed', 'committed', 1],
    ['was not committed', 'written', 0],
  ] as const)('[R1] [L10] an unknown commit that %s drops the room; who comes back is acked once', async (_, moment, rows) => {
    const world = await startTestNode();
    const { open, ana, faults, conversationId, row } = world;
    const a = await open(ana, `${conversationId}/1`);
    faults.push({ moment, error: new CommitUnknown('cut') });
    a.change(say(world, ana, 'once'));
    await settled();
    expect([a.closed?.code, a.acks, row().messages.size]).toEqual([1012, [], rows]);
    const back = await open(ana, `${conversationId}/1`);
    const update = Y.encodeStateAsUpdate(a.doc, Y.encodeStateVector(back.doc));
    Y.applyUpdate(back.doc, update);
    back.change((doc) => doc.getMap('nothing'));
    back.send(Uint8Array.of(0, 2, ...varBytes(update)));
    await settled();
    expect(row().messages.size).toBe(1);
    expect(readLog(back.doc)).toHaveLength(1);
    expect(back.closed).toBeNull();
  });

  test('[L1] a full queue turns the sender away with 1013, and what waits is kept', async () => {
    const world = await startTestNode();
    const { open, ana, faults, clock, conversationId, row } = world;
    const a = await open(ana, `${conversationId}/1`);
    faults.push({ moment: 'asked', error: new LogUnavailable('down') });
    for (let i = 0; i < 8_300 && !a.closed; i++) a.change(say(world, ana, `${i}`));
    expect(a.closed?.code).toBe(1013);
    await clock.advance(5_000);
    expect(row().messages.size).toBeGreaterThan(0);
  });
});

describe('a broken invariant', () => {
  test('[L9] what is thrown while a batch is carried out or told costs its rooms their cache, and the node goes on', async () => {
    const world = await startTestNode();
    const { open, node, ana, ben, clock, conversationId, row } = world;
    const { conversationId: second } = await node.messaging.openGroup(ana, 'Second', [ben]);
    let isBroken = false;
    const session = node.open({
      userId: ana,
      sid: 's',
      expiresAt: clock.now() + 1e6,
      name: { kind: 'segment', conversationId, n: 1 },
      acks: true,
      socket: fakeSocket({
        send() {
          if (isBroken) throw new Error('this socket is broken');
        },
      }),
    });
    await settled();
    isBroken = true;
    const doc = new Y.Doc();
    say(world, ana, 'told to nobody')(doc);
    session.receive(Uint8Array.of(0, 2, ...varBytes(Y.encodeStateAsUpdate(doc))));
    await settled();
    const a = await open(ana, `${second}/1`);
    a.change(say(world, ana, 'onwards'));
    await settled();
    expect([row().messages.size, row(second).messages.size, a.acks.length]).toEqual([1, 1, 1]);
  });
});

test('[L9] a frame that cannot be read costs its room, and the node goes on', async () => {
  const { store, clock, conversationId, ana, messageId } = await startTestNode();
  const logger = { info() {}, warn() {}, error() {} };
  const log = makeMemoryLog(store, { clock });
  const rooms = makeRooms({ log, clock, logger });
  const committer = makeCommitter({ log, rooms, permissions: membersMay, clock, random: systemRandom, logger });
  const ends: string[] = [];
  const from: Watcher = { userId: ana, acks: true, send() {}, sendLive() {}, end: (close) => void ends.push(close), judged() {} };
  const name = { kind: 'segment', conversationId, n: 1 } as const;
  const hold = await rooms.enter(name, () => from);
  committer.enqueue(hold!.room, { kind: 'frame', from, update: Uint8Array.of(1, 1) });
  await committer.idle();
  expect(ends).toEqual(['restart']);
  const again = await rooms.enter(name);
  const sent = new Promise((done) =>
    committer.enqueue(again!.room, { kind: 'post', writer: ana, id: messageId(), value: ['onwards', null, null], done }),
  );
  expect(await sent).toMatchObject({ kind: 'sent' });
});

describe('a node that stops', () => {
  test('[L10] it does not wait for a log that stays away, and what waited comes again elsewhere', async () => {
    const { open, ana, faults, clock, conversationId, node, messageId } = await startTestNode();
    const a = await open(ana, `${conversationId}/1`);
    for (let i = 0; i < 1_000; i++) faults.push({ moment: 'asked', error: new LogUnavailable('down') });
    a.change((doc) => addMessage(doc, ana, messageId(), ['waiting', null, null]));
    await settled();
    let stopped = false;
    void node.stop().then(() => (stopped = true));
    await clock.advance(2_000);
    expect([stopped, a.closed?.code]).toEqual([true, 1012]);
    expect((await open(ana, conversationId)).closed?.code).toBe(1012);
  });

  test('[H2] a send over HTTP does not wait for ever', async () => {
    const { ana, faults, clock, conversationId, node, messageId } = await startTestNode();
    for (let i = 0; i < 1_000; i++) faults.push({ moment: 'asked', error: new LogUnavailable('down') });
    const sent = node.messaging.send(ana, conversationId, messageId(), ['hello', null, null]);
    await clock.advance(11_000);
    expect(await sent).toEqual({ kind: 'unavailable' });
  });
});

describe('rights under the lock', () => {
  test('[L2] who was removed hears nothing more, though they write nothing', async () => {
    const { open, ana, ben, conversationId, row, messageId } = await startTestNode();
    const [a, b] = [await open(ana, `${conversationId}/1`), await open(ben, `${conversationId}/1`)];
    row().members.delete(ben);
    row().state.membersVersion++;
    a.change((doc) => addMessage(doc, ana, messageId(), ['behind your back', null, null]));
    await settled();
    expect(b.closed?.code).toBe(4403);
    expect(readLog(b.doc)).toEqual([]);
  });

  test('[L2] [A6] who was removed while a frame waited is closed with 4403, and nothing is written', async () => {
    const world = await startTestNode();
    const { open, ana, conversationId, row } = world;
    const a = await open(ana, `${conversationId}/1`);
    row().members.delete(ana);
    row().state.membersVersion++;
    a.change(say(world, ana, 'too late'));
    await settled();
    expect([a.closed?.code, row().messages.size]).toEqual([4403, 0]);
  });

  test('[A6] a neutralised entry leaves its neighbours in the frame untouched', async () => {
    const blocked = new Set<string>();
    const world = await startTestNode({
      permissions: { judge: ({ writer, kind }) => (kind === 'message' && blocked.has(writer) ? 'blocked' : null) },
    });
    const { open, ana, conversationId, row, messageId } = world;
    const a = await open(ana, `${conversationId}/1`);
    const id = messageId();
    a.change((doc) => addMessage(doc, ana, id, ['before', null, null]));
    await settled();
    blocked.add(ana);
    a.change((doc) => {
      addMessage(doc, ana, messageId(), ['blocked text', null, null]);
      doc.getMap(laneName(ana)).set(id, ['edited', null, 1]);
    });
    await settled();
    expect(a.told.map(({ code }) => code)).toEqual(['blocked']);
    expect([...row().messages.values()].map(({ body }) => body)).toEqual(['edited']);
    const rows = row()
      .documents.get(1)!
      .rows.map(({ update }) => Buffer.from(update).toString('latin1'));
    expect(rows.join()).not.toContain('blocked text');
  });
});

describe('roll-over', () => {
  test('[D4] [D5] at 500 messages the server opens the next segment while both write; seq goes on without a gap', async () => {
    const world = await startTestNode();
    const { open, ana, ben, conversationId, row, clock } = world;
    const root = await open(ben, conversationId);
    const [a, b] = [await open(ana, `${conversationId}/1`), await open(ben, `${conversationId}/1`)];
    for (let i = 0; i < 260; i++) {
      a.change(say(world, ana, `a${i}`));
      b.change(say(world, ben, `b${i}`));
      if (i % 20 === 19) await settled();
    }
    await settled();
    expect(readLog(a.doc)).toHaveLength(LIMITS.segmentMessages);
    expect([...a.told, ...b.told].map(({ code }) => code)).toEqual(Array.from({ length: 20 }, () => 'closed'));
    const { open: n, segments } = readRoot(root.doc)!;
    expect([n, segments.get(2)]).toEqual([2, 501]);
    const next = await open(ana, `${conversationId}/2`);
    expect(readSegmentMeta(next.doc)).toEqual({ n: 2, firstSeq: 501 });
    next.change(say(world, ana, 'onwards'));
    await settled();
    expect(readMessages(next.doc).map(({ seq, body }) => [seq, body])).toEqual([[501, 'onwards']]);
    expect([...row().messages.values()].map(({ seq }) => seq).sort((x, y) => x - y)).toEqual(Array.from({ length: 501 }, (_, i) => i + 1));
    await clock.advance(60_000);
    expect(row().documents.get(1)!.rows).toHaveLength(1);
  });

  test('[D4] an edit goes where the message lives, also when that segment is closed', async () => {
    const world = await startTestNode();
    const { open, ana, conversationId, row, messageId } = world;
    const a = await open(ana, `${conversationId}/1`);
    const id = messageId();
    a.change((doc) => addMessage(doc, ana, id, ['old', null, null]));
    for (let i = 0; i < 499; i++) {
      a.change(say(world, ana, `${i}`));
      if (i % 50 === 0) await settled();
    }
    await settled();
    expect(row().documents.get(1)!.state.closed).toBe(true);
    a.change((doc) => doc.getMap(laneName(ana)).set(id, ['new', null, 1]));
    await settled();
    expect([row().messages.get(id)?.body, a.told]).toEqual(['new', []]);
  });

  test('[D4] [D8] a private document that is full opens the next one with its living values', async () => {
    const world = await startTestNode();
    const { open, ana, row } = world;
    const first = await open(ana, `user:${ana}/1`);
    first.change((doc) => doc.getMap(laneName(ana)).set('stheme', 'dark'));
    const draft = 'x'.repeat(8_000);
    for (let i = 0; i < 40; i++) {
      first.change((doc) => doc.getMap(laneName(ana)).set(`d${world.conversationId}`, `${i}${draft}`.slice(0, 8_000)));
      await settled();
    }
    expect(row(ana).state.open).toBe(2);
    const second = await open(ana, `user:${ana}/2`);
    expect(second.doc.getMap(laneName(ana)).get('stheme')).toBe('dark');
    expect(first.told.map(({ code }) => code)).toContain('closed');
    // Whoever has the old one open hears of it there, and so does who opens it later.
    const late = await open(ana, `user:${ana}/1`);
    expect([first, second, late].map(({ doc }) => readNext(doc))).toEqual([2, null, 2]);
    const { state, rows } = row(ana).documents.get(1)!;
    const stored = new Y.Doc();
    for (const { update } of rows) Y.applyUpdate(stored, update);
    expect([Y.getState(stored.store, state.logClient), Y.encodeStateVector(late.doc)]).toEqual([
      state.logClock,
      Y.encodeStateVector(stored),
    ]);
  });
});

describe('compaction', () => {
  test('[L13] a burst of deletions in many conversations is gone within 60 s', async () => {
    const { open, ana, ben, node, store, clock, messageId } = await startTestNode();
    const ids: string[] = [];
    for (let i = 0; i < 100; i++) {
      const { conversationId } = await node.messaging.openGroup(ana, `${i}`, [ben]);
      const a = await open(ana, `${conversationId}/1`);
      const id = messageId();
      a.change((doc) => addMessage(doc, ana, id, ['secret', null, null]));
      a.change((doc) => deleteMessage(doc, ana, id));
      a.session.closed();
      ids.push(conversationId);
    }
    await clock.advance(60_000);
    expect(ids.filter((id) => store.conversations.get(id)!.documents.get(1)!.rows.length > 1)).toEqual([]);
    expect(ids.filter((id) => store.conversations.get(id)!.documents.get(1)!.compactDueAt !== null)).toEqual([]);
  });

  test('[L13] deleted text is gone within 60 s also where compacting has failed at first, for whatever reason', async () => {
    const { open, ana, conversationId, row, clock, faults, messageId } = await startTestNode();
    const a = await open(ana, `${conversationId}/1`);
    const id = messageId();
    a.change((doc) => addMessage(doc, ana, id, ['secret', null, null]));
    a.change((doc) => deleteMessage(doc, ana, id));
    await settled();
    // Until it is due nothing else is written here.
    faults.push({ moment: 'written', error: new Error('a deadlock') });
    await clock.advance(60_000);
    const { rows, compactDueAt } = row().documents.get(1)!;
    expect([faults, rows.length, compactDueAt]).toEqual([[], 1, null]);
  });

  test('[D8] [L13] a private document whose living values fill it does not roll over with every write', async () => {
    const { open, ana, row, clock, messageId } = await startTestNode();
    const a = await open(ana, `user:${ana}/1`);
    for (let i = 0; i < 50; i++) {
      const other = `00000000-0000-7000-8000-0000000000${(10 + i).toString(16)}`;
      a.change((doc) => doc.getMap(laneName(ana)).set(`d${other}`, 'x'.repeat(7_900) + messageId()));
      await settled();
    }
    expect([row(ana).state.open, a.told]).toEqual([1, []]);
    await clock.advance(60_000);
    expect(row(ana).documents.get(1)!.rows).toHaveLength(1);
  });

  test('[L13] [D7] deleted text is gone from every row within 60 s, and every replica still agrees', async () => {
    const world = await startTestNode();
    const { open, ana, ben, conversationId, row, clock, messageId } = world;
    const [a, b] = [await open(ana, `${conversationId}/1`), await open(ben, `${conversationId}/1`)];
    const id = messageId();
    a.change((doc) => addMessage(doc, ana, id, ['the secret word', null, null]));
    await settled();
    a.change((doc) => deleteMessage(doc, ana, id));
    await clock.advance(60_000);
    const stored = row()
      .documents.get(1)!
      .rows.map(({ update }) => Buffer.from(update).toString('latin1'));
    expect(stored.join()).not.toContain('secret');
    expect(row().messages.get(id)?.body).toBeNull();
    expect([readMessages(a.doc), readMessages(b.doc)].map(([message]) => message?.body)).toEqual([null, null]);
    const late = await open(ben, `${conversationId}/1`);
    expect(Y.encodeStateVector(late.doc)).toEqual(Y.encodeStateVector(b.doc));
  });
});

function varBytes(bytes: Uint8Array): number[] {
  const length = [];
  let rest = bytes.length;
  for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest % 128) | 128);
  return [...length, rest, ...bytes];
}
