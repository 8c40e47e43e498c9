import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { conversation as conversationSchema } from '../../../shared/api.ts';
import { INBOX_CHANNEL, decodeChannelFrame } from '../../../shared/channels.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { PROTOCOL_VERSION, SUB_PROTOCOL } from '../../../shared/protocol-version.ts';
import { MESSAGE } from '../../../shared/protocol.ts';
import { addMessage, deleteMessage, editMessage, react, readLog, readMessages } from '../../../shared/segment.ts';
import { makeChance } from '../../core/simulator/chance.ts';
import { makeVirtualSockets } from '../../http/testing/virtual-sockets.ts';
import { newId } from '../frames.ts';
import { type Person, register } from '../person.ts';
import { openReplica } from '../replica.ts';
import { type Server, startServer } from '../server-process.ts';
import { type FrameProxy, type Passing, openFrameProxy } from './frame-proxy.ts';

const { SEED = String(Date.now() % 1_000_000) } = process.env;
const PATIENCE = { timeout: 20_000, interval: 20 };
const until = (check: () => void | Promise<void>): Promise<void> => vi.waitFor(check, PATIENCE);
// In Node each provider listens for the end of the process.
process.setMaxListeners(0);

let server: Server;
let proxy: FrameProxy;
/** Frames that went through, and how often each went on the average. */
let frames = { all: 0, passed: 0 };

/** What may come more than once: everything of a document, and of the inbox all but the greeting; channels are opened once by rule. */
function mayRepeat({ direction, payload, isBinary }: Passing, isShared: boolean): boolean {
  if (!isBinary) return false;
  const frame = isShared ? decodeChannelFrame(payload) : null;
  if (!frame) return !isShared;
  return frame.op === 'data' && (frame.channel !== INBOX_CHANNEL || direction === 'down');
}

beforeAll(async () => {
  console.info(`SEED=${SEED}`);
  const chance = makeChance(Number(SEED));
  server = await startServer();
  proxy = await openFrameProxy(server, (frame, isShared) => {
    const times = mayRepeat(frame, isShared) ? 1 + chance.int(5) : 1;
    for (let i = 0; i < times; i++) frame.pass(frame.bytes);
    frames = { all: frames.all + 1, passed: frames.passed + times };
  });
});
afterAll(async () => {
  await proxy.close();
  await server.close();
});

const rowOf = async (who: Person, id: Uuid) => {
  const { body } = await who.call('GET', '/api/messaging/conversations');
  return conversationSchema
    .array()
    .parse((body as { conversations: unknown }).conversations)
    .find((row) => row.id === id)!;
};

/** Writes, edits, deletes and reacts as Ada, and awaits that both see the same, once; Grace has what is left to read. */
async function exchangeAll(ada: Person, grace: Person, id: Uuid, a: Y.Doc, g: Y.Doc): Promise<void> {
  const ids = Array.from({ length: 30 }, () => newId());
  for (const [i, messageId] of ids.entries()) addMessage(a, ada.id, messageId, [`m${i}`, null, null]);
  await until(() => expect(readLog(g)).toEqual(ids));
  editMessage(a, ada.id, ids[0]!, 'm0, edited', 1);
  deleteMessage(a, ada.id, ids[1]!);
  react(g, grace.id, ids[2]!, ['👍']);
  const expected = ids.map((_, i) => (i === 0 ? 'm0, edited' : i === 1 ? null : `m${i}`));
  await until(() => {
    for (const doc of [a, g]) {
      expect(readMessages(doc).map(({ body }) => body)).toEqual(expected);
      expect(readMessages(doc)[2]!.reactions).toEqual(new Map([['👍', [grace.id]]]));
    }
    expect(Y.encodeStateAsUpdate(a)).toEqual(Y.encodeStateAsUpdate(g));
  });
  const history = await grace.history(id);
  expect(history.map(({ seq }) => seq)).toEqual(ids.map((_, i) => i + 1));
  expect(history.map((message) => message.id)).toEqual(ids);
  // What was deleted is not unread.
  expect(await rowOf(grace, id)).toMatchObject({ unreadCount: ids.length - 1, lastReadSeq: 0 });
}

test('[F10] [L8] each frame comes one to five times, over sockets of stock providers: one row, one bubble, one unread', async () => {
  const [ada, grace] = await Promise.all([register(server.origin, 'ada'), register(server.origin, 'grace')]);
  const { id } = await ada.converse(grace);
  const replicas = [
    openReplica(proxy, ada, `${id}/1`, { protocols: [SUB_PROTOCOL] }),
    openReplica(proxy, grace, `${id}/1`),
    openReplica(proxy, grace, id),
  ] as const;
  const [a, g, root] = replicas;
  await until(() => expect(replicas.every(({ provider }) => provider.synced)).toBe(true));
  await exchangeAll(ada, grace, id, a.doc, g.doc);
  root.provider.awareness.setLocalState({ typing: false, read: 10 });
  await until(async () => expect(await rowOf(grace, id)).toMatchObject({ unreadCount: 20, lastReadSeq: 10 }));
  expect(replicas.flatMap(({ closes }) => closes)).toEqual([]);
  for (const replica of replicas) replica.close();
  expect(frames.passed).toBeGreaterThan(2 * frames.all);
});

test('[F10] [W9] the same over channels of one socket, with the inbox', async () => {
  const [ada, grace] = await Promise.all([register(server.origin, 'ada-2'), register(server.origin, 'grace-2')]);
  const { id } = await ada.converse(grace);
  const ends = [ada, grace].map((who) => {
    const sockets = makeVirtualSockets(proxy.syncUrl, who.token);
    sockets.say({ hello: { version: PROTOCOL_VERSION, cursor: null } });
    const provider = new WebsocketProvider('ws://virtual', `${id}/1`, new Y.Doc(), {
      WebSocketPolyfill: sockets.WebSocketPolyfill,
      disableBc: true,
    });
    provider.messageHandlers[MESSAGE.ack] = () => {};
    return { sockets, provider };
  });
  const [a, g] = ends as [(typeof ends)[0], (typeof ends)[0]];
  await until(() => expect(ends.every(({ provider }) => provider.synced)).toBe(true));
  await exchangeAll(ada, grace, id, a.provider.doc, g.provider.doc);
  await until(() => {
    const last = g.sockets.inbox.flatMap((answer) => ('changed' in answer ? answer.changed : [])).at(-1);
    expect(last).toMatchObject({ id, unreadCount: 29, lastMessage: { seq: 30 } });
  });
  expect(ends.flatMap(({ sockets }) => sockets.closes)).toEqual([]);
  for (const { provider, sockets } of ends) {
    provider.destroy();
    provider.awareness.destroy();
    sockets.close();
  }
});
