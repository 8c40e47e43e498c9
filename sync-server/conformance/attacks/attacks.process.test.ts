import * as decoding from 'lib0/decoding';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { CLOSE } from '../../../shared/close-codes.ts';
import { decodeAck, encodeStep2 } from '../../../shared/protocol.ts';
import { addMessage, readLog } from '../../../shared/segment.ts';
import { frameOf, newId, readKind, updateOf } from '../frames.ts';
import { type Replica, openReplica } from '../replica.ts';
import { type Road, type Scene, type Way, openScene, othersOf, until } from './scene.ts';
import { EXCHANGES, FRAMES, type FrameAttack, SHARED, TEXT, endingOf } from './frames.ts';
import { UPDATES, type UpdateAttack, asFrame } from './updates.ts';

/**
 * Frames made by hand, over real sockets, at a real server: whoever sends them has an account and is a member. What the others have is as
 * before, to the byte; their next message arrives; the process lives, answers others meanwhile, and has hardly worked.
 */
let scene: Scene;
/** What an attack may cost; the server's own work, such as a compaction, may fall into it. A single frame's bound is `core/accept/cost.test.ts`. */
const CPU_MS = 100;
/** CPU time that a connection costs by itself, and the machine's noise. */
let usual = 0;
const opened: Way[] = [];
const toClose: { close(): void }[] = [];

beforeAll(async () => {
  scene = await openScene();
  // A private document is made when it is first opened.
  await scene.open('socket', `user:${scene.mallory.id}/1`);
  // What has been running for a while is compiled.
  for (let i = 0; i < 12; i++) {
    const way = await open('socket', `${scene.groupId}/1`);
    await stillServed(way);
    await scene.honestMessageArrives();
  }
  const costs: number[] = [];
  for (let i = 0; i < 8; i++) {
    const before = scene.cpu();
    const way = await open(i % 2 ? 'channel' : 'socket', `${scene.groupId}/1`);
    await stillServed(way);
    costs.push(scene.cpu() - before);
  }
  usual = Math.max(...costs);
});
afterAll(() => scene.close());
afterEach(() => {
  for (const one of [...opened.splice(0), ...toClose.splice(0)]) one.close();
});

async function open(road: Road, path: string): Promise<Way> {
  const way = await scene.open(road, path);
  opened.push(way);
  return way;
}

/** The attacker's own honest message, on the same connection: everything before it has been judged when it is acknowledged. */
async function stillServed(way: Way): Promise<void> {
  const doc = new Y.Doc();
  way.send(frameOf((fresh) => addMessage(fresh, scene.mallory.id, newId(), ['well-formed', null, null]), doc));
  await until(() => {
    expect(way.ending()).toBeNull();
    expect(way.frames.flatMap(readAck)).toContain(doc.clientID);
  });
}

/** The client ids that an ack names. */
function readAck(frame: Uint8Array): number[] {
  if (readKind(frame) !== 'ack') return [];
  const decoder = decoding.createDecoder(frame);
  decoding.readVarUint(decoder);
  return decodeAck(decoder).map(([client]) => client);
}

/** Runs an attack, with everything that must hold whatever it was. */
async function survives(
  attack: () => Promise<void>,
  { quiet, cpuMs = CPU_MS }: { quiet: boolean; cpuMs?: number | undefined },
): Promise<void> {
  const { mallory, server } = scene;
  const pid = server.process().pid;
  const [state, root, rows] = [
    await scene.freshState(),
    await scene.freshState(scene.groupId),
    await scene.rows({ withoutMallory: !quiet }),
  ];
  const cpu = scene.cpu();
  const pinged = scene.ping();
  await attack();
  const spent = scene.cpu() - cpu;
  expect(await pinged).toBeLessThan(1_000);
  const after = await scene.freshState();
  if (quiet) expect(Buffer.from(after).equals(state)).toBe(true);
  expect(othersOf(after, mallory.id)).toBe(othersOf(state, mallory.id));
  expect(Buffer.from(await scene.freshState(scene.groupId)).equals(root)).toBe(true);
  expect(await scene.rows({ withoutMallory: !quiet })).toBe(rows);
  await until(() => expect(Buffer.from(Y.encodeStateAsUpdate(scene.adas.doc)).equals(after)).toBe(true));
  await scene.honestMessageArrives();
  expect(server.process().hasEnded()).toBe(false);
  expect(server.process().pid).toBe(pid);
  expect(spent).toBeLessThan(cpuMs + usual);
}

describe.each<Road>(['socket', 'channel'])('over a %s, an update that', (road) => {
  test.each(UPDATES)('[A1, A9] $name', async (attack: UpdateAttack) => {
    await survives(
      async () => {
        const way = await open(road, attack.path?.(scene) ?? `${scene.groupId}/1`);
        way.send(asFrame(attack.update(scene)));
        if (attack.ends === null) return stillServed(way);
        expect(await way.ended).toEqual({ code: CLOSE.refused.code, reason: attack.ends });
      },
      { quiet: attack.ends !== null },
    );
  });
});

/** What Ada sees of herself and of Bert, who types. */
const presenceOf = (): unknown => {
  const { awareness, doc } = scene.adasRoot.provider;
  const states = [...awareness.getStates().values()] as { user?: { id?: string }; typing?: boolean }[];
  const berts = states.filter(({ user }) => user?.id === scene.bert.id).map(({ typing }) => typing);
  return { local: awareness.getLocalState(), kept: doc.clientID === awareness.clientID, berts };
};

async function sends(way: Way, attack: FrameAttack): Promise<void> {
  for (const frame of attack.frames(scene)) way.send(frame);
  if (attack.ends !== null) expect(await way.ended).toEqual(attack.ends);
}

describe.each<Road>(['socket', 'channel'])('over a %s', (road) => {
  test.each(road === 'socket' ? [...FRAMES, TEXT] : FRAMES)('[W8, P2, P3] $name', async (attack: FrameAttack) => {
    const presence = { local: {}, kept: true, berts: [true] };
    await until(() => expect(presenceOf()).toEqual(presence));
    await survives(
      async () => {
        const way = await open(road, attack.path?.(scene) ?? `${scene.groupId}/1`);
        await sends(way, attack);
        if (attack.ends === null) await stillServed(attack.path ? await open(road, `${scene.groupId}/1`) : way);
      },
      { quiet: attack.ends !== null, cpuMs: attack.cpuMs },
    );
    expect(presenceOf()).toEqual(presence);
  });
});

describe('over the shared socket itself', () => {
  test.each(SHARED)('[W9, W10, I1, I5] $name', async (attack) => {
    await survives(
      async () => {
        const way = await scene.openShared();
        opened.push(way);
        await sends(way, attack);
        if (attack.ends === null) {
          await stillServed(await open('channel', `${scene.groupId}/1`));
          expect(way.ending()).toBeNull();
        }
      },
      { quiet: attack.ends !== null, cpuMs: attack.cpuMs },
    );
  });
});

describe('over HTTP', () => {
  test.each(EXCHANGES)('[W12] an exchange of $name: $status', async ({ status, body }) => {
    await survives(
      async () => {
        const answer = await fetch(`${scene.server.origin}/api/sync/${scene.groupId}/1`, {
          method: 'POST',
          headers: { authorization: `Bearer ${scene.mallory.token}`, 'content-type': 'application/octet-stream' },
          body: Uint8Array.from(body(scene)),
        });
        expect(answer.status).toBe(status);
        expect(answer.headers.get('content-type')).toBe('application/problem+json');
      },
      { quiet: true },
    );
  });
});

/** A group of its own, which Mallory opened, with Ada in it. */
async function group(): Promise<{ id: string; adas: Replica }> {
  const { ada, mallory, server } = scene;
  const created = await ada.call('POST', '/api/messaging/conversations', { title: 'Other', memberIds: [mallory.id] });
  const { id } = (created.body as { conversation: { id: string } }).conversation;
  const adas = openReplica(server, ada, `${id}/1`);
  toClose.push(adas);
  await until(() => expect(adas.provider.synced).toBe(true));
  return { id, adas };
}

describe('rooms', () => {
  test('[D4, A6] a closed segment takes no message, and an id of one segment is none in the next', async () => {
    const { id, adas } = await group();
    const way = await open('socket', `${id}/1`);
    const ids = Array.from({ length: 500 }, newId);
    way.send(encodeStep2(updateOf((doc) => ids.forEach((each) => addMessage(doc, scene.mallory.id, each, ['one of many', null, null])))));
    await until(() => expect(readLog(adas.doc)).toHaveLength(500));
    const before = Y.encodeStateAsUpdate(adas.doc);
    for (const each of [newId(), ids[0]!]) {
      way.send(frameOf((doc) => addMessage(doc, scene.mallory.id, each, ['late', null, null])));
      await until(() => expect(way.frames.filter((frame) => readKind(frame) === 'told')).not.toEqual([]));
    }
    const next = await open('socket', `${id}/2`);
    next.send(frameOf((doc) => addMessage(doc, scene.mallory.id, ids[0]!, ['again', null, null])));
    await until(() => expect(next.frames.map(readKind)).toContain('told'));
    expect(readLog(adas.doc)).toEqual(ids);
    expect(othersOf(Y.encodeStateAsUpdate(adas.doc), scene.mallory.id)).toBe(othersOf(before, scene.mallory.id));
    const [row] = await scene.sql`select count(*)::int as messages from messages where conversation_id = ${id}`;
    expect(row).toEqual({ messages: 500 });
    await scene.honestMessageArrives();
  });

  test('[W4] who is removed is let go with 4403, and may not come back', async () => {
    const { id, adas } = await group();
    const ways = [await open('socket', `${id}/1`), await open('channel', id)];
    const removed = await scene.ada.call('DELETE', `/api/messaging/conversations/${id}/members/${scene.mallory.id}`);
    expect(removed.status).toBeLessThan(300);
    for (const way of ways) expect(await way.ended).toEqual(endingOf('notMember'));
    expect(await (await open('socket', `${id}/1`)).ended).toEqual(endingOf('notMember'));
    expect(await (await open('channel', `${id}/1`)).ended).toEqual(endingOf('notMember'));
    addMessage(adas.doc, scene.ada.id, newId(), ['alone', null, null]);
    await until(() => expect(readLog(adas.doc)).toHaveLength(1));
    expect(adas.closes).toEqual([]);
  });

  test('[L9] a room whose commits fail is quarantined with 1013; the others go on', async () => {
    const { id } = await group();
    const way = await open('socket', `${id}/1`);
    await scene.sql`create function refuse_poison() returns trigger language plpgsql as $$ begin raise exception 'poison'; end $$`;
    await scene.sql`create trigger poison before insert on updates for each row when (new.n = 1 and octet_length(new.bytes) between 5000 and 6000)
      execute function refuse_poison()`;
    try {
      way.send(frameOf((doc) => addMessage(doc, scene.mallory.id, newId(), ['x'.repeat(5_200), null, null])));
      expect(await way.ended).toMatchObject({ code: CLOSE.tryLater.code });
      expect(await (await open('socket', `${id}/1`)).ended).toMatchObject({ code: CLOSE.tryLater.code });
      await scene.honestMessageArrives();
    } finally {
      await scene.sql`drop trigger poison on updates`;
      await scene.sql`drop function refuse_poison()`;
    }
    expect(scene.server.process().hasEnded()).toBe(false);
  });
});
