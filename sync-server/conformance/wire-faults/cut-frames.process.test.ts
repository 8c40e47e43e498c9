import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { conversationAnswer } from '../../../shared/api.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { SUB_PROTOCOL } from '../../../shared/protocol-version.ts';
import { addMessage } from '../../../shared/segment.ts';
import { type VirtualSockets, makeVirtualSockets } from '../../http/testing/virtual-sockets.ts';
import { newId } from '../frames.ts';
import { type Person, register } from '../person.ts';
import { type Replica, openReplica } from '../replica.ts';
import { type Server, startServer } from '../server-process.ts';
import { type Direction, type Passing, openFrameProxy } from './frame-proxy.ts';

/** The frame of one message has some 300 bytes, header and mask included; the network is cut after each of them. */
const BODY = 225;
const OFFSETS = 380;
/** They go on at once, each in a conversation of its own, and every one takes its share of the offsets. */
const LANES = 12;
// In Node each provider listens for the end of the process.
process.setMaxListeners(0);
const PATIENCE = { timeout: 20_000, interval: 5 };
const until = (check: () => void): Promise<void> => vi.waitFor(check, PATIENCE);

let server: Server;
let ada: Person;
let grace: Person;
beforeAll(async () => {
  server = await startServer();
  [ada, grace] = await Promise.all([register(server.origin, 'ada'), register(server.origin, 'grace')]);
  await ada.converse(grace);
});
afterAll(() => server.close());

const bodies = (replica: Replica): (string | null)[] => replica.messages().map(({ body }) => body);

/** How the document is opened: as any stock client does, with acks, or as a channel of the socket of many documents. */
const WAYS = ['stock', 'acks', 'channel'] as const;
type Way = (typeof WAYS)[number];

/** Ada writes, Grace reads, and the line of one of them is cut `direction`-wards within the frame of a message. */
async function openLane(id: Uuid, direction: Direction, way: Way) {
  let cutAfter: number | null = null;
  /** Lengths of the large frames since the last cut; the others are greetings. */
  let large: number[] = [];
  const isMessage = ({ bytes, isBinary }: Passing): boolean => isBinary && bytes.length > 200;
  const proxy = await openFrameProxy(server, (frame) => {
    if (frame.direction !== direction || !isMessage(frame)) return frame.pass(frame.bytes);
    if (cutAfter === null) {
      large.push(frame.bytes.length);
      return frame.pass(frame.bytes);
    }
    frame.pass(frame.bytes.subarray(0, cutAfter));
    frame.cut();
    cutAfter = null;
    large = [];
  });
  const shared: VirtualSockets[] = [];
  function open(who: Person, isCut: boolean): Replica {
    const at = isCut ? proxy : server;
    if (way !== 'channel') return openReplica(at, who, `${id}/1`, { protocols: way === 'acks' ? [SUB_PROTOCOL] : [] });
    const sockets = makeVirtualSockets(at.syncUrl, who.token);
    shared.push(sockets);
    return openReplica({ syncUrl: 'ws://virtual' }, who, `${id}/1`, { WebSocketPolyfill: sockets.WebSocketPolyfill });
  }
  const [writer, reader] = [open(ada, direction === 'up'), open(grace, direction === 'down')];
  await until(() => expect([writer, reader].every(({ provider }) => provider.synced)).toBe(true));
  return {
    writer,
    reader,
    cut: direction === 'up' ? writer : reader,
    cutAt: (offset: number) => void (cutAfter = offset),
    large: () => large,
    async close() {
      writer.close();
      reader.close();
      for (const sockets of shared) sockets.close();
      await proxy.close();
    },
  };
}

async function cutAtEach(direction: Direction, offsets: readonly number[], way: Way): Promise<void> {
  const made = await ada.call('POST', '/api/messaging/conversations', { title: 'Talk', memberIds: [grace.id] });
  const { id } = conversationAnswer.parse(made.body).conversation;
  const { writer, reader, cut, cutAt, large, close } = await openLane(id, direction, way);
  try {
    // Of the length of all frames that come, so that every offset is within one.
    const say = (i: number): string => {
      const body = `message ${String(i).padStart(4, '0')} `.padEnd(BODY, '.');
      addMessage(writer.doc, ada.id, newId(), [body, null, null]);
      return body;
    };
    const expected = [say(0)];
    await until(() => expect(bodies(reader)).toEqual(expected));
    expect(large()).toHaveLength(1);
    const [whole = 0] = large();
    expect(whole).toBeGreaterThan(270);
    expect(whole).toBeLessThan(OFFSETS);
    for (const offset of offsets.filter((each) => each <= whole)) {
      const closes = cut.closes.length;
      const before = [...expected];
      let seenAtCut: (string | null)[] | null = null;
      cut.provider.once('connection-close', () => (seenAtCut = bodies(reader)));
      let changes = 0;
      const count = (_: Uint8Array, origin: unknown): void => void (origin === reader.provider && changes++);
      reader.doc.on('update', count);
      cutAt(offset);
      expected.push(say(expected.length));
      await until(() => expect(cut.closes).toHaveLength(closes + 1));
      // Nothing of half a frame has an effect.
      if (offset < whole) expect(seenAtCut).toEqual(before);
      await until(() => expect([bodies(reader), bodies(writer), cut.provider.synced]).toEqual([expected, expected, true]));
      reader.doc.off('update', count);
      expect([offset, changes]).toEqual([offset, 1]);
      // What comes again is what was missing, however much was said before.
      expect(Math.max(0, ...large())).toBeLessThan(whole + 64);
      expect(large().length).toBeLessThanOrEqual(1);
      if (offset < whole) expect(large()).toHaveLength(1);
    }
    const history = await grace.history(id);
    expect(history.map(({ content }) => content)).toEqual(expected);
    expect(history.map(({ seq }) => seq)).toEqual(expected.map((_, i) => i + 1));
  } finally {
    await close();
  }
}

describe.each(['up', 'down'] as const)('[F7] [L11] the network is cut after each byte of a message that goes %s', (direction) => {
  test('half of it has no effect, and what was missing comes again, alone and once', async () => {
    const offsets = Array.from({ length: OFFSETS }, (_, i) => i);
    await Promise.all(
      Array.from({ length: LANES }, (_, lane) =>
        cutAtEach(
          direction,
          offsets.filter((offset) => offset % LANES === lane),
          WAYS[lane % WAYS.length]!,
        ),
      ),
    );
  });
});
