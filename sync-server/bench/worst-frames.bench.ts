import * as Y from 'yjs';
import { checkUpdate } from '../core/accept/check.ts';
import { decodeUpdate } from '../core/accept/decode.ts';
import { type WorstFrame, worstFrames } from '../core/accept/test-frames.ts';
import { makeRandom } from '../core/accept/test-mutations.ts';
import { drawFrame } from '../core/accept/test-search.ts';
import { makeFullWorld, makeRoomOf, makeWatcher } from '../core/accept/test-segment.ts';
import { BERT, NOW, allowAll } from '../core/accept/test-world.ts';
import { judgeRoom } from '../core/room/judge.ts';
import { type Room, advance, encodeRoomStep1 } from '../core/room/room.ts';
import { encodeAck, encodeStep2, encodeTold } from '../../shared/protocol.ts';
import { type Row, cpuOf, median, sweep } from './measure.ts';

const RUNS = 15;
/** Frames drawn by chance, and from which seed. */
const DRAWN = 300;
const SEED = Number(process.env.SEED ?? 1);
/** A frame that the limits let through may cost a node this much. */
const WORST_MS = 20;

const world = makeFullWorld();
const parts = ['check', 'decode', 'judge', 'apply and send', 'ack', 'garbage'] as const;

/** A room that has been there for a while: a frame pays for its own garbage, not for that of the room's making. */
function makeOldRoom(): Room {
  const room = makeRoomOf(world);
  room.watchers.add(makeWatcher(BERT));
  sweep();
  sweep();
  return room;
}

/** What becomes of a frame on its way through a room, but for what is the database's: the time of each part. */
function walk(room: Room, writer: string, update: Uint8Array): { times: number[]; verdict: string } {
  const from = makeWatcher(writer);
  const times: number[] = [];
  const timed = <T>(task: () => T): T => {
    let result: T;
    times.push(cpuOf(() => void (result = task())));
    return result!;
  };
  if (!timed(() => checkUpdate(update))) return { times, verdict: 'unread' };
  const decoded = timed(() => decodeUpdate(update, room.doc));
  const { outcomes, built } = timed(() =>
    judgeRoom(room, [{ kind: 'frame', work: { kind: 'frame', from, update }, update: decoded }], new Set(), {
      permissions: allowAll,
      now: NOW,
    }),
  );
  timed(() => {
    if (built) advance(room, [{ position: built.state.position, update: built.update }], built.claims, built.state);
  });
  const [outcome] = outcomes;
  timed(() => {
    if (outcome?.kind === 'acked') for (const message of [encodeTold(outcome.told), encodeAck(outcome.committed)]) from.send(message);
    if (outcome?.kind === 'ahead') from.send(encodeRoomStep1(room));
  });
  return { times, verdict: outcome?.kind === 'refused' ? outcome.reason : (outcome?.kind ?? '') };
}

function walkAndSweep(room: Room, writer: string, update: Uint8Array): ReturnType<typeof walk> {
  const { times, verdict } = walk(room, writer, update);
  const missing = Array.from({ length: parts.length - 1 - times.length }, () => 0);
  return { times: [...times, ...missing, cpuOf(sweep)], verdict };
}

function costOf({ name, writer, update, before }: WorstFrame): Row[] {
  const walks = Array.from({ length: RUNS }, () => {
    const room = makeOldRoom();
    for (const frame of before) walk(room, writer, frame);
    const { times, verdict } = walkAndSweep(room, writer, update);
    const answer = cpuOf(() => void encodeStep2(Y.encodeStateAsUpdate(room.doc)));
    return { times, verdict, total: times.reduce((sum, time) => sum + time, 0), answer };
  });
  const typical = walks.toSorted((a, b) => a.total - b.total)[RUNS >> 1]!;
  const note = typical.times.map((time, i) => `${parts[i]} ${time.toFixed(1)}`).join(', ');
  return [
    { measure: name, value: typical.total, unit: 'ms', limit: WORST_MS, note: `${update.length} bytes, ${typical.verdict}: ${note}` },
    { measure: '  … and a step 1 answered afterwards', value: median(walks.map(({ answer }) => answer)), unit: 'ms', limit: WORST_MS },
  ];
}

/** Frames that chance draws, the dearest of them measured again: nobody thinks of everything. */
function search(): Row[] {
  const random = makeRandom(SEED);
  const drawn = Array.from({ length: DRAWN }, () => {
    const frame = drawFrame(random);
    return { frame, cost: median([1, 2, 3].map(() => total(frame))) };
  });
  const dearest = drawn.toSorted((a, b) => b.cost - a.cost).slice(0, 5);
  return dearest.flatMap(({ frame }) => costOf({ ...frame, name: `drawn: ${frame.name}` }));
}

function total({ writer, update }: WorstFrame): number {
  return walkAndSweep(makeOldRoom(), writer, update).times.reduce((sum, time) => sum + time, 0);
}

export default function run(): Row[] {
  const frames = worstFrames();
  // Once around: what is measured is a server that has been running.
  for (const frame of frames) costOf(frame);
  return [...frames.flatMap(costOf), ...search()];
}
