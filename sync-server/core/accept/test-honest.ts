import * as fc from 'fast-check';
import { expect } from 'vitest';
import * as Y from 'yjs';
import { type MessageId, type Uuid, isMessageId } from '../../../shared/ids.ts';
import { addMessage, deleteMessage, editMessage, react, readLog, removeMessage } from '../../../shared/segment.ts';
import { ANNA, BERT, CARL, type World, makeDevice, makeWorld, messageId, rowsOf, step2, text } from './test-world.ts';

/**
 * Stock replicas of several people, two devices each, that write, edit, delete, react and remove, with and without a network, reload under a new
 * client id, and bring each other's structs and their whole delete sets in every sync step 2.
 */
interface Step {
  do: 'write' | 'edit' | 'delete' | 'react' | 'remove' | 'post' | 'sync' | 'reload' | 'syncAll';
  device: number;
  pick: number;
}

const moves: Step['do'][] = [
  'write',
  'write',
  'edit',
  'edit',
  'edit',
  'delete',
  'react',
  'react',
  'remove',
  'post',
  'sync',
  'sync',
  'reload',
  'syncAll',
];
const step: fc.Arbitrary<Step> = fc.record({ do: fc.constantFrom(...moves), device: fc.nat({ max: 5 }), pick: fc.nat({ max: 9 }) });

const PEOPLE: Uuid[] = [ANNA, ANNA, BERT, BERT, CARL, ANNA];

interface Run {
  syncs: number;
  world: World;
  devices: Y.Doc[];
  written: MessageId[];
  told: number;
  edits: number;
}

const ownIds = (doc: Y.Doc, person: Uuid): MessageId[] => [...doc.getMap(`u:${person}`).keys()].filter(isMessageId).sort();

const bytesOf = (doc: Y.Doc): string => Buffer.from(Y.encodeStateAsUpdate(doc)).toString('hex');

/** Sync step 2 of these devices in one batch, then everybody hears of it. */
function sync(run: Run, which: readonly number[]): number {
  const { world, devices } = run;
  run.syncs += which.length;
  const frames = which.map((i) => [PEOPLE[i]!, step2(world, devices[i]!)] as const);
  const verdicts = world.batch((batch) => frames.map(([person, frame]) => batch.accept(person, world.decode(frame))));
  for (const verdict of verdicts) expect(['accepted', 'known']).toContain(verdict.kind);
  for (const i of which) Y.applyUpdate(devices[i]!, Y.encodeStateAsUpdate(world.doc, Y.encodeStateVector(devices[i]!)));
  return verdicts.reduce((sum, verdict) => sum + (verdict.kind === 'accepted' ? verdict.told.length : 0), 0);
}

function take(run: Run, move: Step, nextClient: () => number): void {
  const { world, devices, written } = run;
  if (move.do === 'syncAll') {
    run.told += sync(run, [0, 1, 2, 3, 4, 5]);
    return;
  }
  const doc = devices[move.device]!;
  const person = PEOPLE[move.device]!;
  if (move.do === 'sync') run.told += sync(run, [move.device]);
  else if (move.do === 'reload') {
    const again = new Y.Doc();
    again.clientID = nextClient();
    Y.applyUpdate(again, Y.encodeStateAsUpdate(doc));
    devices[move.device] = again;
  } else if (move.do === 'write') {
    const id = messageId(written.length);
    written.push(id);
    addMessage(doc, person, id, text(`first ${written.length}`));
  } else if (move.do === 'post') {
    const id = messageId(written.length);
    written.push(id);
    expect(world.post(person, id, text('posted'))).toEqual({ kind: 'sent', created: true });
  } else {
    const ids = move.do === 'edit' || move.do === 'delete' ? ownIds(doc, person) : readLog(doc);
    const id = ids[move.pick % Math.max(1, ids.length)];
    if (id === undefined) return;
    if (move.do === 'edit') editMessage(doc, person, id, `edit ${++run.edits}`, 1);
    else if (move.do === 'delete') deleteMessage(doc, person, id);
    else if (move.do === 'react') react(doc, person, id, ['👍', '🎉'].slice(0, move.pick % 3));
    else removeMessage(doc, person, id);
  }
}

function runAll(steps: readonly Step[], clientIds: readonly number[]): Run {
  const world = makeWorld();
  let made = 0;
  const nextClient = () => clientIds[made++ % clientIds.length]! * 1000 + 100 + made;
  const run: Run = { world, devices: PEOPLE.map(() => makeDevice(world, nextClient())), written: [], told: 0, edits: 0, syncs: 0 };
  for (const move of steps) take(run, move, nextClient);
  sync(run, [0, 1, 2, 3, 4, 5]);
  sync(run, [0, 1, 2, 3, 4, 5]);
  return run;
}

/** What the runs of `syncHonestly` came to. */
export interface HonestSummary {
  runs: number;
  /** Sync steps 2 that were judged; none was refused. */
  syncs: number;
  told: number;
  messages: number;
  dead: number;
  reactions: number;
}

const steps = fc.array(step, { minLength: 10, maxLength: 80, size: 'max' });
const clientIds = fc.array(fc.nat({ max: 999 }), { minLength: 12, maxLength: 12 });

/** Random lives of six devices of three people. Throws when a frame is refused, or when devices, log and tables end up unlike. */
export function syncHonestly(seed: number, numRuns: number): HonestSummary {
  const seen: HonestSummary = { runs: numRuns, syncs: 0, told: 0, messages: 0, dead: 0, reactions: 0 };
  fc.assert(
    fc.property(steps, clientIds, (moves, ids) => {
      const { world, devices, told, syncs } = runAll(moves, ids);
      const { doc, rows } = world;
      for (const replica of devices) {
        expect(replica.store.pendingStructs).toBeNull();
        expect(replica.store.pendingDs).toBeNull();
        expect(bytesOf(replica)).toBe(bytesOf(doc));
      }
      // A replica that has only ever seen the log.
      const reader = new Y.Doc();
      for (const update of world.log) Y.applyUpdate(reader, update);
      expect(bytesOf(reader)).toBe(bytesOf(doc));
      const shown = new Map([...rows].map(([id, { seq, body, reactions }]) => [id, { seq, body, reactions }]));
      expect(shown).toEqual(rowsOf(doc));
      expect(world.state.messages).toBe(readLog(doc).length);
      seen.syncs += syncs;
      seen.told += told;
      seen.messages += rows.size;
      for (const row of rows.values()) {
        if (row.body === null) seen.dead++;
        seen.reactions += row.reactions.size;
      }
    }),
    { seed, numRuns },
  );
  return seen;
}
