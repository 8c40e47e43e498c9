import { createRoot, createSignal } from 'solid-js';
import { expect, test } from 'vitest';
import { makeTestClock } from '../sync/test-server.ts';
import type { ConnectionState } from '../sync/wire/connection.ts';
import { createConnectionStatus } from './create-connection-status.ts';

function setUp() {
  const clock = makeTestClock();
  const [connection, setConnection] = createSignal<ConnectionState>('open');
  const [isLive, setLive] = createSignal(true);
  const status = createRoot(() => createConnectionStatus({ connection, isLive, clock }));
  return { clock, setConnection, setLive, status };
}

test('[C5.6] a short break is nobody’s business', () => {
  const { clock, setLive, status } = setUp();
  for (let i = 0; i < 3; i++) {
    setLive(false);
    clock.pass(1_900);
    expect(status()).toBe('connected');
    setLive(true);
  }
});

test('[C5.6] after 2 s it is said, and why; the end of it at once', () => {
  const { clock, setConnection, setLive, status } = setUp();
  setLive(false);
  clock.pass(1_000);
  setConnection('offline');
  clock.pass(1_000);
  expect(status()).toBe('offline');
  setConnection('connecting');
  expect(status()).toBe('connecting');
  setConnection('http');
  setLive(true);
  expect(status()).toBe('connected');
});
