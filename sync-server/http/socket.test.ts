import { EventEmitter } from 'node:events';
import type { WebSocket, WebSocketServer } from 'ws';
import { expect, test, vi } from 'vitest';
import { makeManualClock } from '../core/testing/manual-clock.ts';
import { keepHeartbeat } from './socket.ts';

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
