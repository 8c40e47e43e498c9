import { WebSocket } from 'ws';
import type { Server } from './server-process.ts';

/** A hand-made client: it sends what it is told and keeps what it hears. */
export interface RawSocket {
  frames: Uint8Array[];
  /** The sub-protocol that the server selected. */
  protocol(): string;
  send(frame: Uint8Array | string): void;
  /** Settles when the connection is gone; `status` where the upgrade was answered by HTTP. */
  closed: Promise<{ code: number; reason: string } | { status: number }>;
  opened: Promise<void>;
  close(): void;
}

/** Opens `/api/sync/<path>`, with a token, headers and sub-protocols as wanted. */
export function openRaw(
  server: Server,
  path: string,
  { token, headers = {}, protocols = [] }: { token?: string; headers?: Record<string, string>; protocols?: string[] } = {},
): RawSocket {
  const socket = new WebSocket(`${server.syncUrl}/${path}`, protocols, {
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
  });
  const frames: Uint8Array[] = [];
  socket.on('message', (frame: Buffer) => frames.push(new Uint8Array(frame)));
  const closed = new Promise<{ code: number; reason: string } | { status: number }>((resolve) => {
    socket.on('unexpected-response', (request, response) => {
      resolve({ status: response.statusCode ?? 0 });
      request.destroy();
    });
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    socket.on('error', () => {});
  });
  const opened = new Promise<void>((resolve) => socket.once('open', resolve));
  return { frames, protocol: () => socket.protocol, send: (frame) => socket.send(frame), closed, opened, close: () => socket.terminate() };
}
