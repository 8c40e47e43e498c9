import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import type { Server } from './server-process.ts';

/** A connection below HTTP: it says what it is told, byte by byte, and reads only when it wants. */
export interface RawTcp {
  socket: Socket;
  /** What came so far, as text. */
  heard(): string;
  write(bytes: string | Uint8Array): void;
  /** Settles when the server has ended the connection. */
  ended: Promise<void>;
}

export async function dialTcp({ origin }: Pick<Server, 'origin'>): Promise<RawTcp> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  let heard = '';
  socket.on('data', (bytes: Buffer) => (heard += bytes.toString('latin1')));
  // A server that cuts us off is what many of these tests want.
  socket.on('error', () => {});
  const ended = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  socket.once('end', () => socket.destroy());
  await once(socket, 'connect');
  return { socket, heard: () => heard, write: (bytes) => void socket.write(bytes), ended };
}

/** The head of an upgrade to `/api/sync/<path>`. */
export function upgradeHead(path: string, headers: Record<string, string> = {}): string {
  const all = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET /api/sync/${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A client's frame, masked with zeros, with whatever is wrong with it. */
export function wsFrame(
  opcode: number,
  payload: Uint8Array,
  {
    fin = true,
    masked = true,
    rsv = 0,
    declared = payload.byteLength,
  }: { fin?: boolean; masked?: boolean; rsv?: number; declared?: number } = {},
): Uint8Array {
  const length = declared < 126 ? [declared] : declared < 65_536 ? [126, declared >> 8, declared & 255] : [127, ...eightBytes(declared)];
  const [first = 0, ...rest] = length;
  const mask = masked ? [0, 0, 0, 0] : [];
  return Uint8Array.of((fin ? 128 : 0) | rsv | opcode, (masked ? 128 : 0) | first, ...rest, ...mask, ...payload);
}

function eightBytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

/** Memory of a process that is its own, in bytes. */
export function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
