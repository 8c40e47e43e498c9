import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { systemClock, systemRandom } from '../../shared/clock.ts';
import { CLOSE } from '../../shared/close-codes.ts';
import { type MessageId, type Uuid, makeMessageId, makeUuid } from '../../shared/ids.ts';
import { LIMITS } from '../../shared/limits.ts';
import { addMessage, readLog } from '../../shared/segment.ts';
import type { SendResult } from '../core/messaging-port.ts';
import { type Node, startNode } from '../core/node.ts';
import { LogUnavailable } from '../core/ports.ts';
import { membersMay } from '../core/rights/permissions.ts';
import { type Peer, makePeer } from '../core/testing/peer.ts';
import { type Sql, connect } from './connect.ts';
import { type CuttingProxy, openCuttingProxy } from './cutting-proxy.ts';
import { makePostgresBus } from './hint-bus.ts';
import { makePostgresInbox } from './inbox.ts';
import { makePostgresMembership } from './membership.ts';
import { type MigratedDatabase, openMigratedDatabase } from './migrated-database.ts';
import { makePostgresDepartures, makePostgresRelations } from './relations.ts';
import { makeStandingSignIns } from './standing-sign-ins.ts';
import { tellUnavailable } from './unavailable.ts';
import { makePostgresLog } from './update-log.ts';

/** A node whose Postgres is cut, slow or full. */
const { CUTS = '30', SEED = String(Date.now() % 1_000_000) } = process.env;
const CONNECTIONS = 4;
/** On a machine with nothing else to do it is below 50 ms; a commit that held the loop would show as seconds. */
const LOOP_MS = 500;
const soon = { timeout: 30_000, interval: 20 };
let warnings: string[] = [];
const logger = { info() {}, warn: (_: object, message: string) => void warnings.push(message), error() {} };
const newId = (): MessageId => makeMessageId(Date.now(), systemRandom);

let database: MigratedDatabase;
let proxy: CuttingProxy;
let sql: Sql;
let node: Node;
let peers: Peer[];
let ana: Uuid;
let ben: Uuid;
let conversationId: Uuid;

beforeEach(async () => {
  database = await openMigratedDatabase();
  proxy = await openCuttingProxy(database.url);
  sql = await connect(proxy.url, { allowUnsafe: true, max: CONNECTIONS });
  const relations = tellUnavailable(makePostgresRelations(sql));
  node = await startNode({
    log: makePostgresLog(sql),
    bus: makePostgresBus(sql, logger),
    membership: tellUnavailable(makePostgresMembership(sql)),
    relations,
    departures: makePostgresDepartures(sql),
    inbox: makePostgresInbox(sql),
    signIns: makeStandingSignIns(sql),
    permissions: membersMay,
    clock: systemClock,
    random: systemRandom,
    logger,
  });
  [peers, warnings] = [[], []];
  [ana, ben] = [makeUuid(Date.now(), systemRandom), makeUuid(Date.now(), systemRandom)];
  ({ conversationId } = await node.messaging.openDirect(ana, ben));
  await node.messaging.members.accept(ben, conversationId);
});
afterEach(async () => {
  for (const { session } of peers) session.closed();
  await database.sql`drop trigger if exists fire on updates`;
  await node.stop();
  await sql.end({ timeout: 1 });
  await proxy.close();
  await database.close();
});

async function open(userId: Uuid, n: number, id = conversationId): Promise<Peer> {
  const name = n === 0 ? ({ kind: 'root', conversationId: id, n } as const) : ({ kind: 'segment', conversationId: id, n } as const);
  const peer = makePeer((socket) => node.open({ userId, sid: 'sid', expiresAt: Date.now() + 3_600_000, name, acks: true, socket }));
  peers.push(peer);
  await vi.waitFor(() => expect(peer.closed !== null || peer.messages.length > 1).toBe(true), soon);
  return peer;
}
const say = (peer: Peer, userId: Uuid, text: string): void => peer.change((doc) => addMessage(doc, userId, newId(), [text, null, null]));
const bodies = async (id = conversationId): Promise<(string | null)[]> => (await database.messages(id)).map(({ body }) => body);

/** Everything that is written from now on is refused so, as long as `where` holds. */
async function refuseWrites(code: string, where = 'true'): Promise<() => Promise<unknown>> {
  await database.sql.unsafe(`
    create or replace function fire() returns trigger language plpgsql as $$
    begin
      if ${where} then raise exception 'could not extend file: No space left on device' using errcode = '${code}'; end if;
      return new;
    end $$;
    create or replace trigger fire before insert on updates for each row execute function fire()`);
  return () => database.sql`drop trigger fire on updates`;
}

/** Numbers that can be had again. */
function makeChance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) % below;
  };
}

describe('commits whose answer is lost', () => {
  test(
    '[F5] [L10] at random moments, many times: each message sent again has the same seq and one row',
    async () => {
      console.info(`SEED=${SEED} CUTS=${CUTS}`);
      const chance = makeChance(Number(SEED));
      const seqs = new Map<MessageId, Set<number>>();
      let left = Number(CUTS);
      async function send(writer: Uuid): Promise<void> {
        const id = newId();
        seqs.set(id, new Set());
        // Answered twice, for an answer may be lost behind us too.
        for (let answers = 0; answers < 2;) {
          const result: SendResult = await node.messaging.send(writer, conversationId, id, ['once', null, null]);
          if (result.kind === 'sent') {
            const [row] = (await database.messages(conversationId)).filter((message) => message.id === id);
            seqs.get(id)!.add(row!.seq);
            answers++;
          } else expect(result.kind).toBe('unavailable');
        }
      }
      const write = async (writer: Uuid): Promise<void> => {
        while (left > 0) {
          if (chance(3) > 0) {
            left--;
            proxy.cutAt('commit', chance(2) ? 'answer' : 'request');
          }
          await send(writer);
        }
      };
      await Promise.all([write(ana), write(ben), write(ana), write(ben)]);
      const rows = await database.messages(conversationId);
      expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: seqs.size }, (_, i) => i + 1));
      expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(seqs.keys()));
      expect([...seqs.values()].filter(({ size }) => size !== 1)).toEqual([]);
      const device = await open(ana, 1);
      expect(readLog(device.doc)).toEqual(rows.slice(0, LIMITS.segmentMessages).map(({ id }) => id));
    },
    60_000 + Number(CUTS) * 1_000,
  );
});

describe('a slow database', () => {
  test('[F4] commits of 5 s and a pool that is used up: the node answers, presence is live, what waits is bounded and goes on', async () => {
    const [root, other] = [await open(ana, 0), await open(ben, 0)];
    const mine = await open(ana, 1);
    proxy.delayAt('commit', 5_000);
    // These hold every connection there is; more than may wait is turned away at once.
    const holds = Array.from({ length: CONNECTIONS }, () => sql`select pg_sleep(3)`.execute());
    const held = () => database.sql`select from pg_stat_activity where state = 'active' and query = 'select pg_sleep(3)'`;
    await vi.waitFor(async () => expect(await held()).toHaveLength(CONNECTIONS), soon);
    const loop = monitorEventLoopDelay({ resolution: 5 });
    loop.enable();
    for (let i = 0; i < 2_000; i++) say(mine, ana, `${i}`);
    const membership = tellUnavailable(makePostgresMembership(sql), { waitMs: 500, most: 8 });
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => membership.access(conversationId, ana)));
    const refused = asked.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
    expect(refused.filter((reason) => reason.includes('too much waits'))).toHaveLength(12);
    expect(refused.filter((reason) => reason.includes('in time'))).toHaveLength(8);
    root.sayHere(root.doc.clientID, { typing: true });
    await vi.waitFor(() => expect([...other.states.values()].some(({ state }) => state.typing === true)).toBe(true), soon);
    loop.disable();
    const p99 = Math.round(loop.percentile(99) / 1e6);
    console.info(`event loop p99: ${p99} ms`);
    expect(p99).toBeLessThan(LOOP_MS);
    await Promise.all(holds);
    await vi.waitFor(async () => expect(await bodies()).not.toHaveLength(0), soon);
    expect(mine.closed).toBeNull();
    proxy.delayAt('commit', 0);
    await vi.waitFor(async () => expect(await bodies()).toHaveLength(LIMITS.segmentMessages), soon);
  });

  test('[F4] [L1] while it is away what waits is bounded, a send over HTTP is told so, and all of it goes on afterwards', async () => {
    const mine = await open(ana, 1);
    await proxy.goDown();
    // A quarter of the queue is theirs; what comes after that waits before the socket is read on.
    for (let i = 0; i <= LIMITS.queueWorks / LIMITS.queueShares + LIMITS.pauseFrames; i++) say(mine, ana, `${i}`);
    expect([mine.closed, mine.socket.isPaused]).toEqual([null, true]);
    await expect(node.messaging.send(ben, conversationId, newId(), ['late', null, null])).rejects.toBeInstanceOf(LogUnavailable);
    await proxy.comeBack();
    await vi.waitFor(async () => expect((await bodies()).length).toBe(LIMITS.segmentMessages), soon);
    await vi.waitFor(() => expect([mine.closed, mine.socket.isPaused]).toEqual([null, false]), soon);
  });
});

describe('a disk that is full', () => {
  const hasFailed = async () => {
    const before = warnings.length;
    await vi.waitFor(() => expect(warnings.slice(before)).toContain('a batch was not committed'), soon);
  };

  test('[F3] reading goes on, sending waits, and goes on without a restart; nobody is blamed, and nothing is doubled', async () => {
    const mine = await open(ana, 1);
    const written = ['before'];
    say(mine, ana, 'before');
    await vi.waitFor(async () => expect(await bodies()).toEqual(written), soon);
    for (let round = 1; round <= 5; round++) {
      const free = await refuseWrites('53100');
      say(mine, ana, `full ${round}`);
      await hasFailed();
      const reader = await open(ben, 1);
      expect([reader.closed, mine.closed, readLog(reader.doc).length]).toEqual([null, null, round]);
      await free();
      written.push(`full ${round}`);
      await vi.waitFor(async () => expect(await bodies()).toEqual(written), soon);
      await vi.waitFor(() => expect(readLog(reader.doc)).toHaveLength(round + 1), soon);
    }
  });

  test('[F3] a send over HTTP is told within 10 s, and the same id again is one message', async () => {
    const id = newId();
    const send = () => node.messaging.send(ben, conversationId, id, ['over HTTP', null, null]);
    const free = await refuseWrites('53100');
    expect(await send()).toEqual({ kind: 'unavailable' });
    await free();
    expect(await send()).toMatchObject({ kind: 'sent' });
    expect(await bodies()).toEqual(['over HTTP']);
  });
});

describe('a poisoned conversation', () => {
  test('[F20] [L9] what Postgres refuses of one conversation is quarantined; its neighbours of the same batch go on', async () => {
    const { conversationId: other } = await node.messaging.openGroup(ana, 'Other', [ben]);
    const [bad, good] = [await open(ana, 1), await open(ana, 1, other)];
    const free = await refuseWrites('23514', `new.conversation_id = '${conversationId}'`);
    for (let i = 0; i < 10; i++) {
      say(bad, ana, `poison ${i}`);
      say(good, ana, `honest ${i}`);
    }
    await vi.waitFor(() => expect(bad.closed?.code).toBe(CLOSE.tryLater.code), soon);
    await vi.waitFor(async () => expect(await bodies(other)).toHaveLength(10), soon);
    expect([good.closed, await bodies()]).toEqual([null, []]);
    await free();
  });

  test('[F20] [R3] stored bytes that are no update are an error to who opens them, never an empty document; the others go on', async () => {
    const { conversationId: other } = await node.messaging.openGroup(ana, 'Other', [ben]);
    for (const bytes of [Buffer.alloc(0), Buffer.from([255, 255, 255, 255, 15]), Buffer.from(Y.encodeStateAsUpdate(new Y.Doc())).fill(7)]) {
      await database.sql`update updates set bytes = ${bytes} where conversation_id = ${conversationId} and n = 1`;
      const bad = await open(ana, 1);
      expect([bad.closed?.code, bad.messages]).toEqual([CLOSE.tryLater.code, []]);
    }
    const good = await open(ana, 1, other);
    say(good, ana, 'onwards');
    await vi.waitFor(async () => expect(await bodies(other)).toEqual(['onwards']), soon);
  });
});
