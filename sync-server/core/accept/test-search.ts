import { LIMITS } from '../../../shared/limits.ts';
import { laneName } from '../../../shared/segment.ts';
import type { WorstFrame } from './test-frames.ts';
import type { Random } from './test-mutations.ts';
import { CARL, type RawStruct, messageId, rawUpdate, tombstone, value } from './test-world.ts';

const CONTENTS = {
  '': [() => value(['e', null, null]), () => value(0), () => tombstone()],
  r: [() => value([]), () => value(['👍', '🎉']), () => tombstone()],
  x: [() => value(1), () => tombstone()],
} as const;
const PREFIXES = Object.keys(CONTENTS) as (keyof typeof CONTENTS)[];

/**
 * A frame drawn from everything that makes one dear: how many client ids and keys, what is written, in which order the client ids go, and
 * whether a struct follows the last of its key, an earlier one, or none. Two of three are drawn so that they pass.
 */
export function drawFrame(random: Random): WorstFrame {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const clients = pick([1, 2, 3, 16, 256]);
  const keys = pick([1, 2, 50, 400, 3_000]);
  const prefix = pick(PREFIXES);
  const ids = pick([0, 40_000]);
  const beside = pick([0, 0, 1, 5, 40]);
  const earlier = pick([0, 0, 1, 5, 40]);
  const inTurn = random(2) === 0;
  const count = pick([LIMITS.updateStructs, LIMITS.updateStructs, 1_500, 600, 150]);
  const histories = new Map<number, [number, number][]>();
  const blocks = Array.from({ length: clients }, (_, i): [number, number, RawStruct[]] => [1_000 + i, 0, []]);
  let bytes = 0;
  for (let n = 0; n < count && bytes < LIMITS.step2 - 8_000; n++) {
    const key = inTurn ? n % keys : random(keys);
    const [client, , structs] = blocks[inTurn ? n % clients : random(clients)]!;
    const history = histories.get(key) ?? [];
    histories.set(key, history);
    const isBeside = history.length === 0 || random(100) < beside;
    const origin = random(100) < earlier ? pick(history) : history.at(-1);
    const place = isBeside || !origin ? { root: laneName(CARL), key: prefix + messageId(ids + key) } : { origin };
    structs.push({ ...place, ...pick(CONTENTS[prefix])() });
    history.push([client, structs.length - 1]);
    bytes += isBeside ? 80 : 24;
  }
  const deletes = Array.from({ length: pick([0, 0, 20, 2_000]) }, (_, i): [number, number, number] => [100_000 + i, i, 1]);
  const update = rawUpdate(
    blocks.filter(([, , structs]) => structs.length > 0),
    deletes,
  );
  const name = `${count} structs of ${prefix || 'messages'}, ${keys} keys, ${clients} client ids, ${beside} % beside, ${earlier} % earlier${inTurn ? ', in turn' : ''}`;
  return { name, writer: CARL, update, before: [] };
}
