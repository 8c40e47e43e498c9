import { createRoot, createSignal } from 'solid-js';
import { expect, test } from 'vitest';
import { makeTestClock } from '../sync/test-server.ts';
import { createDeviceStatus } from './create-device-status.ts';

function setUp() {
  const clock = makeTestClock();
  const [isFailing, setFailing] = createSignal(false);
  const status = createRoot(() => createDeviceStatus(isFailing, clock));
  return { clock, setFailing, status };
}

test('[F14] what is mended at once is nobody’s business', () => {
  const { clock, setFailing, status } = setUp();
  for (let i = 0; i < 3; i++) {
    setFailing(true);
    clock.pass(900);
    setFailing(false);
    expect(status()).toBe('kept');
  }
});

test('[F14] that nothing is kept is said for as long as it is so, and then for a moment that it is over', () => {
  const { clock, setFailing, status } = setUp();
  setFailing(true);
  clock.pass(1_000);
  expect(status()).toBe('memory');
  clock.pass(60_000);
  expect(status()).toBe('memory');
  setFailing(false);
  expect(status()).toBe('again');
  clock.pass(4_999);
  expect(status()).toBe('again');
  clock.pass(1);
  expect(status()).toBe('kept');
});

test('[F14] what fails again meanwhile is told again, and the moment begins anew', () => {
  const { clock, setFailing, status } = setUp();
  for (let i = 0; i < 2; i++) {
    setFailing(true);
    clock.pass(1_000);
    expect(status()).toBe('memory');
    setFailing(false);
    clock.pass(4_000);
    expect(status()).toBe('again');
  }
});
