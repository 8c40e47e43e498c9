import { afterEach, describe, expect, test } from 'vitest';
import { systemRandom } from '../../shared/clock.ts';
import { makeMessageId, makeUuid } from '../../shared/ids.ts';
import { LIMITS } from '../../shared/limits.ts';
import { type ConversationReplica, openConversationReplica } from './conversation-replica.ts';
import { makePending } from './pending.ts';
import { makeTestClock, makeTestServer } from './test-server.ts';

const [ana, ben, id] = [1, 2, 3].map((n) => makeUuid(n, systemRandom)) as [string, string, string];
const messageId = (): string => makeMessageId(1_000_000, systemRandom);
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

function setUp() {
  const server = makeTestServer(id, [ana, ben]);
  const pending = makePending();
  const clock = makeTestClock();
  const open = (me: string): ConversationReplica => {
    const replica = openConversationReplica(id, {
      me,
      openProvider: server.openProvider(me),
      pending: me === ana ? pending : makePending(),
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
  return { server, pending, open };
}
const bodies = (replica: ConversationReplica): (string | null)[] => replica.messages().map(({ body }) => body);
const waiting = (replica: ConversationReplica): string[] => replica.pending().map(({ value }) => value[0]);

describe('a conversation', () => {
  test('[D5] what one writes arrives with its seq at both, and is pending no more', () => {
    const { server, open } = setUp();
    const mine = open(ana);
    const theirs = open(ben);
    server.flush();
    mine.send('one');
    expect(waiting(mine)).toEqual(['one']);
    expect(bodies(mine)).toEqual([]);
    server.flush();
    expect(waiting(mine)).toEqual([]);
    expect(theirs.messages().map(({ body, seq, authorId }) => [body, seq, authorId])).toEqual([['one', 1, ana]]);
    expect(bodies(mine)).toEqual(['one']);
  });

  test('nothing is set before root and segment are synced; then it leaves in the order written, once', () => {
    const { server, open } = setUp();
    const mine = open(ana);
    ['a', 'b', 'c'].forEach(mine.send);
    expect(server.sent).toEqual([]);
    server.flush();
    expect(bodies(mine)).toEqual(['a', 'b', 'c']);
    expect(server.log(1)).toHaveLength(3);
  });

  test('a cut between sending and ack neither loses nor doubles, and new mail goes before what waits (C3.3)', () => {
    const { server, open } = setUp();
    const mine = open(ana);
    server.flush();
    mine.send('lost on the way');
    server.cut();
    mine.send('written offline');
    server.write(1, ben, messageId(), 'meanwhile');
    expect(mine.status().kind).toBe('connecting');
    server.heal();
    server.flush();
    expect(bodies(mine)).toEqual(['meanwhile', 'lost on the way', 'written offline']);
    expect(waiting(mine)).toEqual([]);
  });

  test('[A6] what a closed segment did not take is set again in the next one', () => {
    const { server, open } = setUp();
    const mine = open(ana);
    server.flush();
    server.judgeBy((_, n) => (n === 1 ? 'closed' : null));
    mine.send('over the edge');
    server.flush();
    expect(waiting(mine)).toEqual(['over the edge']);
    const framesBefore = server.sent.length;
    server.flush();
    expect(server.sent).toHaveLength(framesBefore);
    server.rollOver(2, 501);
    server.flush();
    expect(waiting(mine)).toEqual([]);
    expect(mine.messages().map(({ seq, body }) => [seq, body])).toEqual([[501, 'over the edge']]);
    expect(server.log(1)).toEqual([]);
  });

  test('[A6] a lost word of neutralising: committed and not in the log is set again', () => {
    const { server, open } = setUp();
    const mine = open(ana);
    server.flush();
    let refusals = 1;
    server.judgeBy(() => (refusals-- > 0 ? 'blocked' : null), false);
    mine.send('again');
    server.flush();
    expect(bodies(mine)).toEqual(['again']);
    expect(server.sent).toHaveLength(2);
  });

  test('[A6] blocked is failed with its code, keeps the text, and may be tried again under the same id', () => {
    const { server, open, pending } = setUp();
    const mine = open(ana);
    server.flush();
    server.judgeBy(() => 'blocked');
    mine.send('dear');
    server.flush();
    const [failed] = pending.of(id);
    expect(failed).toMatchObject({ state: { kind: 'failed', code: 'blocked' }, value: ['dear', null, null] });
    server.judgeBy(() => null);
    mine.retry(failed!.id);
    server.flush();
    expect(mine.messages()).toMatchObject([{ id: failed!.id, body: 'dear' }]);
    expect(waiting(mine)).toEqual([]);
  });

  test('[A6] duplicate is done', () => {
    const { server, open } = setUp();
    const mine = open(ana);
    server.flush();
    server.judgeBy(() => 'duplicate');
    mine.send('again');
    server.flush();
    expect(waiting(mine)).toEqual([]);
  });

  test('[W6] however much waits, no frame outgrows an update', () => {
    const { server, open } = setUp();
    const mine = open(ana);
    server.flush();
    server.cut();
    const texts = Array.from({ length: 100 }, (_, i) => `${i} `.padEnd(i % 9 === 0 ? LIMITS.body : 40, '語'));
    texts.forEach(mine.send);
    for (let round = 0; round < 3; round++) {
      server.heal();
      server.flush();
      server.cut();
    }
    server.heal();
    server.flush();
    expect(bodies(mine)).toEqual(texts);
    expect(Math.max(...server.sent.map(({ bytes }) => bytes))).toBeLessThan(LIMITS.update);
  });

  test('opens the segment before while the newest holds few, and older ones when asked', () => {
    const { server, open } = setUp();
    server.write(1, ben, messageId(), 'first');
    server.rollOver(2, 2);
    server.write(2, ben, messageId(), 'second');
    server.rollOver(3, 3);
    server.write(3, ben, messageId(), 'third');
    const mine = open(ana);
    expect(mine.isLoaded()).toBe(false);
    server.flush();
    expect(mine.isLoaded()).toBe(true);
    expect(bodies(mine)).toEqual(['second', 'third']);
    expect(mine.hasOlder()).toBe(true);
    mine.loadOlder();
    mine.loadOlder();
    server.flush();
    expect(bodies(mine)).toEqual(['first', 'second', 'third']);
    expect(mine.hasOlder()).toBe(false);
    expect(server.opened()).toEqual([id, `${id}/3`, `${id}/2`, `${id}/1`]);
  });

  test('an ended root is the end, with its code', () => {
    const server = makeTestServer(id, [ana]);
    const mine = openConversationReplica(id, {
      me: ana,
      pending: makePending(),
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
