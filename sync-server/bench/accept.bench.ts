import { addMessage } from '../../shared/segment.ts';
import { checkUpdate } from '../core/accept/check.ts';
import { type DecodedUpdate, decodeUpdate } from '../core/accept/decode.ts';
import { makeFullWorld, makeRoomOf, makeWatcher } from '../core/accept/test-segment.ts';
import { BERT, NOW, allowAll, changeOf, makeDevice, messageId, text } from '../core/accept/test-world.ts';
import { judgeRoom } from '../core/room/judge.ts';
import { type Row, cpuOf, median } from './measure.ts';

/** A message that comes alone, from the bytes to the bytes that are committed. */
const MESSAGE_US = 10;
const ROUNDS = 20_000;

/** One message against a full segment, thousands of times over: it is too short to be measured once. */
export default function run(): Row[] {
  const world = makeFullWorld();
  const room = makeRoomOf(world);
  // A client id that has written before: Bert's.
  const device = makeDevice(world, 1);
  device.clientID = 20_001;
  const update = changeOf(device, () =>
    addMessage(device, BERT, messageId(9_000), text('A message of an ordinary length, as people write them.')),
  );
  const from = makeWatcher(BERT);
  const work = { kind: 'frame', from, update } as const;
  const judge = (decoded: DecodedUpdate): void => {
    const { built } = judgeRoom(room, [{ kind: 'frame', work, update: decoded }], new Set(), { permissions: allowAll, now: NOW });
    if (built?.state.messages !== room.state.messages + 1) throw new Error('an honest message was not accepted');
  };
  const decoded = decodeUpdate(update, room.doc);
  const perRound = (task: () => void): number => {
    const runs = Array.from({ length: 9 }, () => cpuOf(() => void Array.from({ length: ROUNDS }, task)));
    return (1_000 * median(runs)) / ROUNDS;
  };
  const parts: Record<string, () => void> = {
    check: () => void checkUpdate(update),
    decode: () => void decodeUpdate(update, room.doc),
    'judge and encode': () => judge(decoded),
  };
  const accept = (): void => {
    checkUpdate(update);
    judge(decodeUpdate(update, room.doc));
  };
  accept();
  return [
    { measure: 'one message against a full segment', value: perRound(accept), unit: 'µs', limit: MESSAGE_US },
    ...Object.entries(parts).map(([part, task]): Row => ({ measure: `  … ${part}`, value: perRound(task), unit: 'µs', limit: null })),
  ];
}
