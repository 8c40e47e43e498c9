import { EventEmitter } from 'node:events';
import type { WebSocket, WebSocketServer } from 'ws';
import { expect, test, vi } from 'vitest';
import { makeManualClock } from '../core/testing/manual-clock.ts';
import type { Socket } from '../core/ports.ts';
import { keepHeartbeat, serve } from './socket.ts';

vi.mock('ws', () => ({ WebSocketServer: Object }));

/** A connection of the WebSocket server that answers pings or not. */
class Connection extends EventEmitter {
  isPaused = false;
  terminated = 0;
  answers: boolean;
  constructor(answers: boolean) {
    super();
    this.answers = answers;
  }
  ping(): void {
    if (this.answers) this.emit('pong');
  }
  terminate(): void {
    this.terminated++;
  }
}

test('[P5] a connection that answers no ping is ended within 35 s, one that answers or is not read is not', async () => {
  const clock = makeManualClock();
  const server = Object.assign(new EventEmitter(), { clients: new Set<WebSocket>() });
  const stop = keepHeartbeat(server as unknown as WebSocketServer, clock);
  const [dead, alive, paused] = [new Connection(false), new Connection(true), new Connection(false)];
  paused.isPaused = true;
  for (const connection of [dead, alive, paused]) {
    server.clients.add(connection as unknown as WebSocket);
    server.emit('connection', connection);
  }
  await clock.advance(29_000);
  expect(dead.terminated).toBe(0);
  await clock.advance(6_000);
  expect([dead, alive, paused].map(({ terminated }) => terminated)).toEqual([1, 0, 0]);
  paused.isPaused = false;
  await clock.advance(35_000);
  expect([paused.terminated > 0, alive.terminated]).toEqual([true, 0]);
  stop();
  const before = dead.terminated;
  await clock.advance(60_000);
  expect(dead.terminated).toBe(before);
});

test('[P5] a connection has as long again when it was not read for a while, and whatever it says counts', async () => {
  const clock = makeManualClock();
  const server = Object.assign(new EventEmitter(), { clients: new Set<WebSocket>() });
  keepHeartbeat(server as unknown as WebSocketServer, clock);
  const [busy, talking] = [new Connection(false), new Connection(false)];
  for (const connection of [busy, talking]) {
    server.clients.add(connection as unknown as WebSocket);
    server.emit('connection', connection);
  }
  for (let i = 0; i < 4; i++) {
    busy.isPaused = i % 2 === 1;
    talking.emit('message');
    await clock.advance(15_000);
  }
  expect([busy.terminated, talking.terminated]).toEqual([0, 0]);
});

test('[W7] a connection tells when it has been read: at once where nothing waits, never once it is ending', async () => {
  const tcp = Object.assign(new EventEmitter(), { writableNeedDrain: true, writableEnded: false, destroyed: false });
  let socket: Socket | null = null;
  const events = serve(tcp as unknown as Parameters<typeof serve>[0], (opened) => {
    socket = opened;
    return { userId: '', sid: '', receive() {}, closed() {}, end() {}, extend() {} };
  });
  events.onOpen?.(new Event('open'), { raw: {}, protocol: '' } as Parameters<NonNullable<typeof events.onOpen>>[1]);
  let told = 0;
  const wait = (): Promise<void> => {
    socket!.drained(() => told++);
    return new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));
  };
  await wait();
  expect(told).toBe(0);
  tcp.emit('drain');
  expect(told).toBe(1);
  tcp.writableNeedDrain = false;
  await wait();
  expect(told).toBe(2);
  tcp.writableEnded = true;
  await wait();
  expect(told).toBe(2);
});
