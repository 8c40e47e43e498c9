import * as Y from 'yjs';
import type { Uuid } from '../../../shared/ids.ts';
import { encodeAwareness, encodeStep1, encodeStep2, encodeUpdate } from '../../../shared/protocol.ts';
import { addMessage, deleteMessage, editMessage, react, readLog } from '../../../shared/segment.ts';
import { parseDocumentId } from '../../../shared/ids.ts';
import type { Session } from '../session/session.ts';
import { fakeSocket } from '../testing/fake-socket.ts';
import type { Peer } from '../testing/peer.ts';
import { type TestNode, startTestNode } from '../testing/test-node.ts';
import { openBatch } from './batch.ts';
import { checkUpdate } from './check.ts';
import { decodeUpdate } from './decode.ts';
import { type Random, hostileFrame, makeRandom, mutate } from './test-mutations.ts';
import { allowAll } from './test-world.ts';

/** What a run came to. */
export interface FuzzSummary {
  seed: number;
  frames: number;
  /** How sessions ended, by code and reason. */
  ends: Record<string, number>;
  /** Rows that were written: the frames of a round go into one batch, or a few. */
  accepted: number;
  /** The dearest stretch in which the node did nothing else, CPU milliseconds. */
  dearest: number;
}

/** Frames of one node, which is thrown away after them: people have allowances, and documents grow. */
const FRAMES_PER_NODE = 4_096;
const SESSIONS = 256;
/** No frame may cost more; what a machine did meanwhile is measured again. */
const WORST_MS = 20;

const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

interface Attacker {
  userId: Uuid;
  session: Session;
  ended: { code: number; reason: string } | null;
}

/** A node with one conversation, somebody who watches it, and what its log says. */
interface Field {
  test: TestNode;
  watcher: Peer;
  /** The rows, applied as they come. */
  replay: Y.Doc;
  position: number;
}

async function openField(): Promise<Field> {
  const test = await startTestNode();
  const watcher = await test.open(test.ana, `${test.conversationId}/1`);
  watcher.change((doc) => addMessage(doc, test.ana, test.messageId(), ['from ana', null, null]));
  return { test, watcher, replay: new Y.Doc(), position: 0 };
}

function openAttacker({ test: { node, clock, conversationId } }: Field, userId: Uuid, path: string): Attacker {
  const attacker = { userId, ended: null } as unknown as Attacker;
  attacker.session = node.open({
    userId,
    sid: 'sid',
    expiresAt: clock.now() + 900_000,
    name: parseDocumentId(path === 'private' ? `user:${userId}/1` : conversationId + path)!,
    acks: true,
    socket: fakeSocket({ close: (code, reason) => void (attacker.ended ??= { code, reason }) }),
  });
  return attacker;
}

/** One honest update of this person, as a stock provider would send it. */
function honestUpdate({ test, replay }: Field, userId: Uuid, random: Random): Uint8Array {
  const device = new Y.Doc();
  Y.applyUpdate(device, Y.encodeStateAsUpdate(replay));
  device.clientID = 100_000 + random(50);
  const before = Y.encodeStateVector(device);
  const ids = readLog(device);
  const id = random(3) === 0 ? test.messageId() : (ids[random(ids.length)] ?? test.messageId());
  const changes = [
    () => addMessage(device, userId, test.messageId(), ['words', null, null]),
    () => editMessage(device, userId, id, 'edited', 5),
    () => deleteMessage(device, userId, id),
    () => react(device, userId, id, ['👍']),
  ];
  device.transact(() => {
    for (let n = 1 + random(3); n > 0; n--) changes[random(changes.length)]!();
  });
  return random(16) === 0 ? Y.encodeStateAsUpdate(device) : Y.encodeStateAsUpdate(device, before);
}

/** A frame of this person: honest or made of a hostile vocabulary, then spoilt inside, outside, or not at all. */
function makeFrame(field: Field, userId: Uuid, pool: Uint8Array[], random: Random): Uint8Array {
  const { test, replay } = field;
  const people = [test.ana, test.ben];
  if (pool.length < 64 || random(16) === 0)
    pool[random(64)] = random(3) === 0 ? hostileFrame(replay, people, people.indexOf(userId), random) : honestUpdate(field, userId, random);
  const made = pool.filter((one) => one !== undefined);
  const update = made[random(made.length)]!;
  const other = made[random(made.length)]!;
  const kind = random(20);
  if (kind === 0) return mutate(encodeStep1(Y.encodeStateVector(replay)), update, random);
  if (kind === 1)
    return mutate(encodeAwareness([{ client: 1 + random(5), clock: random(9), state: { typing: true, read: random(9) } }]), other, random);
  const spoilt = random(3) === 0 ? update : mutate(update, other, random);
  const frame = random(2) === 0 ? encodeUpdate(spoilt) : encodeStep2(spoilt);
  return random(6) === 0 ? mutate(frame, encodeUpdate(other), random) : frame;
}

/** Lets the node come to rest; answers the dearest stretch between two turns. */
async function rest(): Promise<number> {
  let dearest = 0;
  for (let i = 0; i < 16; i++) {
    const before = cpu();
    await new Promise((resolve) => setImmediate(resolve));
    dearest = Math.max(dearest, cpu() - before);
  }
  return dearest;
}

/** What a frame costs by itself, the least of three times. */
function costAlone({ test, replay }: Field, userId: Uuid, frame: Uint8Array): number {
  const row = test.row();
  const document = row.documents.get(1)!;
  const costs = [1, 2, 3].map(() => {
    const before = cpu();
    const update = frame.slice(3);
    if (checkUpdate(update)) {
      const batch = openBatch({
        kind: 'segment',
        doc: replay,
        state: document.state,
        conversation: row.state,
        members: row.members,
        claims: new Map(document.claims.map((claim) => [claim.client, claim.userId])),
        usedIds: new Set(row.messages.keys()),
        permissions: allowAll,
        now: 0,
      });
      batch.accept(userId, decodeUpdate(update, replay));
      batch.build();
    }
    return cpu() - before;
  });
  return Math.min(...costs);
}

/** After every round: what is stored is what was told, nothing is pending, and nobody's room was in doubt. Answers the rows that came. */
function check(field: Field): number {
  const { test, watcher, replay } = field;
  const rows = test
    .row()
    .documents.get(1)!
    .rows.filter(({ position }) => position > field.position);
  for (const { position, update } of rows) {
    Y.applyUpdate(replay, update);
    field.position = position;
  }
  if (watcher.closed) throw new Error(`somebody else was closed: ${watcher.closed.code} ${watcher.closed.reason}`);
  for (const doc of [replay, watcher.doc]) if (doc.store.pendingStructs ?? doc.store.pendingDs) throw new Error('something is pending');
  if (!Buffer.from(Y.encodeStateAsUpdate(watcher.doc)).equals(Y.encodeStateAsUpdate(replay)))
    throw new Error('what was told is not what is stored');
  return rows.length;
}

/** Spoilt frames through session, room and accept of a node in memory. Throws with seed and frames at whatever must not be. */
export async function fuzzNode(seed: number, frames: number): Promise<FuzzSummary> {
  const random = makeRandom(seed);
  const summary: FuzzSummary = { seed, frames: 0, ends: {}, accepted: 0, dearest: 0 };
  const PATHS = ['/1', '/1', '/1', '/1', '/1', '/1', '', 'private'];
  while (summary.frames < frames) {
    const field = await openField();
    await rest();
    check(field);
    const attackers = new Map<number, Attacker>();
    const pools = new Map<Uuid, Uint8Array[]>();
    for (let sent = 0; sent < FRAMES_PER_NODE && summary.frames < frames;) {
      const round: { userId: Uuid; frame: Uint8Array }[] = [];
      for (let i = 0; i < SESSIONS; i++) {
        const userId = i % 2 ? field.test.ana : field.test.ben;
        if (attackers.get(i)?.ended ?? !attackers.has(i)) attackers.set(i, openAttacker(field, userId, PATHS[i % PATHS.length]!));
      }
      await rest();
      for (const { userId, session } of attackers.values()) {
        const pool = pools.get(userId) ?? [];
        pools.set(userId, pool);
        round.push({ userId, frame: makeFrame(field, userId, pool, random) });
        session.receive(round.at(-1)!.frame);
      }
      const steps = (): string =>
        `SEED=${seed} after ${summary.frames}: ${round.map(({ frame }) => Buffer.from(frame).toString('hex')).join(' ')}`;
      const stretch = await rest();
      try {
        summary.accepted += check(field);
        for (const { ended } of attackers.values()) {
          if (!ended) continue;
          const end = `${ended.code} ${ended.reason}`;
          summary.ends[end] = (summary.ends[end] ?? 0) + 1;
          if (ended.code === 1012) throw new Error('a room was in doubt');
        }
        if (stretch > WORST_MS)
          for (const { userId, frame } of round)
            if (costAlone(field, userId, frame) > WORST_MS) throw new Error(`${Buffer.from(frame).toString('hex')} is too dear`);
      } catch (error) {
        throw new Error(steps(), { cause: error });
      }
      summary.dearest = Math.max(summary.dearest, stretch);
      summary.frames += round.length;
      sent += round.length;
    }
    await field.test.node.stop();
  }
  return summary;
}
