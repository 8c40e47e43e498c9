import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { OPCODE } from '../raw-tcp.ts';
import type { Server } from '../server-process.ts';

/** `up`: from a client to the server. */
export type Direction = 'up' | 'down';

/** A WebSocket frame on its way, and what can be done with it. */
export interface Passing {
  direction: Direction;
  /** The whole frame, as it stands on the wire. */
  bytes: Buffer;
  /** What is in it, read. */
  payload: Uint8Array;
  isBinary: boolean;
  pass(bytes: Buffer): void;
  /** Ends the connection both ways, once what was passed on has arrived. */
  cut(): void;
}

/** A byte proxy before the server that knows WebSocket frames; the upgrades go through. */
export interface FrameProxy {
  /** For `WebsocketProvider`. */
  syncUrl: string;
  close(): Promise<void>;
}

/** The first frame of these bytes; null: it is not whole yet. */
function firstFrame(bytes: Buffer): { length: number; opcode: number; payload: Uint8Array } | null {
  if (bytes.length < 2) return null;
  const short = bytes[1]! & 127;
  const head = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);
  if (bytes.length < head) return null;
  const size = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  const isMasked = (bytes[1]! & 128) !== 0;
  const start = head + (isMasked ? 4 : 0);
  if (bytes.length < start + size) return null;
  const mask = bytes.subarray(head, start);
  const payload = Uint8Array.from(bytes.subarray(start, start + size), (byte, i) => (isMasked ? byte ^ mask[i % 4]! : byte));
  return { length: start + size, opcode: bytes[0]! & 15, payload };
}

/** Hands over the frames of one direction; what comes before the end of the upgrade goes to `onHead`. */
function makeSplitter(onHead: (bytes: Buffer) => void, onFrame: (frame: Buffer, opcode: number, payload: Uint8Array) => void) {
  let rest = Buffer.alloc(0);
  let isUpgraded = false;
  return (bytes: Buffer): void => {
    rest = Buffer.concat([rest, bytes]);
    if (!isUpgraded) {
      const end = rest.indexOf('\r\n\r\n');
      if (end === -1) return;
      isUpgraded = true;
      onHead(rest.subarray(0, end + 4));
      rest = rest.subarray(end + 4);
    }
    for (let frame = firstFrame(rest); frame; frame = firstFrame(rest)) {
      const whole = rest.subarray(0, frame.length);
      rest = rest.subarray(frame.length);
      onFrame(whole, frame.opcode, frame.payload);
    }
  };
}

/** Every frame is in `onFrame`'s hands. `isShared`: its socket is one of many documents. */
export async function openFrameProxy(
  { origin }: Pick<Server, 'origin'>,
  onFrame: (frame: Passing, isShared: boolean) => void,
): Promise<FrameProxy> {
  const target = new URL(origin);
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let isCut = false;
    let isShared = false;
    const cut = (): void => {
      isCut = true;
      client.end();
      upstream.end();
    };
    for (const [from, to, direction] of [
      [client, upstream, 'up'],
      [upstream, client, 'down'],
    ] as const) {
      open.add(from);
      const write = (bytes: Buffer): void => void (isCut || to.write(bytes));
      const head = (bytes: Buffer): void => {
        isShared ||= bytes.toString('latin1').startsWith('GET /api/sync HTTP');
        write(bytes);
      };
      const split = makeSplitter(head, (bytes, opcode, payload) => {
        if (!isCut) onFrame({ direction, bytes, payload, isBinary: opcode === OPCODE.binary, pass: write, cut }, isShared);
      });
      from.on('data', (bytes: Buffer) => isCut || split(bytes));
      from.on('error', () => {}).once('end', () => to.end());
      from.once('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    syncUrl: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/api/sync`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
