import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { systemRandom } from '../../shared/clock.ts';
import { CLOSE, type CloseName, type Refusal } from '../../shared/close-codes.ts';
import { makeUuid } from '../../shared/ids.ts';
import { LIMITS } from '../../shared/limits.ts';
import { MESSAGE, SYNC, encodeAwareness, encodeStep1, encodeStep2, encodeUpdate } from '../../shared/protocol.ts';
import { addMessage, laneName } from '../../shared/segment.ts';
import { frameOf, newId, readKind, updateOf } from './frames.ts';
import { type Person, register } from './person.ts';
import { type RawSocket, openRaw } from './raw-socket.ts';
import { type Replica, openReplica } from './replica.ts';
import { type Server, startServer } from './server-process.ts';
import { signToken } from './sign-token.ts';

/**
 * Every close code that a client can meet, and what an attack leaves behind: nothing. Ada and Grace talk over stock providers; Grace's
 * other device is the attacker, who has all that a member has: her token, and every byte of the conversation.
 */
let server: Server;
let folder: string;
let keyFile: string;
let ada: Person;
let grace: Person;
let stranger: Person;
let conversationId: string;
let a: Replica;
let g: Replica;
const toClose: { close(): void }[] = [];
const PATIENCE = { timeout: 20_000, interval: 20 };
const until = (check: () => void): Promise<void> => vi.waitFor(check, PATIENCE);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homing-key-'));
  keyFile = join(folder, 'key.pem');
  await writeFile(keyFile, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
  server = await startServer({ AUTH_PRIVATE_KEY_FILE: keyFile });
  [ada, grace, stranger] = await Promise.all([
    register(server.origin, 'ada'),
    register(server.origin, 'grace'),
    register(server.origin, 'stranger'),
  ]);
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  const opened = await ada.call('POST', '/api/messaging/conversations', { title: 'Talk', memberIds: [grace.id] });
  conversationId = (opened.body as { conversation: { id: string } }).conversation.id;
  [a, g] = [replica(ada), replica(grace)];
  await until(() => expect(a.provider.synced && g.provider.synced).toBe(true));
});
afterEach(() => {
  for (const one of toClose.splice(0)) one.close();
});

function replica(who: Person): Replica {
  const opened = openReplica(server, who, `${conversationId}/1`);
  toClose.push(opened);
  return opened;
}
function raw(path: string, options: Parameters<typeof openRaw>[2] = {}): RawSocket {
  const opened = openRaw(server, path, options);
  toClose.push(opened);
  return opened;
}
const closedWith = (name: CloseName, reason: string = CLOSE[name].means) => ({ code: CLOSE[name].code, reason });

const say = (at: Replica, who: Person, body: string): void => addMessage(at.doc, who.id, newId(), [body, null, null]);
const sees = (at: Replica, bodies: string[]): Promise<void> => until(() => expect(at.messages().map(({ body }) => body)).toEqual(bodies));

/** A client of Grace's that knows the conversation, on a socket that has heard the server's step 1. */
async function attacker(): Promise<{ socket: RawSocket; doc: Y.Doc }> {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(g.doc));
  const socket = raw(`${conversationId}/1`, { token: grace.token });
  await until(() => expect(socket.frames.map(readKind)).toContain('step1'));
  return { socket, doc };
}

const value = (body: string): [string, null, null] => [body, null, null];
const setIn = (doc: Y.Doc, who: Person, key: string, content: unknown): void => void doc.getMap(laneName(who.id)).set(key, content);
const withClient = (client: number, from?: Y.Doc): Y.Doc => {
  const doc = new Y.Doc();
  if (from) Y.applyUpdate(doc, Y.encodeStateAsUpdate(from));
  doc.clientID = client;
  return doc;
};
/** The client id under which the server writes: the only one in an empty segment. */
const serverClient = (doc: Y.Doc): number =>
  [...doc.store.clients.keys()].find((client) => client !== a.doc.clientID && client !== g.doc.clientID)!;

interface Attack {
  name: string;
  close: { code: number; reason: string };
  frames: (doc: Y.Doc) => (Uint8Array | string)[];
}
const refused = (reason: Refusal) => closedWith('refused', reason);
const malformed = (name: string, frames: Attack['frames']): Attack => ({ name, close: refused('malformed'), frames });
const honest = (): Uint8Array => updateOf((doc) => setIn(doc, grace, newId(), value('well-formed')));

const ATTACKS: Attack[] = [
  malformed('a text frame', () => ['hello']),
  malformed('an empty frame', () => [new Uint8Array()]),
  malformed('an unknown message type', () => [Uint8Array.of(99, 0)]),
  malformed('a message type that only the server sends', () => [Uint8Array.of(MESSAGE.ack, 0)]),
  malformed('an unknown sync type', () => [Uint8Array.of(MESSAGE.sync, 3, 1, 0)]),
  malformed('a frame cut short', () => [encodeUpdate(honest()).slice(0, -3)]),
  malformed('bytes after the message', () => [Uint8Array.of(...encodeUpdate(honest()), 0)]),
  malformed('bytes after the update', () => [encodeUpdate(Uint8Array.of(...honest(), 0))]),
  malformed('an update in the second encoding', () => [
    encodeUpdate(Y.encodeStateAsUpdateV2(((doc) => (setIn(doc, grace, newId(), value('second')), doc))(new Y.Doc()))),
  ]),
  malformed('seven bytes that declare 2^32 structs', () => [encodeUpdate(Uint8Array.of(1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0))]),
  malformed('a state vector that declares 2^32 clients', () => [encodeStep1(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f))]),
  malformed('a nested type', () => [frameOf((doc) => setIn(doc, grace, newId(), new Y.Map()))]),
  malformed('a key outside the grammar', () => [frameOf((doc) => setIn(doc, grace, 'constructor', value('x')))]),
  malformed('a value of another shape', () => [frameOf((doc) => setIn(doc, grace, newId(), { body: 'x' }))]),
  malformed('a body beyond the limit', () => [frameOf((doc) => setIn(doc, grace, newId(), value('x'.repeat(LIMITS.body + 1))))]),
  malformed('a `__proto__` inside a value', () => [
    frameOf((doc) => setIn(doc, grace, newId(), ['x', null, null, JSON.parse('{"__proto__": {"admin": true}}')])),
  ]),
  {
    name: 'a message in another lane',
    close: refused('foreign-lane'),
    frames: (doc) => [frameOf((d) => setIn(d, ada, newId(), value('as Ada')), doc)],
  },
  {
    name: 'an edit of somebody else’s message',
    close: refused('foreign-lane'),
    frames: (doc) => [frameOf((d) => setIn(d, ada, a.messages()[0]!.id, value('changed')), doc)],
  },
  {
    name: 'an element of the log',
    close: refused('foreign-lane'),
    frames: (doc) => [frameOf((d) => d.getArray('log').push([newId()]), doc)],
  },
  {
    name: 'a root type of its own',
    close: refused('foreign-lane'),
    frames: () => [frameOf((d) => d.getMap('mine').set(newId(), value('x')))],
  },
  {
    name: 'another person’s client id in the own lane',
    close: refused('client-id'),
    frames: () => [frameOf((d) => setIn(d, grace, newId(), value('under her id')), withClient(a.doc.clientID, g.doc))],
  },
  {
    name: 'other words under a clock that is taken',
    close: refused('clock-reused'),
    frames: () => [frameOf((d) => setIn(d, grace, newId(), value('other words')), withClient(g.doc.clientID))],
  },
  {
    name: 'an own living message deleted by a delete set',
    close: refused('own-delete'),
    frames: (doc) => [frameOf((d) => d.getMap(laneName(grace.id)).delete(g.messages()[1]!.id), doc)],
  },
  {
    name: 'a question that knows more of the server than it does',
    close: refused('restored'),
    frames: (doc) => [encodeStep1(Y.encodeStateVector(new Map([[serverClient(doc), 1_000]])))],
  },
  {
    name: 'structs of the server that it never wrote',
    close: refused('restored'),
    frames: (doc) => {
      const forged = withClient(serverClient(doc), g.doc);
      return [frameOf((d) => d.getArray('log').push([newId()]), forged)];
    },
  },
  { name: 'a frame beyond 256 KiB', close: closedWith('tooLarge'), frames: () => [encodeStep2(new Uint8Array(LIMITS.step2))] },
  { name: 'an update beyond 32 KiB', close: closedWith('tooLarge'), frames: () => [encodeUpdate(new Uint8Array(LIMITS.update + 1))] },
  {
    name: 'awareness beyond 64 KiB',
    close: closedWith('tooLarge'),
    frames: () => [encodeAwareness([{ client: 1, clock: 1, state: 'x'.repeat(LIMITS.frame) }])],
  },
  {
    name: 'a flood of questions',
    close: closedWith('tryLater', 'too many sync requests'),
    frames: () => Array.from({ length: 40 }, () => encodeStep1(Uint8Array.of(0))),
  },
  {
    name: 'frames that never make progress',
    close: closedWith('tryLater', 'no progress'),
    frames: (doc) => {
      setIn(doc, grace, newId(), value('never sent'));
      const ahead = frameOf((d) => setIn(d, grace, newId(), value('after it')), doc);
      return Array.from({ length: 30 }, () => ahead);
    },
  },
];

describe('attacks', () => {
  test.each(ATTACKS)('$name: $close.code $close.reason, and nothing is changed', async ({ close, frames }) => {
    say(a, ada, 'from ada');
    await sees(g, ['from ada']);
    say(g, grace, 'from grace');
    await sees(a, ['from ada', 'from grace']);
    const before = Y.encodeStateAsUpdate(a.doc);
    const { socket, doc } = await attacker();
    for (const frame of frames(doc)) socket.send(frame);
    expect(await socket.closed).toEqual(close);
    expect(Y.encodeStateAsUpdate(a.doc)).toEqual(before);
    say(a, ada, 'still here');
    await sees(g, ['from ada', 'from grace', 'still here']);
    // What the server holds is what the two hold.
    const fresh = replica(ada);
    await sees(fresh, ['from ada', 'from grace', 'still here']);
    expect(Y.encodeStateAsUpdate(fresh.doc)).toEqual(Y.encodeStateAsUpdate(g.doc));
    expect([a.closes, g.closes]).toEqual([[], []]);
    expect(server.process().hasEnded()).toBe(false);
    expect((await ada.history(conversationId)).map(({ content }) => content)).toEqual(['from ada', 'from grace', 'still here']);
  });

  test('[D7] [A7] a delete set that names somebody else’s message is ignored', async () => {
    say(a, ada, 'from ada');
    await sees(g, ['from ada']);
    const { socket, doc } = await attacker();
    socket.send(frameOf((d) => d.getMap(laneName(ada.id)).delete(a.messages()[0]!.id), doc));
    socket.send(frameOf((d) => setIn(d, grace, newId(), value('after it')), doc));
    await sees(a, ['from ada', 'after it']);
    await sees(replica(ada), ['from ada', 'after it']);
  });

  test('a frame sent in pieces beyond what the socket takes ends that socket alone', async () => {
    const { socket } = await attacker();
    socket.send(new Uint8Array(5 * LIMITS.step2));
    expect(await socket.closed).toMatchObject({ code: expect.any(Number) });
    say(a, ada, 'still here');
    await sees(g, ['still here']);
  });
});

describe('[W4] [D1] [H4] 4404', () => {
  const names = (): Record<string, string> => ({
    'an unknown conversation': makeUuid(Date.now(), systemRandom),
    'a segment that is not yet': `${conversationId}/2`,
    'segment 0': `${conversationId}/0`,
    'a leading zero': `${conversationId}/01`,
    'upper case': conversationId.toUpperCase(),
    'a bad name': 'my-room',
    'no name': '',
    'a bad escape': '%E0%A4%A',
    'an escaped slash before more': `${conversationId}%2F1%2F1`,
    'somebody else’s private document': `user:${ada.id}/1`,
    'a private document of nobody': `user:${makeUuid(Date.now(), systemRandom)}/1`,
    'a private document that is not yet': `user:${grace.id}/2`,
    'a private document by its bare id': `${grace.id}/1`,
    'a private document’s root': grace.id,
  });

  test('what is no document', async () => {
    const found = await Promise.all(
      Object.entries(names()).map(async ([name, path]) => [name, await raw(path, { token: grace.token }).closed] as const),
    );
    expect(found).toEqual(Object.keys(names()).map((name) => [name, closedWith('notFound')]));
  });

  test('a conversation of others is like none', async () => {
    for (const path of [conversationId, `${conversationId}/1`, `${conversationId}/7`])
      expect(await raw(path, { token: stranger.token }).closed).toEqual(closedWith('notFound'));
    const provider = openReplica(server, stranger, `${conversationId}/1`);
    toClose.push(provider);
    await until(() => expect(provider.closes).toEqual([closedWith('notFound')]));
    // Final for a stock provider.
    expect(provider.provider.shouldConnect).toBe(false);
  });
});

describe('[S4] sessions', () => {
  /** A token of somebody's sign-in, as the server would have made it at another time. */
  const tokenOf = async (person: Person, options: { expiresInS: number; kid?: string }): Promise<string> =>
    signToken(await readFile(keyFile, 'utf8'), person, options);

  test('no token, garbage, and a token of another key: 4401', async () => {
    const path = `${conversationId}/1`;
    expect(await raw(path).closed).toEqual(closedWith('unauthorized'));
    expect(await raw(path, { token: 'garbage' }).closed).toEqual(closedWith('unauthorized'));
    expect(await raw(path, { token: `${ada.token.slice(0, -4)}AAAA` }).closed).toEqual(closedWith('unauthorized'));
    expect(await raw(path, { token: await tokenOf(ada, { expiresInS: 600, kid: 'other' }) }).closed).toEqual(closedWith('unauthorized'));
    expect(await raw('my-room').closed).toEqual(closedWith('unauthorized'));
  });

  test('signed out: every open socket of that sign-in within a second, and no other', async () => {
    const [linus, ken] = await Promise.all([register(server.origin, `linus`), register(server.origin, 'ken')]);
    const { id } = await linus.converse(ken);
    const sockets = [id, `${id}/1`, `user:${linus.id}/1`].map((path) => raw(path, { token: linus.token }));
    await until(() => sockets.forEach(({ frames }) => expect(frames.length).toBeGreaterThan(0)));
    const other = openReplica(server, ken, `${id}/1`);
    toClose.push(other);
    const at = Date.now();
    expect((await linus.logOut()).status).toBe(204);
    expect(await Promise.all(sockets.map(({ closed }) => closed))).toEqual(sockets.map(() => closedWith('unauthorized')));
    expect(Date.now() - at).toBeLessThan(1_000);
    expect(await raw(id, { token: linus.token }).closed).toEqual(closedWith('unauthorized'));
    say(other, ken, 'alone');
    await sees(other, ['alone']);
    expect(other.closes).toEqual([]);
  });

  test('expired: 4501 at the door and inside, which a renewal of the session prevents', async () => {
    const path = `${conversationId}/1`;
    expect(await raw(path, { token: await tokenOf(ada, { expiresInS: -60 }) }).closed).toEqual(closedWith('expired'));
    const expiresInS = 3;
    const [leftAlone, renewed] = [
      raw(path, { token: await tokenOf(ada, { expiresInS }) }),
      raw(path, { token: await tokenOf(grace, { expiresInS }) }),
    ];
    await until(() => expect(leftAlone.frames.length * renewed.frames.length).toBeGreaterThan(0));
    await grace.refresh();
    expect(await leftAlone.closed).toEqual(closedWith('expired'));
    renewed.send(encodeUpdate(honest()));
    await sees(a, ['well-formed']);
  });
});

describe('the upgrade', () => {
  test('[S3] [W4] a foreign Origin is answered 403, the own one is let in', async () => {
    const { token } = ada;
    for (const origin of ['https://evil.example', 'null', `${server.origin}.evil.example`, server.origin.replace('http', 'HTTP')])
      expect([origin, await raw(`${conversationId}/1`, { token, headers: { origin } }).closed]).toEqual([origin, { status: 403 }]);
    const own = raw(`${conversationId}/1`, { token, headers: { origin: server.origin } });
    await until(() => expect(own.frames.map(readKind)).toEqual(['step1']));
  });

  test('frames that arrive before the document is open are taken in their turn', async () => {
    const socket = raw(`${conversationId}/1`, { token: grace.token });
    await socket.opened;
    socket.send(encodeUpdate(honest()));
    socket.send(Uint8Array.of(MESSAGE.sync, SYNC.step1, 1, 0));
    await sees(a, ['well-formed']);
    await until(() => expect(socket.frames.map(readKind)).toEqual(expect.arrayContaining(['step1', 'step2', 'update'])));
    expect(readKind(socket.frames[0]!)).toBe('step1');
  });
});
