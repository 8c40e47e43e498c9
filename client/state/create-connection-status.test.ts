import { createRoot, createSignal } from 'solid-js';
import { expect, test } from 'vitest';
import { makeTestClock } from '../sync/test-server.ts';
import { createConnectionStatus } from './create-connection-status.ts';

function setUp() {
  const clock = makeTestClock();
  const [isOnline, setOnline] = createSignal(true);
  const [isLive, setLive] = createSignal(true);
  const status = createRoot(() => createConnectionStatus({ isOnline, isLive, clock }));
  return { clock, setOnline, setLive, status };
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
  const { clock, setOnline, setLive, status } = setUp();
  setLive(false);
  clock.pass(1_000);
  setOnline(false);
  clock.pass(1_000);
  expect(status()).toBe('offline');
  setOnline(true);
  expect(status()).toBe('connecting');
  setLive(true);
  expect(status()).toBe('connected');
});
