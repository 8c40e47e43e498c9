import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { REFUSALS } from '../../../shared/close-codes.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { addMessage, deleteMessage, editMessage, laneName, react, readMessages, removeMessage } from '../../../shared/segment.ts';
import { checkUpdate } from './check.ts';
import { decodeUpdate } from './decode.ts';
import { type Plain, storedAt } from './stored.ts';
import {
  ANNA,
  BERT,
  CARL,
  LOG_CLIENT,
  type RawStruct,
  rawUpdate,
  tombstone,
  value,
  type World,
  changeOf,
  makeDevice,
  makeWorld,
  messageId,
  rowsOf,
  text,
} from './test-world.ts';

/** `SEED=… ROUNDS=… npm run fuzz`: the same seed makes the same run. */
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const ROUNDS = Number(process.env.ROUNDS ?? 300);

/** Mulberry32. */
function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
type Random = ReturnType<typeof makeRandom>;

/** A few bytes flipped, put in, taken out, doubled or swapped with another update's. */
function mutate(update: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let bytes = [...update];
  for (let times = 1 + random(3); times > 0; times--) {
    const at = random(bytes.length + 1);
    const kind = random(7);
    if (kind === 0) bytes[at] = random(256);
    else if (kind === 1) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    else if (kind === 2) bytes.splice(at, 0, random(256));
    else if (kind === 3) bytes.splice(at, 1 + random(4));
    else if (kind === 4) bytes.splice(at, 0, ...bytes.slice(at, at + 1 + random(12)));
    else if (kind === 5) bytes = [...bytes.slice(0, at), ...other.slice(random(other.length))];
    else bytes[at] = ((bytes[at] ?? 0) + (random(2) === 0 ? 1 : 255)) & 0xff;
  }
  return Uint8Array.from(bytes, (byte) => byte ?? 0);
}

/** Honest frames of three people, each with the state that it is honest in. */
function honestFrames(world: World, random: Random): { person: string; frame: Uint8Array }[] {
  const frames: { person: string; frame: Uint8Array }[] = [];
  for (const [i, person] of [ANNA, BERT, CARL, ANNA].entries()) {
    const device = makeDevice(world, 100 + i * 37 + random(20));
    const id = () => messageId(random(12));
    const changes = [
      () => addMessage(device, person, id(), text('words')),
      () => editMessage(device, person, id(), 'edited', 5),
      () => deleteMessage(device, person, id()),
      () => react(device, person, id(), ['👍']),
      () => removeMessage(device, person, id()),
    ];
    for (let n = 1 + random(3); n > 0; n--) {
      const frame = changeOf(device, () => {
        for (let k = 1 + random(3); k > 0; k--) changes[random(changes.length)]!();
      });
      frames.push({ person, frame: random(4) === 0 ? Y.encodeStateAsUpdate(device) : frame });
    }
  }
  return frames;
}

const OWN: Record<Uuid, number[]> = { [ANNA]: [21, 22, 53], [BERT]: [31, 52, 33], [CARL]: [51, 42, 43] };
const VALUES: Record<string, Plain[]> = { A: [['words', null, null], ['more', null, 1], 0], r: [['👍'], ['🎉', '👍'], []], x: [1] };

/** A frame made of a small vocabulary: every kind of struct, place and clock that a hostile client may try, mostly near the truth. */
function hostileFrame(world: World, person: Uuid, random: Random): Uint8Array {
  const { doc } = world;
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const rarely = <T>(usual: () => T, other: () => T): T => (random(25) === 0 ? other() : usual());
  const anyClient = () => pick([...Object.values(OWN).flat(), LOG_CLIENT]);
  const client = () => rarely(() => pick(OWN[person]!), anyClient);
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
        () => pick([ANNA, BERT, CARL]),
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

/** What must hold whatever was sent: tables, replicas and the document agree, and nobody wrote in another's name. */
function checkWorld(world: World, steps: string): void {
  const shown = new Map([...world.rows].map(([id, { seq, body, reactions }]) => [id, { seq, body, reactions }]));
  expect(shown, steps).toEqual(rowsOf(world.doc));
  const replica = new Y.Doc();
  for (const update of world.log) Y.applyUpdate(replica, update);
  expect(Buffer.from(Y.encodeStateAsUpdate(replica)).equals(Y.encodeStateAsUpdate(world.doc)), steps).toBe(true);
  for (const { id, authorId, body } of readMessages(world.doc))
    if (body !== null) expect(authorId, steps).toBe(world.rows.get(id)!.senderId);
  for (const name of world.doc.share.keys()) expect(['log', 'meta', ...[ANNA, BERT, CARL].map(laneName)]).toContain(name);
}

describe('hostile frames', () => {
  it(`[A2] [A4] [A6] [A9] [D7] change nothing but their writer's lane (SEED=${SEED})`, () => {
    const random = makeRandom(SEED + 2);
    const verdicts = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const world = makeWorld();
      for (let batch = 0; batch < 12; batch++) {
        const frames = Array.from({ length: 1 + random(3) }, () => {
          const person = [ANNA, BERT, CARL][random(3)]!;
          return { person, bytes: hostileFrame(world, person, random) };
        });
        const steps = `SEED=${SEED} round ${round} batch ${batch}: ${frames.map(({ bytes }) => Buffer.from(bytes).toString('hex')).join(' ')}`;
        try {
          world.batch((open) => {
            if (random(8) === 0) open.post([ANNA, BERT, CARL][random(3)]!, messageId(5 + random(3)), text('posted'));
            for (const { person, bytes } of frames) {
              expect(checkUpdate(bytes)).toBe(true);
              const verdict = open.accept(person, world.decode(bytes));
              const said = verdict.kind === 'refused' ? verdict.reason : verdict.kind;
              verdicts.set(said, (verdicts.get(said) ?? 0) + 1);
              if (verdict.kind === 'accepted') for (const { code } of verdict.told) verdicts.set(code, (verdicts.get(code) ?? 0) + 1);
            }
          });
          checkWorld(world, steps);
        } catch (error) {
          throw new Error(steps, { cause: error });
        }
      }
    }
    console.log(`SEED=${SEED}`, Object.fromEntries(verdicts));
    for (const said of ['accepted', 'known', 'ahead', 'removed', 'duplicate', ...REFUSALS])
      expect(verdicts.get(said) ?? 0, said).toBeGreaterThan(0);
  });
});

describe('mutated updates', () => {
  it(`[A1] [A9] throw nothing, leave nothing pending, and change nothing when refused (SEED=${SEED})`, () => {
    const random = makeRandom(SEED);
    const verdicts = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const world = makeWorld();
      for (const { person, frame } of honestFrames(world, random)) {
        const other = world.log[random(world.log.length)]!;
        for (let i = 0; i < 20; i++) {
          const bytes = mutate(frame, other, random);
          const steps = `SEED=${SEED} round ${round}: ${Buffer.from(bytes).toString('hex')}`;
          if (!checkUpdate(bytes)) {
            verdicts.set('unread', (verdicts.get('unread') ?? 0) + 1);
            continue;
          }
          const before = Y.encodeStateAsUpdate(world.doc);
          try {
            const verdict = world.push(person, bytes);
            verdicts.set(verdict.kind, (verdicts.get(verdict.kind) ?? 0) + 1);
            if (verdict.kind !== 'accepted') expect(Buffer.from(before).equals(Y.encodeStateAsUpdate(world.doc))).toBe(true);
          } catch (error) {
            throw new Error(steps, { cause: error });
          }
        }
        if (checkUpdate(frame)) world.push(person, frame);
      }
      checkWorld(world, `SEED=${SEED} round ${round}`);
    }
    console.log(`SEED=${SEED}`, Object.fromEntries(verdicts));
    for (const kind of ['unread', 'refused', 'ahead', 'accepted', 'known']) expect(verdicts.get(kind) ?? 0, kind).toBeGreaterThan(0);
  });

  it(`[A1] the check lets nothing pass that the decoder cannot read (SEED=${SEED})`, () => {
    const random = makeRandom(SEED + 1);
    for (let round = 0; round < ROUNDS * 100; round++) {
      const bytes = Uint8Array.from(
        { length: 1 + random(40) },
        () => [0, 1, 2, 5, 8, 40, 97, 117, 119, 126, 128, 168][random(14)] ?? random(256),
      );
      if (checkUpdate(bytes)) decodeUpdate(bytes);
    }
  });
});
