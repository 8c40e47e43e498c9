import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { readRoot } from '../../../shared/conversation.ts';
import { type Uuid, makeUuid } from '../../../shared/ids.ts';
import { LIMITS } from '../../../shared/limits.ts';
import { addMessage, deleteMessage, editMessage, laneName, react, readLog, readMessages } from '../../../shared/segment.ts';
import { CommitUnknown } from '../ports.ts';
import { makeCarrier } from '../testing/carrier.ts';
import { settled } from '../testing/manual-clock.ts';
import type { Peer } from '../testing/peer.ts';
import { type TestNode, startTestNode } from '../testing/test-node.ts';

const say = (world: TestNode, userId: Uuid, text: string) => (doc: Y.Doc) => addMessage(doc, userId, world.messageId(), [text, null, null]);
const bodies = (peer: Peer): (string | null)[] => readMessages(peer.doc).map(({ body }) => body);

/** Ana's group with Ben and Carl, who know her. */
async function group(options: { history?: 'all' | 'joined' } = {}) {
  const world = await startTestNode();
  const { node, ana, ben, clock } = world;
  const carl = makeUuid(clock.now(), (size) => new Uint8Array(size).fill(3));
  const direct = await node.messaging.openDirect(ana, carl);
  await node.messaging.members.accept(carl, direct.conversationId);
  const { conversationId: id } = await node.messaging.openGroup(ana, 'Trip', [ben], options);
  const { members } = node.messaging;
  return { ...world, carl, id, members };
}

describe('[G2] changes of members', () => {
  test('who is removed is let go at once, from every document and node, and what they send later is written nowhere', async () => {
    const world = await group();
    const { open, ana, ben, id, members, row, anotherNode } = world;
    const other = await anotherNode();
    const peers = [
      await open(ben, id),
      await open(ben, `${id}/1`),
      await open(ben, id, { on: other }),
      await open(ben, `${id}/1`, { on: other }),
    ];
    const a = await open(ana, `${id}/1`);
    expect(await members.remove(ana, id, ben)).toBe('done');
    await settled();
    expect(peers.map(({ closed }) => closed?.code)).toEqual([4403, 4403, 4403, 4403]);
    a.change(say(world, ana, 'among ourselves'));
    peers[1]!.change(say(world, ben, 'let me in'));
    await settled();
    expect([row(id).messages.size, readLog(peers[1]!.doc), a.closed]).toEqual([1, [], null]);
    expect((await open(ben, `${id}/1`)).closed?.code).toBe(4403);
  });

  test('a frame that waits when its writer is removed is written nowhere', async () => {
    const world = await group();
    const { open, ana, ben, id, members, row } = world;
    const b = await open(ben, `${id}/1`);
    const removed = members.remove(ana, id, ben);
    b.change(say(world, ben, 'last words'));
    await removed;
    await settled();
    // Whichever came first under the lock: either it was said before the removal, or not at all.
    expect(row(id).messages.size).toBeLessThanOrEqual(1);
    expect(b.closed?.code).toBe(4403);
    const said = row(id).messages.size;
    b.change(say(world, ben, 'more'));
    await settled();
    expect(row(id).messages.size).toBe(said);
  });

  test('who is removed while a document opens for them does not get in', async () => {
    const { open, ben, ana, id, members } = await group();
    const opening = open(ben, `${id}/1`);
    await members.remove(ana, id, ben);
    expect((await opening).closed?.code).toBe(4403);
  });

  test('who is added gets in though a room is open that has not heard of it', async () => {
    const { open, ana, carl, id, members, store, node } = await group();
    await open(ana, `${id}/1`);
    const deaf = [...store.listeners];
    store.listeners.clear();
    await members.put(ana, id, { userId: carl, role: undefined });
    const c = await open(carl, `${id}/1`);
    expect(c.closed).toBeNull();
    for (const listener of deaf) store.listeners.add(listener);
    expect(node.counts().sessions).toBe(2);
  });

  test('a lost hint costs a few seconds, no more', async () => {
    const { open, ana, ben, id, members, store, clock } = await group();
    const b = await open(ben, `${id}/1`);
    store.listeners.clear();
    await members.remove(ana, id, ben);
    await settled();
    expect(b.closed).toBeNull();
    await clock.advance(6_000);
    expect(b.closed?.code).toBe(4403);
  });

  test('root and table say the same, whoever changes what', async () => {
    const { open, ana, ben, carl, id, members, row } = await group();
    const root = await open(ana, id);
    await members.put(ana, id, { userId: carl, role: 'admin' });
    await members.describe(carl, id, { title: 'Journey', history: 'joined' });
    await members.put(ana, id, { userId: ben, role: 'owner' });
    await settled();
    const { title, history, members: shown } = readRoot(root.doc)!;
    expect([title, history]).toEqual(['Journey', 'joined']);
    expect(new Map([...shown].map(([userId, { role }]) => [userId, role]))).toEqual(
      new Map([
        [ana, 'admin'],
        [ben, 'owner'],
        [carl, 'admin'],
      ]),
    );
    expect(new Map([...row(id).members].map(([userId, { role }]) => [userId, role]))).toEqual(
      new Map([...shown].map(([userId, { role }]) => [userId, role])),
    );
    await members.remove(carl, id, carl);
    await settled();
    expect(readRoot(root.doc)!.members.has(carl)).toBe(false);
  });

  test('a change whose commit nobody knows of may be asked for again', async () => {
    const { ana, carl, id, members, faults, row } = await group();
    faults.push({ moment: 'committed', error: new CommitUnknown('cut') });
    await expect(members.put(ana, id, { userId: carl, role: undefined })).rejects.toThrow(CommitUnknown);
    expect(await members.put(ana, id, { userId: carl, role: undefined })).toBe('done');
    expect([...row(id).members.keys()].filter((userId) => userId === carl)).toHaveLength(1);
  });

  test('a direct conversation has no such changes', async () => {
    const { ana, ben, carl, conversationId, members } = await group();
    expect(await members.put(ana, conversationId, { userId: carl, role: undefined })).toBe('forbidden');
    expect(await members.remove(ana, conversationId, ben)).toBe('forbidden');
    expect(await members.remove(ana, conversationId, ana)).toBe('forbidden');
    expect(await members.describe(ana, conversationId, { title: 'x' })).toBe('forbidden');
    expect(await members.describe(carl, conversationId, { title: 'x' })).toBe('not-found');
  });

  test('[D4] where newcomers read from then on a new segment begins with them, and the old ones do not open for them', async () => {
    const world = await group({ history: 'joined' });
    const { open, ana, ben, carl, id, members, row } = world;
    const a = await open(ana, `${id}/1`);
    a.change(say(world, ana, 'before'));
    await settled();
    expect(await members.put(ana, id, { userId: carl, role: undefined })).toBe('done');
    await settled();
    expect(row(id).state.open).toBe(2);
    expect((await open(carl, `${id}/1`)).closed?.code).toBe(4404);
    const [root, c] = [await open(carl, id), await open(carl, `${id}/2`)];
    expect(readRoot(root.doc)!.members.get(carl)).toEqual({ role: 'member', since: 1, from: 1 });
    c.change(say(world, carl, 'hello'));
    a.change(say(world, ana, 'too late for this segment'));
    await settled();
    expect([bodies(c), a.told.map(({ code }) => code)]).toEqual([['hello'], ['closed']]);
    expect([...row(id).messages.values()].map(({ seq, n }) => [seq, n])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(bodies(await open(ben, `${id}/1`))).toEqual(['before']);
  });

  test('[D4] who went and came back in a moment watches no old segment any more', async () => {
    const world = await group({ history: 'joined' });
    const { open, ben, clock, id, row } = world;
    const old = await open(ben, `${id}/1`);
    const root = await open(ben, id);
    // No hint came; what is found is who they are now.
    row(id).members.set(ben, { ...row(id).members.get(ben)!, from: 1 });
    row(id).state = { ...row(id).state, membersVersion: row(id).state.membersVersion + 1 };
    await clock.advance(5_000);
    await settled();
    expect([old.closed?.code, root.closed]).toEqual([4404, null]);
  });

  test('with the whole history newcomers read everything', async () => {
    const world = await group();
    const { open, ana, carl, id, members, row } = world;
    (await open(ana, `${id}/1`)).change(say(world, ana, 'before'));
    await settled();
    await members.put(ana, id, { userId: carl, role: undefined });
    expect(bodies(await open(carl, `${id}/1`))).toEqual(['before']);
    expect(row(id).state.open).toBe(1);
  });

  test('[I3] lists follow: who comes is told, who goes as well', async () => {
    const { node, ana, carl, id, members, clock } = await group();
    const inbox = makeCarrier(node, carl);
    inbox.say({ hello: { version: 1, cursor: null } });
    await clock.advance(100);
    const told = (what: 'changed' | 'gone') =>
      inbox.inbox().flatMap((answer) => ('changed' in answer ? (what === 'gone' ? answer.gone : answer.changed.map((row) => row.id)) : []));
    expect(told('changed')).not.toContain(id);
    await members.put(ana, id, { userId: carl, role: undefined });
    await clock.advance(100);
    expect(told('changed')).toContain(id);
    await members.remove(ana, id, carl);
    await clock.advance(100);
    expect(told('gone')).toContain(id);
  });
});

describe('[G1] blocks', () => {
  test('nothing new is written between the two, also what was written offline before; what was there can be edited and deleted', async () => {
    const world = await startTestNode();
    const { open, node, ana, ben, conversationId, messageId, row } = world;
    const [a, b] = [await open(ana, `${conversationId}/1`), await open(ben, `${conversationId}/1`)];
    const [first, second] = [messageId(), messageId()];
    a.change((doc) => addMessage(doc, ana, first, ['first', null, null]));
    a.change((doc) => addMessage(doc, ana, second, ['second', null, null]));
    await settled();
    await node.messaging.setBlocked(ben, ana, true);
    a.change(say(world, ana, 'written offline'));
    b.change(say(world, ben, 'and you'));
    a.change((doc) => react(doc, ana, first, ['👍']));
    a.change((doc) => editMessage(doc, ana, first, 'first, better', 1));
    a.change((doc) => deleteMessage(doc, ana, second));
    await settled();
    expect([a.told, b.told].map((told) => told.map(({ code }) => code))).toEqual([['blocked', 'blocked'], ['blocked']]);
    expect([...row().messages.values()].map(({ body }) => body)).toEqual(['first, better', null]);
    const stored = row()
      .documents.get(1)!
      .rows.map(({ update }) => Buffer.from(update).toString('latin1'))
      .join();
    expect(stored).not.toMatch(/written offline|and you/);
    expect([a.closed, b.closed]).toEqual([null, null]);
    expect(await node.messaging.send(ana, conversationId, messageId(), ['over HTTP', null, null])).toEqual({
      kind: 'neutralised',
      code: 'blocked',
    });
    await node.messaging.setBlocked(ben, ana, false);
    await settled();
    a.change(say(world, ana, 'friends again'));
    await settled();
    expect([...row().messages.values()].at(-1)?.body).toBe('friends again');
  });

  test('[G1] in a group messages stay', async () => {
    const world = await group();
    const { open, node, ana, ben, id, row } = world;
    await node.messaging.setBlocked(ben, ana, true);
    (await open(ana, `${id}/1`)).change(say(world, ana, 'to all'));
    await settled();
    expect([...row(id).messages.values()].map(({ body }) => body)).toEqual(['to all']);
  });

  test.each(['direct', 'group'] as const)('[P6] presence and positions go, both ways, in a %s conversation', async (kind) => {
    const world = await group();
    const { open, node, ana, ben, clock } = world;
    const id = kind === 'direct' ? world.conversationId : world.id;
    const [a, b] = [await open(ana, id), await open(ben, id)];
    a.sayHere(5, { typing: true });
    b.sayHere(7, { typing: true });
    await clock.advance(200);
    expect([a.states.has(7), b.states.has(5)]).toEqual([true, true]);
    await node.messaging.setBlocked(ben, ana, true);
    await clock.advance(200);
    expect([a.states.has(7), b.states.has(5)]).toEqual([false, false]);
    a.sayHere(5, { typing: false }, 2);
    b.sayHere(7, { typing: false }, 2);
    await clock.advance(200);
    expect([a.states.has(7), b.states.has(5)]).toEqual([false, false]);
    const seenBy = (peer: Peer): string[] => [...peer.states.values()].flatMap(({ state }) => Object.keys(state.away ?? {}));
    expect([seenBy(a), seenBy(b)]).toEqual([[ana], [ben]]);
    await node.messaging.setBlocked(ben, ana, false);
    await clock.advance(200);
    expect([a.states.has(7), b.states.has(5)]).toEqual([true, true]);
    expect(seenBy(a).toSorted()).toEqual([ana, ben].toSorted());
  });
});

describe('[P6] who is kept from whom in a group', () => {
  test('a third sees both of two who are kept apart; who has not accepted sees nobody, and nobody sees them', async () => {
    const { open, node, ana, ben, carl, id, members, clock } = await group();
    const dora = makeUuid(clock.now(), (size) => new Uint8Array(size).fill(4));
    await members.put(ana, id, { userId: carl, role: undefined });
    await members.put(ana, id, { userId: dora, role: undefined });
    await node.messaging.setBlocked(ana, ben, true);
    const people = [ana, ben, carl, dora];
    const peers = await Promise.all(people.map((userId) => open(userId, id)));
    for (const [i, peer] of peers.entries()) peer.sayHere(i + 1, { typing: true });
    await clock.advance(200);
    const seen = (): string[] => peers.map(({ states }) => [1, 2, 3, 4].filter((client) => states.has(client)).join(''));
    const positions = (): number[] =>
      peers.map(({ states }) => [...states.values()].flatMap(({ state }) => Object.keys(state.away ?? {})).length);
    expect([seen(), positions()]).toEqual([
      ['3', '3', '12', ''],
      [2, 2, 3, 1],
    ]);
    await members.accept(dora, id);
    await clock.advance(200);
    expect([seen(), positions()]).toEqual([
      ['34', '34', '124', '123'],
      [3, 3, 4, 4],
    ]);
    peers[3]!.session.closed();
    await clock.advance(200);
    expect(seen().slice(0, 3)).toEqual(['3', '3', '12']);
  });
});

describe('[G3] requests', () => {
  const mayAsk = async ({ messaging }: TestNode['node'], userId: Uuid, others: readonly Uuid[]): Promise<boolean> =>
    (await messaging.ask(userId, others, async () => true)) ?? false;

  /** Dora, whom nobody knows, has written to Ana. */
  async function request() {
    const world = await startTestNode();
    const { node, ana, clock } = world;
    const dora = makeUuid(clock.now(), (size) => new Uint8Array(size).fill(4));
    const { conversationId: id } = await node.messaging.openDirect(dora, ana);
    await node.messaging.send(dora, id, world.messageId(), ['hello', null, null]);
    const [d, a] = [await world.open(dora, id), await world.open(ana, id)];
    d.sayHere(4, { typing: true });
    a.sayHere(5, { typing: true, read: 1 });
    await clock.advance(200);
    return { ...world, dora, id, d, a };
  }
  const knows = (peer: Peer, userId: Uuid): boolean =>
    [...peer.states.values()].some(({ state }) => JSON.stringify(state).includes(userId));

  test('[P6] until it is accepted the stranger learns neither presence nor positions', async () => {
    const { node, ana, id, d, a, dora, clock, row } = await request();
    expect([knows(d, ana), knows(a, dora)]).toEqual([false, false]);
    expect(row(id).members.get(ana)!.read).toBe(1);
    expect(await node.messaging.members.accept(ana, id)).toBe('done');
    await clock.advance(200);
    expect([knows(d, ana), knows(a, dora)]).toEqual([true, true]);
    expect(await node.messaging.members.accept(ana, id)).toBe('done');
  });

  test('writing back accepts it', async () => {
    const { open, ana, id, d, clock, row, messageId } = await request();
    (await open(ana, `${id}/1`)).change((doc) => addMessage(doc, ana, messageId(), ['who are you?', null, null]));
    await clock.advance(200);
    expect(row(id).members.get(ana)!.asked).toBeUndefined();
    expect(knows(d, ana)).toBe(true);
  });

  test('who shares an accepted conversation with somebody, or was written to first, is no stranger', async () => {
    const { node, ana, ben, dora, id, row } = await request();
    await node.messaging.members.accept(ana, id);
    const { conversationId: group } = await node.messaging.openGroup(ana, 'Trip', [ben, dora]);
    expect([...row(group).members.values()].filter(({ asked }) => asked)).toEqual([]);
    const { conversationId: direct } = await node.messaging.openDirect(dora, ben);
    expect(row(direct).members.get(ben)!.asked).toBeUndefined();
  });

  test('a day’s requests are limited while nobody accepts', async () => {
    const { node, dora, ana, id, clock } = await request();
    const people = Array.from({ length: LIMITS.requestsPerDay }, (_, i) =>
      makeUuid(clock.now(), (size) => new Uint8Array(size).fill(9 + i)),
    );
    for (const other of people.slice(1)) {
      expect(await mayAsk(node, dora, [other])).toBe(true);
      await node.messaging.openDirect(dora, other);
    }
    expect(await mayAsk(node, dora, [people[0]!])).toBe(false);
    expect(await mayAsk(node, ana, [people[0]!])).toBe(true);
    await node.messaging.members.accept(ana, id);
    expect(await mayAsk(node, dora, [people[0]!])).toBe(true);
    expect(await mayAsk(node, dora, people.slice(0, 1).concat(ana))).toBe(true);
    await node.messaging.openDirect(dora, people[0]!);
    expect(await mayAsk(node, dora, [makeUuid(1, (size) => new Uint8Array(size))])).toBe(false);
    await clock.advance(25 * 3_600_000);
    expect(await mayAsk(node, dora, [makeUuid(1, (size) => new Uint8Array(size))])).toBe(true);
  });
});

describe('[G3] requests to people who do not want them', () => {
  async function strangers() {
    const world = await startTestNode();
    const { node, clock } = world;
    const person = (n: number) => makeUuid(clock.now(), (size) => new Uint8Array(size).fill(n));
    const dora = person(4);
    const group = (others: Uuid[]) => node.messaging.ask(dora, others, () => node.messaging.openGroup(dora, 'Read this', others));
    return { ...world, dora, person, group };
  }

  test('many at once count like one after the other', async () => {
    const { group, person } = await strangers();
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => group([person(10 + i)])));
    expect(answers.filter((answer) => answer !== null)).toHaveLength(LIMITS.requestsPerDay);
  });

  test('one and the same person is asked three times in a day, however many groups there are', async () => {
    const { group, person, clock } = await strangers();
    const erin = person(5);
    const answers = [];
    for (let i = 0; i < 6; i++) answers.push(await group([erin]));
    expect(answers.filter((answer) => answer !== null)).toHaveLength(LIMITS.requestsToOne);
    expect(await group([erin, person(6)])).toBeNull();
    expect(await group([person(6)])).not.toBeNull();
    await clock.advance(25 * 3_600_000);
    expect(await group([erin])).not.toBeNull();
  });

  test('who has left is not brought back that day, into whatever group', async () => {
    const { group, person, node, dora } = await strangers();
    const [erin, finn] = [person(5), person(6)];
    const { conversationId } = (await group([erin, finn]))!;
    await node.messaging.members.remove(erin, conversationId, erin);
    expect(await group([erin])).toBeNull();
    const back = () => node.messaging.members.put(dora, conversationId, { userId: erin, role: undefined });
    expect(await node.messaging.ask(dora, [erin], back)).toBeNull();
    expect(await group([finn])).not.toBeNull();
  });

  test('a task that fails holds nobody up', async () => {
    const { group, person, node, dora } = await strangers();
    const failing = node.messaging.ask(dora, [person(5)], () => Promise.reject(new Error('cut')));
    const next = group([person(6)]);
    await expect(failing).rejects.toThrow('cut');
    expect(await next).not.toBeNull();
  });
});

describe('[G5] a deleted account', () => {
  async function leaving(removes: boolean) {
    const world = await group();
    const { open, ana, ben, id, conversationId, messageId, store } = world;
    const [a, b] = [await open(ana, `${id}/1`), await open(ben, `${id}/1`)];
    const bens = messageId();
    a.change(say(world, ana, 'farewell'));
    b.change((doc) => addMessage(doc, ben, bens, ['stay', null, null]));
    await settled();
    a.change((doc) => react(doc, ana, bens, ['👍']));
    (await open(ana, `${conversationId}/1`)).change(say(world, ana, 'between us'));
    await settled();
    store.gone.add(ana);
    store.departures.set(ana, { removes });
    return { ...world, b, bens };
  }
  const stored = ({ store }: TestNode): string =>
    [...store.conversations.values()]
      .flatMap(({ documents }) => [...documents.values()].flatMap(({ rows }) => rows))
      .map(({ update }) => Buffer.from(update).toString('latin1'))
      .join();

  test('leaves its groups, passes them on, and takes no messages any more; its own stay', async () => {
    const world = await leaving(false);
    const { node, ana, ben, id, conversationId, row, clock, store, messageId } = world;
    node.messaging.depart(ana);
    await clock.advance(1_000);
    expect([...row(id).members.values()].map(({ userId, role }) => [userId, role])).toEqual([[ben, 'owner']]);
    expect([...row().members.keys()].toSorted()).toEqual([ana, ben].toSorted());
    expect([...row(id).messages.values()].map(({ body }) => body)).toEqual(['farewell', 'stay']);
    expect(await node.messaging.send(ben, conversationId, messageId(), ['?', null, null])).toEqual({
      kind: 'neutralised',
      code: 'blocked',
    });
    expect(store.departures.size).toBe(0);
  });

  test('where the operator says so its words and reactions go, from documents, replicas and rows; others’ stay', async () => {
    const world = await leaving(true);
    const { node, ana, ben, id, row, clock, b, bens, open, conversationId } = world;
    node.messaging.depart(ana);
    await clock.advance(60_000);
    expect(stored(world)).not.toMatch(/farewell|between us|👍/);
    expect(stored(world)).toContain('stay');
    expect([...row(id).messages.values()].map(({ body }) => body)).toEqual([null, 'stay']);
    expect([...row().messages.values()].map(({ body }) => body)).toEqual([null]);
    expect(row(id).messages.get(bens)!.reactions.size).toBe(0);
    expect(bodies(b)).toEqual([null, 'stay']);
    expect(bodies(await open(ben, `${conversationId}/1`))).toEqual([null]);
    expect([...b.doc.getMap(laneName(ana)).keys()]).toEqual([]);
  });

  test('a job that is broken off goes on, on whichever node', async () => {
    const world = await leaving(true);
    const { node, ana, clock, faults, store, anotherNode, id, row } = world;
    for (const moment of ['written', 'written', 'committed', 'written'] as const) faults.push({ moment, error: new CommitUnknown('cut') });
    node.messaging.depart(ana);
    await clock.advance(2_000);
    expect(store.departures.size).toBe(1);
    await node.stop();
    await anotherNode();
    await clock.advance(120_000);
    expect(store.departures.size).toBe(0);
    expect(stored(world)).not.toMatch(/farewell|between us/);
    expect(row(id).members.has(ana)).toBe(false);
  });
});
