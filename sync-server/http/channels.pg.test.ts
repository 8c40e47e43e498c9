import { once } from 'node:events';
import { createRequire } from 'node:module';
import * as Y from 'yjs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import { conversationAnswer } from '../../shared/api.ts';
import { systemRandom } from '../../shared/clock.ts';
import { CLOSE } from '../../shared/close-codes.ts';
import { makeMessageId } from '../../shared/ids.ts';
import type { InboxAnswer, InboxChanges } from '../../shared/inbox.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol-version.ts';
import { MESSAGE } from '../../shared/protocol.ts';
import { addMessage, readMessages } from '../../shared/segment.ts';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Env } from './route.ts';
import { mountSync } from './sync-route.ts';
import { type TestApi, type TestPerson, openTestApi } from './test-api.ts';
import { listen } from './testing/listen.ts';
import { type VirtualSockets, makeVirtualSockets } from './testing/virtual-sockets.ts';

// The client's plugin makes the test runner resolve `ws` as a browser would; here it is Node's.
vi.mock('ws', () => {
  const ws = createRequire(import.meta.url)('../../node_modules/ws/index.js') as typeof import('ws');
  return { WebSocket: ws.WebSocket, WebSocketServer: ws.WebSocketServer };
});

let api: TestApi;
let server: Awaited<ReturnType<typeof listen>>;
// In Node each provider listens for the end of the process.
process.setMaxListeners(0);
beforeAll(async () => {
  api = await openTestApi();
  server = await listen(api);
});
afterAll(async () => {
  await server.close();
  await api.close();
});

let count = 0;
const somebody = (): Promise<TestPerson> => api.register(`channel${++count}`);
const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 30_000, interval: 25 });
const connect = (person: TestPerson): VirtualSockets => makeVirtualSockets(server.url, person.accessToken);

/** A stock provider whose socket is one within the shared one. */
function provide(sockets: VirtualSockets, documentId: string): WebsocketProvider {
  const provider = new WebsocketProvider('ws://virtual', documentId, new Y.Doc(), {
    WebSocketPolyfill: sockets.WebSocketPolyfill,
    disableBc: true,
    maxBackoffTime: 500,
  });
  // A stock provider would print an error for acks, which a channel always has.
  provider.messageHandlers[MESSAGE.ack] = () => {};
  return provider;
}
function destroy(provider: WebsocketProvider): void {
  provider.destroy();
  provider.awareness.destroy();
  provider.doc.destroy();
}

async function openGroup(owner: TestPerson, ...others: TestPerson[]): Promise<string> {
  const body = { title: 'group', memberIds: others.map(({ id }) => id) };
  const answer = await owner.call('POST', '/api/messaging/conversations', body);
  const { id } = conversationAnswer.parse(answer.body).conversation;
  for (const other of others) await other.call('PUT', `/api/messaging/conversations/${id}/accept`);
  return id;
}
const write = ({ doc }: WebsocketProvider, { id }: TestPerson, text: string): void =>
  addMessage(doc, id, makeMessageId(api.now(), systemRandom), [text, null, null]);
const textsOf = ({ doc }: WebsocketProvider): (string | null)[] => readMessages(doc).map(({ body }) => body);

test('[W9] [W10] fifty documents of two people over two sockets converge with stock providers, also after both were cut off', async () => {
  const [ada, grace] = [await somebody(), await somebody()];
  const ids: string[] = [];
  for (let i = 0; i < 25; i++) ids.push(await openGroup(ada, grace));
  const links = [connect(ada), connect(grace)] as const;
  const [adas, graces] = links.map((link) => ids.flatMap((id) => [provide(link, id), provide(link, `${id}/1`)])) as [
    WebsocketProvider[],
    WebsocketProvider[],
  ];
  const segments = (providers: WebsocketProvider[]) => providers.filter((_, i) => i % 2 === 1);
  await until(() => expect([...adas, ...graces].every(({ synced }) => synced)).toBe(true));
  expect(server.sockets.clients.size).toBe(2);
  expect(links.map((link) => link.dialled())).toEqual([1, 1]);

  segments(adas).forEach((provider, i) => write(provider, ada, `hello ${i}`));
  await until(() => expect(segments(graces).map(textsOf)).toEqual(ids.map((_, i) => [`hello ${i}`])));

  for (const link of links) link.cut();
  segments(graces).forEach((provider, i) => write(provider, grace, `offline ${i}`));
  await until(() => {
    for (const providers of [adas, graces])
      expect(segments(providers).map(textsOf)).toEqual(ids.map((_, i) => [`hello ${i}`, `offline ${i}`]));
  });
  expect(links.map((link) => link.dialled())).toEqual([2, 2]);
  [...adas, ...graces].forEach(destroy);
  for (const link of links) link.close();
  await until(() => expect(server.sockets.clients.size).toBe(0));
});

test('[W1] [W9] a provider on a socket of its own and one within the shared socket are in the same room', async () => {
  const [ada, grace] = [await somebody(), await somebody()];
  const segment = `${await openGroup(ada, grace)}/1`;
  const link = connect(ada);
  const within = provide(link, segment);
  class OwnSocket extends WebSocket {
    constructor(address: string) {
      super(address, { headers: { Authorization: `Bearer ${grace.accessToken}` } });
    }
  }
  const alone = new WebsocketProvider(server.url, segment, new Y.Doc(), {
    WebSocketPolyfill: OwnSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
  });
  await until(() => expect([within.synced, alone.synced]).toEqual([true, true]));
  write(within, ada, 'from within');
  write(alone, grace, 'from outside');
  await until(() => expect(new Set(textsOf(within))).toEqual(new Set(['from outside', 'from within'])));
  await until(() => expect(textsOf(alone)).toEqual(textsOf(within)));
  [within, alone].forEach(destroy);
  link.close();
});

describe('the inbox', () => {
  const isChanges = (answer: InboxAnswer): answer is InboxChanges => 'changed' in answer;
  const rowsOf = (link: VirtualSockets) => link.inbox.filter(isChanges).flatMap(({ changed }) => changed);
  const cursorOf = (link: VirtualSockets) => link.inbox.filter(isChanges).at(-1)!.cursor;
  const hello = (cursor: string | null) => ({ hello: { version: PROTOCOL_VERSION, cursor } });

  test('[I2] [I3] the list catches up by what changed, and is live without a document open', async () => {
    const [ada, grace] = [await somebody(), await somebody()];
    const [one, other] = [await openGroup(ada, grace), await openGroup(ada, grace)];
    const first = connect(grace);
    first.say(hello(null));
    await until(() => expect(rowsOf(first).map(({ id }) => id)).toEqual([other, one]));
    const post = (conversationId: string, content: string) => ada.call('POST', '/api/messaging/messages', { conversationId, content });
    await post(one, 'live');
    await until(() => expect(rowsOf(first).at(-1)).toMatchObject({ id: one, unreadCount: 1, lastMessage: { preview: 'live' } }));
    await grace.call('PATCH', `/api/messaging/conversations/${one}/read`, { seq: 1 });
    await until(() => expect(rowsOf(first).at(-1)).toMatchObject({ id: one, unreadCount: 0, lastReadSeq: 1 }));
    const cursor = cursorOf(first);
    first.close();
    await post(other, 'missed');
    const third = await openGroup(ada, grace);
    const again = connect(grace);
    again.say(hello(cursor));
    await until(() => expect(new Set(rowsOf(again).map(({ id }) => id))).toEqual(new Set([other, third])));
    expect(rowsOf(again).find(({ id }) => id === other)).toMatchObject({ unreadCount: 1, lastMessage: { preview: 'missed' } });
    again.close();
  });

  test('[I5] [P4] what one has stored is seen by the other in the root’s awareness', async () => {
    const [ada, grace] = [await somebody(), await somebody()];
    const id = await openGroup(ada, grace);
    await grace.call('PUT', `/api/messaging/conversations/${id}/accept`);
    await ada.call('POST', '/api/messaging/messages', { conversationId: id, content: 'hello' });
    const [adas, graces] = [connect(ada), connect(grace)];
    const [root, there] = [provide(adas, id), provide(graces, id)];
    graces.say(hello(null));
    graces.say({ delivered: { [id]: 1 } });
    await until(() => {
      const away = [...root.awareness.getStates().values()].flatMap((state) => (state.away ? [state.away as unknown] : []));
      expect(away).toEqual([expect.objectContaining({ [grace.id]: [0, 1] })]);
    });
    [root, there].forEach(destroy);
    for (const link of [adas, graces]) link.close();
  });
});

describe('the door', () => {
  const closeOf = async (headers: Record<string, string>): Promise<number> => {
    const socket = new WebSocket(server.url, { headers });
    const [code] = (await once(socket, 'close')) as [number];
    return code;
  };

  test('[W4] [S3] nobody, a foreign page and somebody whose session ran out', async () => {
    const person = await somebody();
    expect(await closeOf({})).toBe(CLOSE.unauthorized.code);
    const foreign = new WebSocket(server.url, {
      headers: { Origin: 'https://evil.example', Authorization: `Bearer ${person.accessToken}` },
    });
    const [error] = (await once(foreign, 'error')) as [Error];
    expect(error.message).toContain('403');
    api.pass(16 * 60_000);
    expect(await closeOf({ Authorization: `Bearer ${person.accessToken}` })).toBe(CLOSE.expired.code);
  });

  test('[W11] [S4] signing out ends the socket and all channels in it', async () => {
    const [ada, grace] = [await somebody(), await somebody()];
    const link = connect(ada);
    const provider = provide(link, await openGroup(ada, grace));
    await until(() => expect(provider.synced).toBe(true));
    provider.shouldConnect = false;
    await ada.call('POST', '/api/auth/logout', {});
    await until(() => expect(link.closes).toEqual([CLOSE.unauthorized.code]));
    expect(provider.wsconnected).toBe(false);
    destroy(provider);
  });
});

test('[W4] while nobody can say who asks, both kinds of socket are told to come back', async () => {
  const app = new OpenAPIHono<Env>();
  app.use((c, next) => {
    c.set('place', { secure: false, host: 'localhost', address: '' });
    return next();
  });
  const never = () => Promise.reject(new Error('nobody gets that far'));
  mountSync(app, {
    authenticate: () => Promise.reject(new Error('the database is away')),
    isForeign: () => false,
    open: () => expect.unreachable(),
    openChannels: () => expect.unreachable(),
    exchange: never,
    clock: { elapsed: () => 0 },
  });
  const away = await listen({ app });
  for (const url of [away.url, `${away.url}/00000000-0000-5000-8000-000000000000`]) {
    const socket = new WebSocket(url);
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(CLOSE.tryLater.code);
  }
  await away.close();
});
