import { afterEach, describe, expect, test } from 'vitest';
import { systemRandom } from '../../shared/clock.ts';
import { makeMessageId, makeUuid } from '../../shared/ids.ts';
import { CLOSE } from '../../shared/close-codes.ts';
import { LIMITS } from '../../shared/limits.ts';
import { type ConversationReplica, openConversationReplica } from './conversation-replica.ts';
import { openKey } from './outbox/entry.ts';
import { makeMemoryOutboxStore } from './outbox/outbox-store.ts';
import { NO_SIBLINGS, type Outbox, openOutbox } from './outbox/outbox.ts';
import type { OpenProvider } from './provider.ts';
import { NO_CACHE } from './storage/replica-cache.ts';
import { makeTestClock, makeTestServer } from './test-server.ts';

const [ana, ben, id] = [1, 2, 3].map((n) => makeUuid(n, systemRandom)) as [string, string, string];
const messageId = (): string => makeMessageId(1_000_000, systemRandom);
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

function setUp(wrap: (open: OpenProvider) => OpenProvider = (open) => open, moves = (): boolean => true) {
  const server = makeTestServer(id, [ana, ben]);
  const clock = makeTestClock();
  const makeOutbox = (): Outbox => openOutbox({ store: makeMemoryOutboxStore(), siblings: NO_SIBLINGS, clock });
  const outbox = makeOutbox();
  const open = (me: string): ConversationReplica => {
    const replica = openConversationReplica(id, {
      me,
      openProvider: wrap(server.openProvider(me)),
      outbox: me === ana ? outbox : makeOutbox(),
      cache: NO_CACHE,
      moves,
      clock,
      random: systemRandom,
    });
    closers.push(replica.close);
    const send = (text: string): void => {
      clock.pass(1);
      replica.send(text);
    };
    return { ...replica, send };
  };
  return { server, outbox, clock, open };
}
const bodies = (replica: ConversationReplica): (string | null)[] => replica.messages().map(({ body }) => body);
const waiting = (replica: ConversationReplica): string[] => replica.pending().map(({ value }) => value[0]);

test('a conversation that the server did not know begins anew once it was opened there', async () => {
  let hasEnded = false;
  const { server, outbox, open } = setUp((openProvider) => (documentId, doc, on) => {
    const provider = openProvider(documentId, doc, on);
    if (!hasEnded) queueMicrotask(() => on.ended(CLOSE.notFound.code, ''));
    hasEnded = true;
    return provider;
  });
  const mine = open(ana);
  mine.send('kept before');
  await expect.poll(() => mine.status().kind).toBe('ended');
  outbox.open(id, ben);
  expect(mine.status().kind).toBe('connecting');
  outbox.done([outbox.get(openKey(id))!]);
  await server.flush();
  expect([mine.status().kind, bodies(mine)]).toEqual(['live', ['kept before']]);
});

test('[C11.1] what waits leaves from the tab that takes over, though nothing else happens there', async () => {
  let isMover = false;
  const { server, open } = setUp(undefined, () => isMover);
  const mine = open(ana);
  await server.flush();
  mine.send('waits for somebody');
  await server.flush();
  isMover = true;
  await server.flush();
  expect([waiting(mine), bodies(mine)]).toEqual([['waits for somebody'], []]);
  mine.move();
  await server.flush();
  expect([waiting(mine), bodies(mine)]).toEqual([[], ['waits for somebody']]);
});

test('[G2] who is taken out is told of what waits, and sends it when they are back', async () => {
  let end = (_code: number): void => {};
  const { server, open } = setUp((openProvider) => (documentId, doc, on) => {
    if (documentId === id) end = (code) => on.ended(code, '');
    return openProvider(documentId, doc, on);
  });
  const mine = open(ana);
  await server.flush();
  mine.send('one');
  await server.flush();
  end(CLOSE.notMember.code);
  mine.send('two');
  expect(mine.pending().map(({ value, state }) => [value[0], state])).toEqual([['two', { kind: 'failed', code: 'refused' }]]);
  expect(bodies(mine)).toEqual(['one']);
  mine.beginAnew();
  mine.retry(mine.pending()[0]!.messageId);
  await server.flush();
  expect([mine.status().kind, waiting(mine), bodies(mine)]).toEqual(['live', [], ['one', 'two']]);
});

describe('a conversation', () => {
  test('[D5] what one writes arrives with its seq at both, and is pending no more', async () => {
    const { server, open } = setUp();
    const mine = open(ana);
    const theirs = open(ben);
    await server.flush();
    mine.send('one');
    expect(waiting(mine)).toEqual(['one']);
    expect(bodies(mine)).toEqual([]);
    await server.flush();
    expect(waiting(mine)).toEqual([]);
    expect(theirs.messages().map(({ body, seq, authorId }) => [body, seq, authorId])).toEqual([['one', 1, ana]]);
    expect(bodies(mine)).toEqual(['one']);
  });

  test('nothing is set before root and segment are synced; then it leaves in the order written, once', async () => {
    const { server, open } = setUp();
    const mine = open(ana);
    ['a', 'b', 'c'].forEach(mine.send);
    expect(server.sent).toEqual([]);
    await server.flush();
    expect(bodies(mine)).toEqual(['a', 'b', 'c']);
    expect(server.log(1)).toHaveLength(3);
  });

  test('a cut between sending and ack neither loses nor doubles, and new mail goes before what waits (C3.3)', async () => {
    const { server, open } = setUp();
    const mine = open(ana);
    await server.flush();
    mine.send('lost on the way');
    await server.step();
    expect(server.log(1)).toHaveLength(1);
    server.cut();
    mine.send('written offline');
    server.write(1, ben, messageId(), 'meanwhile');
    expect(mine.status().kind).toBe('connecting');
    server.heal();
    await server.flush();
    expect(bodies(mine)).toEqual(['lost on the way', 'meanwhile', 'written offline']);
    expect(waiting(mine)).toEqual([]);
  });

  test('[A6] what a closed segment did not take is set again in the next one', async () => {
    const { server, open } = setUp();
    const mine = open(ana);
    await server.flush();
    server.judgeBy((_, n) => (n === 1 ? 'closed' : null));
    mine.send('over the edge');
    await server.flush();
    expect(waiting(mine)).toEqual(['over the edge']);
    const framesBefore = server.sent.length;
    await server.flush();
    expect(server.sent).toHaveLength(framesBefore);
    server.rollOver(2, 501);
    await server.flush();
    expect(waiting(mine)).toEqual([]);
    expect(mine.messages().map(({ seq, body }) => [seq, body])).toEqual([[501, 'over the edge']]);
    expect(server.log(1)).toEqual([]);
  });

  test('[A6] a lost word of neutralising: committed and not in the log is set again', async () => {
    const { server, open } = setUp();
    const mine = open(ana);
    await server.flush();
    let refusals = 1;
    server.judgeBy(() => (refusals-- > 0 ? 'blocked' : null), false);
    mine.send('again');
    await server.flush();
    expect(bodies(mine)).toEqual(['again']);
    expect(server.sent).toHaveLength(2);
  });

  test('[A6] blocked is failed with its code, keeps the text, and may be tried again under the same id', async () => {
    const { server, open } = setUp();
    const mine = open(ana);
    await server.flush();
    server.judgeBy(() => 'blocked');
    mine.send('dear');
    await server.flush();
    const [failed] = mine.pending();
    expect(failed).toMatchObject({ state: { kind: 'failed', code: 'blocked' }, value: ['dear', null, null] });
    server.judgeBy(() => null);
    mine.retry(failed!.messageId);
    await server.flush();
    expect(mine.messages()).toMatchObject([{ id: failed!.messageId, body: 'dear' }]);
    expect(waiting(mine)).toEqual([]);
  });

  test('[A6] duplicate is done; it stays on the screen while the log that has it may yet come', async () => {
    const { server, outbox, clock, open } = setUp();
    const mine = open(ana);
    await server.flush();
    server.judgeBy(() => 'duplicate');
    mine.send('again');
    await server.flush();
    expect([outbox.entries(), waiting(mine)]).toEqual([[], ['again']]);
    clock.pass(60_000);
    expect(waiting(mine)).toEqual([]);
  });

  test('[W6] however much waits, no frame outgrows an update', async () => {
    const { server, open } = setUp();
    const mine = open(ana);
    await server.flush();
    server.cut();
    const texts = Array.from({ length: 100 }, (_, i) => `${i} `.padEnd(i % 9 === 0 ? LIMITS.body : 40, '語'));
    texts.forEach(mine.send);
    for (let round = 0; round < 3; round++) {
      server.heal();
      await server.flush();
      server.cut();
    }
    server.heal();
    await server.flush();
    expect(bodies(mine)).toEqual(texts);
    expect(Math.max(...server.sent.map(({ bytes }) => bytes))).toBeLessThan(LIMITS.update);
  });

  test('opens the segment before while the newest holds few, and older ones when asked', async () => {
    const { server, open } = setUp();
    server.write(1, ben, messageId(), 'first');
    server.rollOver(2, 2);
    server.write(2, ben, messageId(), 'second');
    server.rollOver(3, 3);
    server.write(3, ben, messageId(), 'third');
    const mine = open(ana);
    expect(mine.isLoaded()).toBe(false);
    await server.flush();
    expect(mine.isLoaded()).toBe(true);
    expect(bodies(mine)).toEqual(['second', 'third']);
    expect(mine.hasOlder()).toBe(true);
    mine.loadOlder();
    mine.loadOlder();
    await server.flush();
    expect(bodies(mine)).toEqual(['first', 'second', 'third']);
    expect(mine.hasOlder()).toBe(false);
    expect(server.opened()).toEqual([id, `${id}/3`, `${id}/2`, `${id}/1`]);
  });

  test('an ended root is the end, with its code', async () => {
    const server = makeTestServer(id, [ana]);
    const mine = openConversationReplica(id, {
      me: ana,
      outbox: openOutbox({ store: makeMemoryOutboxStore(), siblings: NO_SIBLINGS, clock: makeTestClock() }),
      cache: NO_CACHE,
      moves: () => true,
      clock: makeTestClock(),
      random: systemRandom,
      openProvider(documentId, doc, on) {
        queueMicrotask(() => on.ended(4403, 'removed'));
        return server.openProvider(ana)(documentId, doc, on);
      },
    });
    closers.push(mine.close);
    return expect.poll(mine.status).toEqual({ kind: 'ended', code: 4403, reason: 'removed' });
  });
});
