import { expect, test } from 'vitest';
import { INBOX_CHANNEL, encodeChannelFrame } from '../../../shared/channels.ts';
import { encodeSpread } from '../../../shared/close-codes.ts';
import type { RandomBytes } from '../../../shared/clock.ts';
import { encodeInbox } from '../../../shared/inbox.ts';
import { makeTestClock } from '../test-server.ts';
import { openConnection } from './connection.ts';

const CLIENTS = 2_000;
const GREETING = encodeChannelFrame({
  op: 'data',
  channel: INBOX_CHANNEL,
  payload: encodeInbox({ hello: { version: 1, oldest: 1 } }),
}).slice().buffer;

/** A stand-in for a socket that the test opens and closes. */
interface Dialled {
  onopen: (() => void) | null;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
}

/** Seeded chance (a linear congruential generator, its high bits). */
function makeRandom(seed: number): RandomBytes {
  let state = seed;
  const next = (): number => ((state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0), state >>> 24);
  return (size) => Uint8Array.from({ length: size }, next);
}

/** One client whose socket is closed, and whose dials fail for `downMs` after that: when it is back, and when it dialled, in milliseconds from then. */
function comeBack(seed: number, close: { code: number; reason: string }, downMs: number): { back: number; dials: number[] } {
  const clock = makeTestClock();
  const sockets: Dialled[] = [];
  const connection = openConnection({
    url: 'ws://host/api/sync',
    WebSocket: function Socket() {
      const socket: Dialled & Record<string, unknown> = { onopen: null, onmessage: null, onclose: null, send() {}, close() {} };
      sockets.push(socket);
      return socket;
    } as unknown as typeof WebSocket,
    exchange: async () => ({ kind: 'unreachable' }),
    renew: async () => 'renewed',
    clock,
    random: makeRandom(seed),
    isOnline: true,
    cursor: () => null,
    onInbox() {},
    pollInbox: async () => false,
    onEnded() {},
  });
  const greet = (socket: Dialled): void => {
    socket.onopen?.();
    socket.onmessage?.({ data: GREETING });
  };
  clock.pass(0);
  greet(sockets[0]!);
  const startedAt = clock.elapsed();
  sockets[0]!.onclose?.(close);
  const dials: number[] = [];
  for (;;) {
    const known = sockets.length;
    while (sockets.length === known) clock.pass(1);
    const at = clock.elapsed() - startedAt;
    dials.push(at);
    if (at < downMs) {
      sockets.at(-1)!.onclose?.({ code: 1006, reason: '' });
      continue;
    }
    connection.close();
    return { back: at, dials };
  }
}

const crowd = (close: { code: number; reason: string }, downMs = 0) =>
  Array.from({ length: CLIENTS }, (_, i) => comeBack(i * 7_919 + 1, close, downMs));

/** How many of them fall into each part of the time. */
function histogram(times: readonly number[], partMs: number, parts: number): number[] {
  const counts = Array.from({ length: parts }, () => 0);
  for (const time of times) counts[Math.floor(time / partMs)]! += 1;
  return counts;
}

test('[W15] [F15] whoever was on a node that stops comes back within the time that it says, as many in each second as in any other', () => {
  const times = crowd({ code: 1012, reason: encodeSpread(10_000) }).map(({ back }) => back);
  expect(Math.max(...times)).toBeLessThanOrEqual(10_000);
  const seconds = histogram(times, 1_000, 11).slice(0, 10);
  const mean = CLIENTS / 10;
  expect(Math.min(...seconds)).toBeGreaterThan(mean * 0.8);
  expect(Math.max(...seconds)).toBeLessThan(mean * 1.2);
});

test('[W15] a small node that stops keeps nobody waiting for more than half a second', () => {
  const times = crowd({ code: 1012, reason: encodeSpread(40) }).map(({ back }) => back);
  expect(Math.max(...times)).toBeLessThanOrEqual(500);
  const parts = histogram(times, 100, 6).slice(0, 5);
  expect(Math.min(...parts)).toBeGreaterThan((CLIENTS / 5) * 0.8);
});

test('[W15] [F15] all nodes away for 5 s: 99 of 100 are back within 30 s, all within 60 s, and no second brings more than three times its share', () => {
  const clients = crowd({ code: 1012, reason: encodeSpread(10_000) }, 5_000);
  const times = clients.map(({ back }) => back).toSorted((a, b) => a - b);
  expect(times[Math.floor(CLIENTS * 0.99)]).toBeLessThanOrEqual(30_000);
  expect(times.at(-1)).toBeLessThanOrEqual(60_000);
  const dials = histogram(
    clients.flatMap((client) => client.dials),
    1_000,
    61,
  );
  expect(Math.max(...dials)).toBeLessThan((3 * CLIENTS) / 10);
});

test('[F1] a node that dies says nothing: its clients are back within half a second where another takes them', () => {
  const times = crowd({ code: 1006, reason: '' }).map(({ back }) => back);
  expect(Math.max(...times)).toBeLessThanOrEqual(500);
});

test('[W15] only the code of a restart spreads', () => {
  const times = crowd({ code: 1013, reason: encodeSpread(10_000) }).map(({ back }) => back);
  expect(Math.max(...times)).toBeLessThanOrEqual(500);
});
