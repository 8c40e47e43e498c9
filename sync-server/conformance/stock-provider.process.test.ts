import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { conversation as conversationSchema, conversationAnswer } from '../../shared/api.ts';
import { readRoot } from '../../shared/conversation.ts';
import { CLOSE } from '../../shared/close-codes.ts';
import { makeUuid } from '../../shared/ids.ts';
import { systemRandom } from '../../shared/clock.ts';
import { LIMITS } from '../../shared/limits.ts';
import { SUB_PROTOCOL } from '../../shared/protocol-version.ts';
import { EMPTY_AWARENESS, encodeStep1, encodeStep2 } from '../../shared/protocol.ts';
import { addMessage, deleteMessage, editMessage, laneName, readLog, readSegmentMeta } from '../../shared/segment.ts';
import { readNext } from '../../shared/user-document.ts';
import { newId, readKind } from './frames.ts';
import { type Person, register } from './person.ts';
import { type RawSocket, openRaw } from './raw-socket.ts';
import { type Replica, type ReplicaOptions, openReplica } from './replica.ts';
import { type Server, startServer } from './server-process.ts';

/** The server as a process, spoken to by unmodified providers of y-websocket over real sockets. */
let server: Server;
let people = 0;
const toClose: { close(): void }[] = [];
const PATIENCE = { timeout: 20_000, interval: 20 };

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());
afterEach(() => {
  for (const one of toClose.splice(0)) one.close();
});

const until = (check: () => void): Promise<void> => vi.waitFor(check, PATIENCE);
const somebody = (): Promise<Person> => register(server.origin, `person-${++people}`);

function open(who: Person, documentId: string, options?: ReplicaOptions): Replica {
  const replica = openReplica(server, who, documentId, options);
  toClose.push(replica);
  return replica;
}
function raw(path: string, options: Parameters<typeof openRaw>[2]): RawSocket {
  const socket = openRaw(server, path, options);
  toClose.push(socket);
  return socket;
}
const synced = (...replicas: Replica[]): Promise<void> => until(() => expect(replicas.every(({ provider }) => provider.synced)).toBe(true));

/** Two people, their conversation, and its first segment open at both. */
async function twoPeople(options?: ReplicaOptions) {
  const [ada, grace] = [await somebody(), await somebody()];
  const { id } = await ada.converse(grace);
  const [a, g] = [open(ada, `${id}/1`, options), open(grace, `${id}/1`, options)];
  await synced(a, g);
  return { ada, grace, id, a, g };
}

function write(replica: Replica, who: Person, body: string): string {
  const id = newId();
  addMessage(replica.doc, who.id, id, [body, null, null]);
  return id;
}
const bodies = (replica: Replica): (string | null)[] => replica.messages().map(({ body }) => body);
const sameBytes = (a: Replica, b: Replica): void => expect(Y.encodeStateAsUpdate(a.doc)).toEqual(Y.encodeStateAsUpdate(b.doc));
const showsBoth = (expected: (string | null)[], ...replicas: Replica[]): Promise<void> =>
  until(() => {
    for (const replica of replicas) expect(bodies(replica)).toEqual(expected);
  });

describe('two providers', () => {
  test('[W1] [W2] what one writes stands at both in one order, and in the history', async () => {
    const { ada, grace, id, a, g } = await twoPeople();
    for (let i = 0; i < 20; i++) write(i % 2 ? a : g, i % 2 ? ada : grace, `m${i}`);
    await until(() => expect(bodies(a)).toHaveLength(20));
    await showsBoth(bodies(a), g);
    sameBytes(a, g);
    const history = await grace.history(id);
    expect(history.map(({ content }) => content)).toEqual(bodies(a));
    expect(history.map(({ seq }) => seq)).toEqual(a.messages().map(({ seq }) => seq));
    expect([...a.closes, ...g.closes]).toEqual([]);
  });

  test('[W3] acks and tolds come when asked for, told before the ack that covers it, and never to a stock client', async () => {
    const { ada, id, a, g } = await twoPeople();
    const asked = open(ada, `${id}/1`, { protocols: [SUB_PROTOCOL, 'other'] });
    await synced(asked);
    const message = write(asked, ada, 'soon gone');
    await until(() => expect(asked.heard).toEqual([{ kind: 'ack', committed: [[asked.doc.clientID, 1]] }]));
    await showsBoth(['soon gone'], a, g);
    deleteMessage(a.doc, ada.id, message);
    // Not yet knowing of the deletion, the other device edits.
    asked.provider.disconnect();
    editMessage(asked.doc, ada.id, message, 'back again', Date.now());
    await showsBoth([null], g);
    asked.provider.connect();
    await until(() => expect(asked.heard).toHaveLength(3));
    expect(asked.heard.slice(1)).toEqual([
      { kind: 'told', entries: [{ client: asked.doc.clientID, clock: 1, code: 'removed' }] },
      { kind: 'ack', committed: [[asked.doc.clientID, 2]] },
    ]);
    await showsBoth([null], a, g, asked);
    expect([a.heard, g.heard]).toEqual([[], []]);
    expect(asked.provider.ws?.protocol).toBe(SUB_PROTOCOL);
    expect(a.provider.ws?.protocol).toBe('');
  });

  test('[A3] a provider that writes on `connected`, before the server has spoken, loses and doubles nothing', async () => {
    const { ada, a, g } = await twoPeople();
    write(a, ada, 'before');
    await showsBoth(['before'], a, g);
    a.provider.disconnect();
    for (let i = 0; i < 3; i++) write(a, ada, `offline ${i}`);
    a.provider.on('status', ({ status }) => {
      if (status === 'connected') write(a, ada, `at connected ${a.closes.length}`);
    });
    const expected = ['before', 'offline 0', 'offline 1', 'offline 2', 'at connected 1'];
    a.provider.connect();
    await showsBoth(expected, a, g);
    write(a, ada, 'still offline?');
    a.provider.disconnect();
    a.provider.connect();
    await showsBoth([...expected, 'still offline?', 'at connected 2'], a, g);
    expect(a.closes).toEqual([null, null]);
    sameBytes(a, g);
  });

  test('[A7] edits and deletions made offline come back with the whole delete set, also from another life of the replica', async () => {
    const { ada, a, g } = await twoPeople();
    const ids = Array.from({ length: 6 }, (_, i) => write(a, ada, `m${i}`));
    await showsBoth(['m0', 'm1', 'm2', 'm3', 'm4', 'm5'], a, g);
    editMessage(a.doc, ada.id, ids[0]!, 'edited online', Date.now());
    deleteMessage(a.doc, ada.id, ids[1]!);
    await showsBoth(['edited online', null, 'm2', 'm3', 'm4', 'm5'], g);
    a.provider.disconnect();
    editMessage(a.doc, ada.id, ids[0]!, 'edited offline', Date.now());
    editMessage(a.doc, ada.id, ids[0]!, 'edited offline twice', Date.now());
    deleteMessage(a.doc, ada.id, ids[2]!);
    a.provider.connect();
    await showsBoth(['edited offline twice', null, null, 'm3', 'm4', 'm5'], a, g);
    // Opened anew from what the device kept, without a network: another client id.
    a.provider.disconnect();
    const kept = new Y.Doc();
    Y.applyUpdate(kept, Y.encodeStateAsUpdate(a.doc));
    const reborn = open(ada, a.provider.roomname, { doc: kept, connect: false });
    editMessage(kept, ada.id, ids[3]!, 'edited in another life', Date.now());
    deleteMessage(kept, ada.id, ids[0]!);
    write(reborn, ada, 'new');
    reborn.provider.connect();
    a.provider.connect();
    await showsBoth([null, null, null, 'edited in another life', 'm4', 'm5', 'new'], a, g, reborn);
    expect([g.closes, reborn.closes]).toEqual([[], []]);
    sameBytes(a, g);
    sameBytes(reborn, g);
  });

  test('[W5] 45 seconds of silence on every kind of document: nobody hangs up', async () => {
    const { ada, grace, id, a, g } = await twoPeople();
    const others = [open(ada, id), open(grace, id), open(ada, `user:${ada.id}/1`)];
    await synced(...others);
    const silent = [raw(`${id}/1`, { token: ada.token }), raw(id, { token: ada.token }), raw(`user:${ada.id}/1`, { token: ada.token })];
    await new Promise((resolve) => setTimeout(resolve, 45_000));
    for (const { provider, closes } of [a, g, ...others]) {
      expect(closes).toEqual([]);
      expect(provider.wsconnected).toBe(true);
    }
    for (const { frames } of [silent[0]!, silent[2]!]) expect(frames.slice(1)).toEqual([EMPTY_AWARENESS, EMPTY_AWARENESS]);
    write(a, ada, 'awake');
    await showsBoth(['awake'], g);
  });
});

describe('restarts', () => {
  test('[W4] SIGTERM closes with 1012; providers come back to the next process with what was written meanwhile', async () => {
    const { ada, grace, id, a, g } = await twoPeople();
    const root = open(ada, id);
    await synced(root);
    write(a, ada, 'before');
    await showsBoth(['before'], a, g);
    expect(await server.process().signal('SIGTERM')).toBe(0);
    await until(() => {
      for (const { closes } of [a, g, root]) expect(closes[0]).toMatchObject({ code: CLOSE.restart.code });
    });
    write(a, ada, 'from ada');
    await server.start();
    await until(() => expect(bodies(g)).toEqual(['before', 'from ada']));
    write(g, grace, 'from grace');
    await showsBoth(['before', 'from ada', 'from grace'], a, g);
    expect(server.process().said.err).toBe('');
  });

  test('kill -9: the same, and nothing that was shown as sent is missing', async () => {
    const { ada, grace, id, a, g } = await twoPeople();
    for (let i = 0; i < 30; i++) write(a, ada, `m${i}`);
    await until(() => expect(bodies(g).length).toBeGreaterThan(0));
    await server.process().signal('SIGKILL');
    const shown = bodies(g);
    write(g, grace, 'meanwhile');
    await server.start();
    await until(() => expect(bodies(a)).toHaveLength(31));
    await showsBoth(bodies(a), g);
    expect(bodies(g).slice(0, shown.length)).toEqual(shown);
    expect(bodies(g).filter((body) => body !== 'meanwhile')).toEqual(Array.from({ length: 30 }, (_, i) => `m${i}`));
    expect((await ada.history(id)).map(({ content }) => content)).toEqual(bodies(g));
  });
});

describe('awareness', () => {
  const entryOf = (at: Replica, of: Replica): Record<string, unknown> | undefined => at.provider.awareness.getStates().get(of.doc.clientID);
  const awayOf = (at: Replica): unknown =>
    [...at.provider.awareness.getStates()].find(([client, state]) => client !== at.doc.clientID && 'away' in state)?.[1].away;

  test('[P2] [P3] [P5] typing is seen by the other with the writer’s own name, never by oneself, and a leaver is gone at once', async () => {
    const { ada, grace, id } = await twoPeople();
    const [a, g, second] = [open(ada, id), open(grace, id), open(ada, id)];
    await synced(a, g, second);
    a.provider.awareness.setLocalState({ typing: true, user: { id: grace.id, name: 'Grace' }, role: 'owner' });
    await until(() => expect(entryOf(g, a)).toMatchObject({ user: { id: ada.id }, typing: true }));
    a.provider.awareness.setLocalStateField('typing', false);
    await until(() => expect(entryOf(g, a)).toMatchObject({ user: { id: ada.id }, typing: false }));
    g.provider.awareness.setLocalState({ typing: true });
    await until(() => expect(entryOf(a, g)).toMatchObject({ user: { id: grace.id }, typing: true }));
    // Nothing of what a client says besides, whether or not the position is known yet.
    for (const entry of [entryOf(g, a), entryOf(a, g)])
      expect(Object.keys({ read: 0, ...(entry as object) }).toSorted()).toEqual(['read', 'typing', 'user']);
    // Grace knows Ada's entry and the stock provider sends it back; it stays Ada's.
    expect(a.provider.awareness.getLocalState()).toMatchObject({ user: { id: grace.id, name: 'Grace' } });
    for (const replica of [a, g, second]) expect(replica.announced).not.toContain(replica.doc.clientID);
    const closedAt = Date.now();
    a.provider.ws?.close();
    a.provider.shouldConnect = false;
    await until(() => expect(entryOf(g, a)).toBeUndefined());
    expect(Date.now() - closedAt).toBeLessThan(1_000);
    expect([...g.closes, ...second.closes]).toEqual([]);
  });

  test('[P4] read positions go forward only, are stored, and stand there for those who are away too', async () => {
    const { ada, grace, id, a, g } = await twoPeople();
    const [rootA, rootG] = [open(ada, id), open(grace, id)];
    for (let i = 0; i < 5; i++) write(g, grace, `m${i}`);
    await until(() => expect(bodies(a)).toHaveLength(5));
    await until(() => expect(awayOf(rootA)).toEqual({ [ada.id]: [0, 0], [grace.id]: [0, 0] }));
    const storedRead = async () =>
      conversationSchema
        .array()
        .parse(((await ada.call('GET', '/api/messaging/conversations')).body as { conversations: unknown }).conversations)[0]!.lastReadSeq;
    rootA.provider.awareness.setLocalState({ typing: false, read: 3 });
    await until(() => expect(entryOf(rootG, rootA)).toMatchObject({ read: 3 }));
    expect(await storedRead()).toBe(3);
    rootA.provider.awareness.setLocalState({ typing: true, read: 1 });
    await until(() => expect(entryOf(rootG, rootA)).toMatchObject({ typing: true, read: 3 }));
    rootA.provider.awareness.setLocalState({ typing: false, read: 999 });
    await until(() => expect(entryOf(rootG, rootA)).toMatchObject({ read: 5 }));
    expect(await storedRead()).toBe(5);
    rootA.close();
    await until(() => expect(awayOf(rootG)).toEqual({ [ada.id]: [5, 0], [grace.id]: [0, 0] }));
    await until(() => expect(entryOf(rootG, rootA)).toBeUndefined());
    await grace.call('PATCH', `/api/messaging/conversations/${id}/read`, { seq: 4 });
    rootG.close();
    const back = open(ada, id);
    await until(() => expect(awayOf(back)).toEqual({ [ada.id]: [5, 0], [grace.id]: [4, 0] }));
  });

  test('[P1] a segment and a private document pass on no awareness', async () => {
    const { ada, a, g } = await twoPeople();
    const devices = [open(ada, `user:${ada.id}/1`), open(ada, `user:${ada.id}/1`)] as const;
    await synced(...devices);
    a.provider.awareness.setLocalState({ typing: true });
    devices[0].provider.awareness.setLocalState({ typing: true });
    write(a, ada, 'after it');
    devices[0].doc.getMap(laneName(ada.id)).set('safter', true);
    await showsBoth(['after it'], g);
    await until(() => expect(devices[1].doc.getMap(laneName(ada.id)).get('safter')).toBe(true));
    expect([...g.announced, ...devices[1].announced]).toEqual([]);
  });
});

describe('roll-over', () => {
  test('[D4] [D5] at message 500, with both writing: every message once, in the order of its writer, seqs without gaps', async () => {
    const { ada, grace, id } = await twoPeople();
    const EACH = 300;
    const roots = [open(ada, id), open(grace, id)];
    await synced(...roots);
    const again: string[][] = [[], []];
    const replicas = [ada, grace].map((who) => open(who, `${id}/1`, { protocols: who === ada ? [SUB_PROTOCOL] : [] }));
    await synced(...replicas);
    const written = [ada, grace].map((who, side) =>
      Array.from({ length: EACH }, (_, i) => ({ id: write(replicas[side]!, who, `${side}:${i}`), body: `${side}:${i}` })),
    );
    await until(() => expect(readLog(replicas[0]!.doc)).toHaveLength(LIMITS.segmentMessages));
    // What came after the last place is a tombstone in its own lane: it is to be written again in the next segment.
    for (const [side, who] of [ada, grace].entries()) {
      await until(() => {
        expect(readRoot(roots[side]!.doc)).toMatchObject({
          open: 2,
          segments: new Map([
            [1, 1],
            [2, 501],
          ]),
        });
        const { doc } = replicas[side]!;
        const log = new Set(readLog(doc));
        const lane = doc.getMap(laneName(who.id));
        again[side] = written[side]!.filter((message) => !log.has(message.id)).map(({ body }) => body);
        for (const message of written[side]!) expect(log.has(message.id)).toBe(lane.has(message.id));
      });
    }
    expect(again.flat()).toHaveLength(2 * EACH - LIMITS.segmentMessages);
    const told = replicas[0]!.heard.flatMap((heard) => (heard.kind === 'told' ? heard.entries : []));
    await until(() => expect(told.map(({ code }) => code)).toEqual(again[0]!.map(() => 'closed')));
    expect(replicas[1]!.heard).toEqual([]);

    const next = [open(ada, `${id}/2`), open(grace, `${id}/2`)];
    await synced(...next);
    expect(readSegmentMeta(next[0]!.doc)).toEqual({ n: 2, firstSeq: 501 });
    for (const [side, who] of [ada, grace].entries()) for (const body of again[side]!) write(next[side]!, who, body);
    await until(() => expect(next[1]!.messages()).toHaveLength(100));
    const history = await grace.history(id);
    expect(history.map(({ seq }) => seq)).toEqual(Array.from({ length: 2 * EACH }, (_, i) => i + 1));
    for (const [side, who] of [ada, grace].entries())
      expect(history.filter(({ senderId }) => senderId === who.id).map(({ content }) => content)).toEqual(
        written[side]!.map(({ body }) => body),
      );
    expect([...replicas, ...next, ...roots].flatMap(({ closes }) => closes)).toEqual([]);
  });

  test('[D8] a private document: two devices agree, and at 256 KiB the living values move on', async () => {
    const ada = await somebody();
    const first = `user:${ada.id}/1`;
    expect(await ada.privateDocument()).toBe(first);
    const [phone, desk] = [open(ada, first, { protocols: [SUB_PROTOCOL] }), open(ada, first)];
    await synced(phone, desk);
    const lane = ({ doc }: Replica): Y.Map<unknown> => doc.getMap(laneName(ada.id));
    const conversations = Array.from({ length: 4 }, () => makeUuid(Date.now(), systemRandom));
    lane(phone).set('stheme', 'dark');
    lane(desk).set(`c${conversations[0]}`, { mute: null, pin: 3, archive: false });
    await until(() => {
      expect(lane(desk).get('stheme')).toBe('dark');
      expect(lane(phone).get(`c${conversations[0]}`)).toEqual({ mute: null, pin: 3, archive: false });
    });
    let length = 0;
    for (let i = 0; length < LIMITS.segmentBytes; i++, length += 8_000) {
      const device = i % 2 ? phone : desk;
      lane(device).set(`d${conversations[i % 4]}`, `${i} `.padEnd(8_000, 'x'));
    }
    await until(() => expect(phone.heard.length).toBeGreaterThan(0));
    await vi.waitFor(async () => expect(await ada.privateDocument()).toBe(`user:${ada.id}/2`), PATIENCE);
    await until(() => expect(lane(phone).toJSON()).toEqual(lane(desk).toJSON()));
    // Whoever has the old one open is told there which goes on from it.
    await until(() => expect([phone, desk].map(({ doc }) => readNext(doc))).toEqual([2, 2]));
    const second = open(ada, `user:${ada.id}/2`);
    await synced(second);
    expect(lane(second).toJSON()).toEqual(lane(phone).toJSON());
    // The old one is closed: what comes late is told, and stands nowhere.
    const before = phone.heard.length;
    lane(phone).set('slate', true);
    await until(() => expect(phone.heard.length).toBeGreaterThan(before));
    expect(phone.heard[before]).toMatchObject({ kind: 'told', entries: [{ code: 'closed' }] });
    expect(lane(desk).has('slate')).toBe(false);
  });
});

describe('programs without a replica', () => {
  test('[H2] a message sent over HTTP appears at both; the same id is the same message, also after its segment has rolled over', async () => {
    const { ada, grace, id, a, g } = await twoPeople();
    const messageId = newId();
    const first = await ada.send(id, 'by HTTP', messageId);
    expect(first.status).toBe(201);
    await showsBoth(['by HTTP'], a, g);
    expect(await ada.send(id, 'by HTTP', messageId)).toEqual({ status: 200, message: first.message });
    for (let i = 1; i < LIMITS.segmentMessages; i++) write(g, grace, `m${i}`);
    await until(() => expect(bodies(a)).toHaveLength(LIMITS.segmentMessages));
    const later = await ada.send(id, 'the next segment', newId());
    expect(later).toMatchObject({ status: 201, message: { seq: 501 } });
    expect(await ada.send(id, 'by HTTP', messageId)).toEqual({ status: 200, message: first.message });
    expect((await ada.history(id)).filter(({ id }) => id === messageId)).toHaveLength(1);
    // It is nobody else's to repeat.
    await expect(grace.send(id, 'by HTTP', messageId)).rejects.toThrow('409');
    // A writer with a replica is told the same.
    const next = open(ada, `${id}/2`, { protocols: [SUB_PROTOCOL] });
    await synced(next);
    addMessage(next.doc, ada.id, messageId, ['by HTTP', null, null]);
    await until(() => expect(next.heard[0]).toMatchObject({ kind: 'told', entries: [{ code: 'duplicate' }] }));
  });

  test('[D2] two people who open the conversation at once get one', async () => {
    const [ada, grace] = [await somebody(), await somebody()];
    const answers = await Promise.all(
      [ada, grace, ada, grace].map((who) => who.call('POST', '/api/messaging/conversations', { userId: who === ada ? grace.id : ada.id })),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 201]);
    const ids = new Set(answers.map(({ body }) => conversationAnswer.parse(body).conversation.id));
    expect(ids.size).toBe(1);
    const [a, g] = [ada, grace].map((who) => open(who, `${[...ids][0]}/1`)) as [Replica, Replica];
    await synced(a, g);
    write(a, ada, 'hello');
    await showsBoth(['hello'], a, g);
  });

  test('[W2] a hand-made client gets step 1 first, and a step 2 even where it lacks nothing', async () => {
    const { ada, id, a } = await twoPeople();
    const socket = raw(`${id}/1`, { token: ada.token });
    await until(() => expect(socket.frames.map(readKind)).toEqual(['step1']));
    socket.send(encodeStep1(Y.encodeStateVector(a.doc)));
    await until(() => expect(socket.frames.map(readKind)).toEqual(['step1', 'step2']));
    expect(socket.frames[1]).toEqual(encodeStep2(Uint8Array.of(0, 0)));
    expect(socket.protocol()).toBe('');
  });
});
