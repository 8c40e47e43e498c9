import * as Y from 'yjs';
import type { Uuid } from '../../../shared/ids.ts';
import { laneName } from '../../../shared/segment.ts';
import { type Plain, storedAt } from './stored.ts';
import { type RawStruct, messageId, rawUpdate, tombstone, value } from './test-world.ts';

/** Mulberry32. */
export function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
export type Random = ReturnType<typeof makeRandom>;

/** `bytes` with `more` in the place of `removed` of them. */
function splice(bytes: Uint8Array, at: number, removed: number, more: Uint8Array): Uint8Array {
  const rest = bytes.subarray(at + removed);
  const made = new Uint8Array(at + more.length + rest.length);
  made.set(bytes.subarray(0, at));
  made.set(more, at);
  made.set(rest, at + more.length);
  return made;
}

/** A few bytes flipped, put in, taken out, doubled or swapped with another update's, or a number made as long as no number is. */
export function mutate(update: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let bytes = update;
  for (let times = 1 + random(3); times > 0; times--) {
    const at = random(bytes.length + 1);
    const here = bytes[at] ?? 0;
    const kind = random(7);
    if (kind === 0) bytes = splice(bytes, at, 1, Uint8Array.of(random(256)));
    else if (kind === 1) bytes = splice(bytes, at, 1, Uint8Array.of(here ^ (1 << random(8))));
    else if (kind === 2)
      bytes = splice(bytes, at, 0, random(8) === 0 ? new Uint8Array(1 + random(160)).fill(0x80) : Uint8Array.of(random(256)));
    else if (kind === 3) bytes = splice(bytes, at, 1 + random(4), new Uint8Array());
    else if (kind === 4) bytes = splice(bytes, at, 0, bytes.slice(at, at + 1 + random(12)));
    else if (kind === 5) bytes = splice(bytes, at, bytes.length, other.subarray(random(other.length)));
    else bytes = splice(bytes, at, 1, Uint8Array.of(here + (random(2) === 0 ? 1 : 255)));
  }
  return bytes;
}

/** Client ids by the place of their owner. */
const OWN = [
  [21, 22, 53],
  [31, 52, 33],
  [51, 42, 43],
];
const VALUES: Record<string, Plain[]> = { A: [['words', null, null], ['more', null, 1], 0], r: [['👍'], ['🎉', '👍'], []], x: [1] };

/** A frame made of a small vocabulary: every kind of struct, place and clock that a hostile client may try, mostly near the truth. `who`: the writer's place among the people. */
export function hostileFrame(doc: Y.Doc, people: readonly Uuid[], who: number, random: Random): Uint8Array {
  const person = people[who]!;
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const rarely = <T>(usual: () => T, other: () => T): T => (random(25) === 0 ? other() : usual());
  const anyClient = () => pick([...OWN.flat(), ...doc.store.clients.keys()]);
  const client = () => rarely(() => pick(OWN[who]!), anyClient);
  const key = () => pick(['', '', 'r', 'x']) + messageId(random(6));
  const content = (of: string) =>
    random(4) === 0
      ? tombstone(1 + random(3))
      : value(
          rarely(
            () => pick(VALUES[of[0]!] ?? [7]),
            () => pick(Object.values(VALUES).flat()),
          ),
        );
  const root = () =>
    laneName(
      rarely(
        () => person,
        () => pick(people),
      ),
    );
  const next = new Map<number, number>();
  const clockOf = (of: number) => next.get(of) ?? Y.getState(doc.store, of);
  const keys = new Map<string, string>();
  const struct = (of: number): RawStruct => {
    if (random(60) === 0) return { info: pick([0, 10]), content: tombstone(1 + random(2)).content };
    const from = client();
    const clock = Math.max(
      0,
      clockOf(from) -
        1 -
        rarely(
          () => random(4),
          () => random(2) - 2,
        ),
    );
    const item = storedAt(doc, { client: from, clock });
    const hidden = item instanceof Y.Item ? item.parentSub : (keys.get(`${from} ${clock}`) ?? null);
    const write = hidden !== null && random(3) > 0 ? hidden : key();
    const raw = { ...content(write), ...(write === hidden ? { origin: [from, clock] as [number, number] } : { root: root(), key: write }) };
    const length = raw.info === 1 ? 3 : 1;
    for (let i = 0; i < length; i++) keys.set(`${of} ${clockOf(of) + i}`, write);
    return random(60) === 0 ? { ...raw, rightOrigin: [from, clock] } : raw;
  };
  const blocks = [...new Set([client(), client()])].map((of): [number, number, RawStruct[]] => {
    const start = Math.max(
      0,
      clockOf(of) +
        rarely(
          () => 0,
          () => random(4) - 2,
        ),
    );
    const structs = Array.from({ length: 1 + random(4) }, () => {
      const made = struct(of);
      next.set(of, clockOf(of) + 1);
      return made;
    });
    return [of, start, structs];
  });
  const deleted = client();
  return rawUpdate(blocks, random(6) === 0 ? [[deleted, random(1 + clockOf(deleted)), 1 + random(3)]] : []);
}
