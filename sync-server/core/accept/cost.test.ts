import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { type WorstFrame, worstFrames } from './test-frames.ts';
import { makeFullWorld, makeRoomOf, makeWatcher } from './test-segment.ts';
import { CARL, NOW, allowAll, messageId, rawUpdate, value } from './test-world.ts';
import { checkUpdate } from './check.ts';
import { decodeUpdate } from './decode.ts';
import { judgeRoom } from '../room/judge.ts';
import { type Room, advance } from '../room/room.ts';
import { laneName } from '../../../shared/segment.ts';

/** CPU time is compared with CPU time of the same process: machines differ. `npm run bench worst` has the milliseconds. */
const RUNS = 3;
/** 256 messages that somebody wrote without a network, at once. */
const ORDINARY = rawUpdate([
  [5, 0, Array.from({ length: 256 }, (_, i) => ({ root: laneName(CARL), key: messageId(50_000 + i), ...value(['words', null, null]) }))],
]);
/** What the limits let through may cost as much as so many of them: they hold a twelfth of the structs. */
const RATIO = 30;

const world = makeFullWorld();

/** The whole way of a frame through a room, but for the database. */
function walk(room: Room, update: Uint8Array): void {
  if (!checkUpdate(update)) return;
  const from = makeWatcher(CARL);
  const job = { kind: 'frame', work: { kind: 'frame', from, update }, update: decodeUpdate(update, room.doc) } as const;
  const { built } = judgeRoom(room, [job], new Set(), { permissions: allowAll, now: NOW });
  if (built) advance(room, [{ position: built.state.position, update: built.update }], built.claims, built.state);
  expect(room.doc.store.pendingStructs ?? room.doc.store.pendingDs).toBeNull();
}

function cpuOf({ update, before }: Pick<WorstFrame, 'update' | 'before'>): number {
  const times = Array.from({ length: RUNS }, () => {
    const room = makeRoomOf(world);
    for (const frame of before) walk(room, frame);
    const started = process.cpuUsage();
    walk(room, update);
    const { user, system } = process.cpuUsage(started);
    return user + system;
  });
  return times.toSorted((a, b) => a - b)[RUNS >> 1]!;
}

describe('[A1] what a frame may cost', () => {
  const frames = worstFrames();
  cpuOf({ update: ORDINARY, before: [] });
  const ordinary = cpuOf({ update: ORDINARY, before: [] });

  it.each(frames)('$name', (frame) => {
    expect(cpuOf(frame)).toBeLessThan(RATIO * ordinary);
  });

  it('and a question afterwards is answered as before', () => {
    const room = makeRoomOf(world);
    const answer = (): number => {
      const started = process.cpuUsage().user;
      for (let i = 0; i < 20; i++) Y.encodeStateAsUpdate(room.doc);
      return process.cpuUsage().user - started;
    };
    answer();
    const usual = answer();
    for (const { update } of frames) walk(room, update);
    expect(answer()).toBeLessThan(RATIO * usual);
  });
});
