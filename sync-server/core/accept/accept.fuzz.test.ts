import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { REFUSALS } from '../../../shared/close-codes.ts';
import { addMessage, deleteMessage, editMessage, laneName, react, readMessages, removeMessage } from '../../../shared/segment.ts';
import { checkUpdate } from './check.ts';
import { decodeUpdate } from './decode.ts';
import { type Random, hostileFrame, makeRandom, mutate } from './test-mutations.ts';
import { ANNA, BERT, CARL, type World, changeOf, makeDevice, makeWorld, messageId, rowsOf, text } from './test-world.ts';

/** `SEED=… ROUNDS=… npm run fuzz`: the same seed makes the same run. */
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const ROUNDS = Number(process.env.ROUNDS ?? 300);

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
          return { person, bytes: hostileFrame(world.doc, [ANNA, BERT, CARL], [ANNA, BERT, CARL].indexOf(person), random) };
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
