import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { conversationAnswer } from '../../shared/api.ts';
import { systemRandom } from '../../shared/clock.ts';
import { CLOSE } from '../../shared/close-codes.ts';
import { type MessageId, type Uuid, makeUuid } from '../../shared/ids.ts';
import { LIMITS } from '../../shared/limits.ts';
import { LOG, addMessage, editMessage, laneName, readUnlogged, removeMessage } from '../../shared/segment.ts';
import { newId } from './frames.ts';
import { type Person, register } from './person.ts';
import { type Replica, openReplica } from './replica.ts';
import { type Server, startServer } from './server-process.ts';

/**
 * What an unmodified provider of y-websocket meets when something of it is neutralised or refused: it knows no acks and no tolds, only its
 * document and close codes. Nothing of others is lost or doubled, and its own text is there to be written again.
 */
let server: Server;
let people = 0;
const toClose: { close(): void }[] = [];
const PATIENCE = { timeout: 20_000, interval: 20 };
const until = (check: () => void): Promise<void> => vi.waitFor(check, PATIENCE);

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());
afterEach(() => {
  for (const one of toClose.splice(0)) one.close();
});

const somebody = (): Promise<Person> => register(server.origin, `person-${++people}`);
async function open(who: Person, documentId: string, doc?: Y.Doc): Promise<Replica> {
  const replica = openReplica(server, who, documentId, { ...(doc && { doc }) });
  toClose.push(replica);
  await until(() => expect(replica.provider.synced).toBe(true));
  return replica;
}
function write({ doc }: Replica, who: Person, body: string, id: MessageId = newId()): MessageId {
  addMessage(doc, who.id, id, [body, null, null]);
  return id;
}
const bodies = (replica: Replica): (string | null)[] => replica.messages().map(({ body }) => body);
const shows = (expected: (string | null)[], ...replicas: Replica[]): Promise<void> =>
  until(() => {
    for (const replica of replicas) expect(bodies(replica)).toEqual(expected);
  });
/** Whether a person's own lane has it: what the server neutralised is gone from there. */
const has = ({ doc }: Replica, who: Person, key: string): boolean => doc.getMap(laneName(who.id)).has(key);
const isGone = (replica: Replica, who: Person, key: string): Promise<void> => until(() => expect(has(replica, who, key)).toBe(false));
/** Everything that a document holds, and whatever it would send. */
const textOf = ({ doc }: Replica): string => Buffer.from(Y.encodeStateAsUpdate(doc)).toString('latin1');

/** Ada, who owns a group, and Grace, both with its first segment open. */
async function group() {
  const [ada, grace] = [await somebody(), await somebody()];
  await ada.converse(grace);
  const made = await ada.call('POST', '/api/messaging/conversations', { title: 'Talk', memberIds: [grace.id] });
  const { id } = conversationAnswer.parse(made.body).conversation;
  return { ada, grace, id, a: await open(ada, `${id}/1`), g: await open(grace, `${id}/1`) };
}

/** The same provider writes on: under the same client id, over the same connection or the next. */
async function writesOn(replica: Replica, who: Person, reader: Replica): Promise<void> {
  const closes = [...replica.closes, ...reader.closes].length;
  write(replica, who, 'goes on');
  await until(() => expect([bodies(replica).at(-1), bodies(reader).at(-1)]).toEqual(['goes on', 'goes on']));
  expect(bodies(reader)).toEqual(bodies(replica));
  expect([...replica.closes, ...reader.closes]).toHaveLength(closes);
}

describe('[A6] neutralised: the entry is gone from its lane, all others of its frame are there, and the provider writes on', () => {
  test('closed: the segment was closed meanwhile; what was written offline goes into the next one, once', async () => {
    const { ada, grace, id, a, g } = await group();
    const first = write(g, grace, 'first');
    await shows(['first'], a, g);
    g.provider.disconnect();
    for (let i = 1; i < LIMITS.segmentMessages; i++) write(a, ada, `m${i}`);
    await until(() => expect(bodies(a)).toHaveLength(LIMITS.segmentMessages));
    const late = [write(g, grace, 'late 0'), write(g, grace, 'late 1')];
    editMessage(g.doc, grace.id, first, 'first, edited', 1);
    const kept = readUnlogged(g.doc, grace.id);
    g.provider.connect();
    for (const messageId of late) await isGone(g, grace, messageId);
    // An edit goes where its message lives, however old.
    await until(() => expect(bodies(a)[0]).toBe('first, edited'));
    expect(textOf(a)).not.toContain('late 0');
    const next = await open(grace, `${id}/2`);
    for (const message of kept) addMessage(next.doc, grace.id, message.id, message.value);
    await shows(['late 0', 'late 1'], next, await open(ada, `${id}/2`));
    const history = await ada.history(id);
    expect(history.map(({ seq }) => seq)).toEqual(Array.from({ length: LIMITS.segmentMessages + 2 }, (_, i) => i + 1));
    expect(history.slice(-2).map((message) => message.id)).toEqual(late);
    expect([...a.closes, ...g.closes]).toEqual([null]);
  });

  test('removed: an edit that was made offline does not bring back what a moderator removed', async () => {
    const { ada, grace, a, g } = await group();
    const message = write(g, grace, 'rude');
    await shows(['rude'], a, g);
    g.provider.disconnect();
    removeMessage(a.doc, ada.id, message);
    await shows([null], a);
    editMessage(g.doc, grace.id, message, 'rude again', 1);
    write(g, grace, 'beside it');
    g.provider.connect();
    await shows([null, 'beside it'], a, g);
    for (const replica of [a, g]) expect(textOf(replica)).not.toContain('rude');
    await writesOn(g, grace, a);
  });

  test('duplicate: an id that was used is not used again, whoever used it', async () => {
    const { ada, grace, id, a, g } = await group();
    const messageId = newId();
    await grace.send(id, 'by HTTP', messageId);
    await shows(['by HTTP'], a, g);
    g.provider.disconnect();
    a.provider.disconnect();
    write(a, ada, 'stolen id', messageId);
    write(a, ada, 'beside it');
    a.provider.connect();
    g.provider.connect();
    await isGone(a, ada, messageId);
    await shows(['by HTTP', 'beside it'], a, g);
    expect(textOf(g)).not.toContain('stolen id');
    await writesOn(a, ada, g);
    expect((await ada.history(id)).filter((message) => message.id === messageId)).toHaveLength(1);
  });

  test('blocked: nothing new comes through, what was there can be edited, and it goes on when the block ends', async () => {
    const [ada, grace] = [await somebody(), await somebody()];
    const { id } = await ada.converse(grace);
    const [a, g] = [await open(ada, `${id}/1`), await open(grace, `${id}/1`)];
    const before = write(g, grace, 'hello');
    await shows(['hello'], a, g);
    g.provider.disconnect();
    expect((await ada.call('PUT', `/api/blocks/${grace.id}`)).status).toBeLessThan(300);
    const unheard = write(g, grace, 'unheard');
    editMessage(g.doc, grace.id, before, 'hello, edited', 1);
    g.provider.connect();
    await isGone(g, grace, unheard);
    await shows(['hello, edited'], a, g);
    expect(textOf(a)).not.toContain('unheard');
    expect((await ada.call('DELETE', `/api/blocks/${grace.id}`)).status).toBeLessThan(300);
    await writesOn(g, grace, a);
  });

  test('role: who may not remove removes nothing', async () => {
    const { ada, grace, a, g } = await group();
    const message = write(a, ada, 'stays');
    await shows(['stays'], a, g);
    removeMessage(g.doc, grace.id, message);
    await isGone(g, grace, `x${message}`);
    await shows(['stays'], a, g);
    await writesOn(g, grace, a);
  });

  test('quota: a private document that is full takes no more, and keeps what it has', async () => {
    const ada = await somebody();
    const [phone, desk] = [await open(ada, `user:${ada.id}/1`), await open(ada, `user:${ada.id}/1`)];
    const lane = phone.doc.getMap(laneName(ada.id));
    const draft = 'x'.repeat(LIMITS.body);
    // All of them live, so that there is nothing to be left behind.
    const keys = Array.from({ length: Math.ceil(LIMITS.privateBytes / LIMITS.body) + 8 }, () => {
      const conversationId: Uuid = makeUuid(Date.now(), systemRandom);
      return `d${conversationId}`;
    });
    for (const key of keys) lane.set(key, draft);
    await until(() => expect(keys.filter((key) => !lane.has(key)).length).toBeGreaterThan(0));
    await until(() => expect(desk.doc.getMap(laneName(ada.id)).toJSON()).toEqual(lane.toJSON()));
    const taken = keys.filter((key) => lane.has(key));
    expect(taken).toEqual(keys.slice(0, taken.length));
    expect(taken.length * LIMITS.body).toBeGreaterThan(LIMITS.privateBytes - 2 * LIMITS.body);
    expect([...phone.closes, ...desk.closes]).toEqual([]);
  });
});

/** What no honest client of ours does, and a program with an unmodified provider may: each is closed with 4408 and its reason. */
const MISTAKES: Record<string, (at: Replica, who: Person, other: Person) => void> = {
  malformed: ({ doc }, who) => void doc.getMap(laneName(who.id)).set('my own key', 'x'),
  'malformed: a nested type': ({ doc }, who) => void doc.getMap(laneName(who.id)).set(newId(), new Y.Text('x')),
  'foreign-lane': ({ doc }, _, other) => void doc.getMap(laneName(other.id)).set(newId(), ['in your name', null, null]),
  'malformed: a root of its own': ({ doc }) => doc.getText('notes').insert(0, 'mine'),
  'own-delete': ({ doc }, who) => doc.getMap(laneName(who.id)).delete([...doc.getMap(laneName(who.id)).keys()][0]!),
};

/** A program that was refused opens a fresh replica and writes there what has no place in the log yet: once, in order. */
async function startsAnew(refused: Replica, who: Person, reader: Replica, kept: readonly string[]): Promise<void> {
  const unsent = readUnlogged(refused.doc, who.id).filter(({ value }) => kept.includes(value[0]));
  expect(unsent.map(({ value }) => value[0])).toEqual(kept);
  const before = bodies(reader);
  const fresh = await open(who, refused.provider.roomname);
  for (const { id, value } of unsent) addMessage(fresh.doc, who.id, id, value);
  await shows([...before, ...kept], fresh, reader);
  expect([...fresh.closes, ...reader.closes]).toEqual([]);
}

describe('[W4] refused: the provider is told why and stops for good, nobody else notices, and its text goes out from a fresh replica', () => {
  test.each(Object.entries(MISTAKES))('%s', async (name, mistake) => {
    const { ada, grace, a, g } = await group();
    write(g, grace, 'sent');
    await shows(['sent'], a, g);
    g.provider.disconnect();
    write(g, grace, 'kept 0');
    mistake(g, grace, ada);
    write(g, grace, 'kept 1');
    g.provider.connect();
    await until(() => expect(g.closes.at(-1)).toEqual({ code: CLOSE.refused.code, reason: name.split(':')[0] }));
    expect(g.provider.shouldConnect).toBe(false);
    await shows(['sent'], a);
    expect(textOf(a)).not.toContain('in your name');
    await startsAnew(g, grace, a, ['kept 0', 'kept 1']);
  });

  test('clock-reused: a client id that comes back with another content', async () => {
    const { grace, a, g } = await group();
    write(g, grace, 'sent');
    await shows(['sent'], a, g);
    const twin = new Y.Doc();
    twin.clientID = g.doc.clientID;
    const replica = openReplica(server, grace, g.provider.roomname, { doc: twin, connect: false });
    toClose.push(replica);
    // Before it has heard of the other, which makes Yjs take another id.
    replica.provider.on('status', ({ status }) => {
      if (status === 'connected') write(replica, grace, 'kept');
    });
    replica.provider.connect();
    await until(() => expect(replica.closes).toEqual([{ code: CLOSE.refused.code, reason: 'clock-reused' }]));
    expect(replica.provider.shouldConnect).toBe(false);
    await shows(['sent'], a, g);
    await startsAnew(replica, grace, a, ['kept']);
  });

  test('restored: a document that knows more of the server than the server does', async () => {
    const { grace, a, g } = await group();
    write(g, grace, 'sent');
    await shows(['sent'], a, g);
    g.provider.disconnect();
    // The server's own client id is the one that wrote the log.
    const logClient = [...g.doc.store.clients].find(([, [first]]) => first instanceof Y.Item && first.parentSub === 'n')![0];
    const before = new Y.Doc();
    Y.applyUpdate(before, Y.encodeStateAsUpdate(g.doc));
    before.clientID = logClient;
    before.getArray(LOG).push([newId()]);
    Y.applyUpdate(g.doc, Y.encodeStateAsUpdate(before), 'before the backup');
    write(g, grace, 'kept');
    g.provider.connect();
    await until(() => expect(g.closes.at(-1)).toEqual({ code: CLOSE.refused.code, reason: 'restored' }));
    expect(g.provider.shouldConnect).toBe(false);
    await shows(['sent'], a);
    await startsAnew(g, grace, a, ['kept']);
  });

  test('lost membership: 4403 with what was written offline kept, which goes out once its writer is back', async () => {
    const { ada, grace, id, a, g } = await group();
    write(g, grace, 'sent');
    await shows(['sent'], a, g);
    g.provider.disconnect();
    expect((await ada.call('DELETE', `/api/messaging/conversations/${id}/members/${grace.id}`)).status).toBeLessThan(300);
    write(g, grace, 'kept 0');
    write(g, grace, 'kept 1');
    g.provider.connect();
    await until(() => expect(g.closes.at(-1)).toMatchObject({ code: CLOSE.notMember.code }));
    expect(g.provider.shouldConnect).toBe(false);
    write(a, ada, 'meanwhile');
    await shows(['sent', 'meanwhile'], a);
    expect((await ada.call('PUT', `/api/messaging/conversations/${id}/members/${grace.id}`, {})).status).toBeLessThan(300);
    g.provider.connect();
    await shows(['sent', 'meanwhile', 'kept 0', 'kept 1'], a, g);
    await writesOn(g, grace, a);
  });
});
