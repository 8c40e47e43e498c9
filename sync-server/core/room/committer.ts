import type * as Y from 'yjs';
import type { Clock, RandomBytes } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { encodeAck, encodeTold } from '../../../shared/protocol.ts';
import { decodeUpdate } from '../accept/decode.ts';
import { type Job, type Judgement, type Outcome, RootNeeded, judge, judgeRoom, takeConversation } from './judge.ts';
import { CommitUnknown, type DocumentWrite, type Locked, type Logger, LogUnavailable, type Permissions, type UpdateLog } from '../ports.ts';
import { BrokenDocument, type Room, advance, encodeRoomStep1 } from './room.ts';
import type { Work } from './work.ts';
import type { Rooms } from './rooms.ts';
import { type Batch, byConversation, wantsOf } from './batch.ts';

/**
 * The group commit (L1 to L10): accept → commit → back to everybody, the author included.
 *
 *   enqueue ─► waiting rooms ─► take ─► lock, catch up, judge, write, COMMIT ─► settle: apply, send, ack
 *                   ▲                        │ failed: frames back, one transaction a room; thrice: quarantine
 *                   └────────────────────────┤ log unavailable: frames back, wait, try again
 *                                            └ unknown: the rooms are dropped
 *
 * One batch is in flight on a node at a time; what arrives meanwhile is the next one.
 */
export interface Committer {
  /** Puts work at the end of a room's queue (L1). False: the room is closed or its queue full, and nothing was taken. */
  enqueue(room: Room, work: Work): boolean;
  /** Resolves when nothing waits and nothing is in flight. */
  idle(): Promise<void>;
  /** From now on what cannot be committed at once is given up instead of waiting. */
  stop(): void;
}

/** Work of one room in one batch, so that a busy room does not hold up the others. */
const BATCH_WORK = 512;
/** Rooms in one batch. */
const BATCH_ROOMS = 256;
/** Work in one batch, and its bytes: it is judged in one go, at some 10 µs each, and at up to 20 ms for 20 kB of a hostile frame. */
const BATCH = { works: 4_096, bytes: 64 * 1024 };
/** Failures in a row after which a room is quarantined (L9). */
const FAILURES = 3;
/** Waits between tries while the log is unavailable. */
const RETRY_MS = [50, 100, 200, 400, 800] as const;

export function makeCommitter(deps: {
  log: UpdateLog;
  rooms: Rooms;
  permissions: Permissions;
  clock: Clock;
  random: RandomBytes;
  logger: Logger;
}): Committer {
  const { log, rooms, clock, logger } = deps;
  const waiting = new Set<Room>();
  const idlers: (() => void)[] = [];
  let running = false;
  let stopping = false;
  let unavailable = 0;

  async function run(): Promise<void> {
    running = true;
    await Promise.resolve();
    while (waiting.size > 0) {
      const batch = take();
      try {
        await runBatch(batch, false);
      } catch (error) {
        // A broken invariant costs these rooms their cache; the others go on.
        logger.error({ rooms: batch.size, error: String(error) }, 'a batch could not be carried out');
        for (const [room, jobs] of batch) giveUp(room, worksOf(jobs));
      }
    }
    running = false;
    for (const resolve of idlers.splice(0)) resolve();
  }

  /** The next batch; a room that failed before goes alone (L9). */
  function take(): Batch {
    const batch: Batch = new Map();
    const left = { ...BATCH };
    for (const room of [...waiting]) {
      const alone = room.failures > 0;
      if (alone && batch.size > 0) continue;
      waiting.delete(room);
      if (room.closed) continue;
      const works = room.queue.take(BATCH_WORK, left);
      if (room.queue.length > 0) waiting.add(room);
      room.busy = true;
      try {
        const jobs = works.map((work) => decode(work, room.doc));
        batch.set(room, jobs);
      } catch (error) {
        logger.error({ document: room.id, error: String(error) }, 'a frame that was let in could not be read');
        giveUp(room, works);
      }
      if (alone || left.works <= 0 || left.bytes <= 0 || batch.size === BATCH_ROOMS) break;
    }
    return batch;
  }

  async function runBatch(batch: Batch, withRoots: boolean): Promise<void> {
    for (const [room, jobs] of batch) {
      const left = answerIdle(room, jobs);
      batch.set(room, left);
      if (left.length > 0) continue;
      batch.delete(room);
      release(room);
    }
    if (batch.size === 0) return;
    let judgements: Judgement[] = [];
    try {
      await log.transact(wantsOf(batch, withRoots), (locked) => {
        judgements = judgeAll(batch, locked);
        return judgements.flatMap(({ write }) => write ?? []);
      });
    } catch (error) {
      if (error instanceof RootNeeded && !withRoots) return runBatch(batch, true);
      return fail(batch, error);
    }
    unavailable = 0;
    for (const judgement of judgements) settleOrDrop(judgement);
    for (const room of batch.keys()) release(room);
  }

  /** L8: frames at the front that hold no structs change nothing: they are judged without a transaction. Answers what is left. */
  function answerIdle(room: Room, jobs: Job[]): Job[] {
    const first = jobs.findIndex((job) => job.kind === 'post' || job.update.blocks.length > 0 || !room.members.has(job.work.from.userId));
    const idle = first === -1 ? jobs : jobs.slice(0, first);
    if (idle.length === 0) return jobs;
    const { outcomes } = judgeRoom(room, idle, new Set(), { ...deps, now: clock.now() });
    for (const outcome of outcomes) tell(room, outcome);
    return jobs.slice(idle.length);
  }

  function judgeAll(batch: Batch, locked: Map<Uuid, Locked>): Judgement[] {
    const judgements: Judgement[] = [];
    for (const [conversationId, jobs] of byConversation(batch)) {
      const under = locked.get(conversationId);
      const present = new Map([...jobs].filter(([room]) => under && !room.closed && catchUp(room, under)));
      for (const [room, lost] of jobs) if (!present.has(room)) giveUp(room, worksOf(lost));
      if (under && present.size > 0) judgements.push(judge(present, under, { ...deps, now: clock.now() }));
    }
    return judgements;
  }

  /** L3. False: the document is gone, or the rows do not fit the room. */
  function catchUp(room: Room, under: Locked): boolean {
    const document = under.documents.get(room.name.n);
    if (!document) return false;
    takeConversation(room, under);
    try {
      advance(room, document.rows, document.claims, document.state);
      return true;
    } catch (error) {
      if (!(error instanceof BrokenDocument)) throw error;
      logger.error({ document: room.id, error: error.message }, 'a room could not catch up');
      return false;
    }
  }

  /** What goes wrong after the commit costs the rooms their cache, never the process. */
  function settleOrDrop(judgement: Judgement): void {
    try {
      settle(judgement);
    } catch (error) {
      logger.error({ conversationId: judgement.conversationId, error: String(error) }, 'a committed batch could not be told');
      for (const { room } of judgement.rooms) rooms.drop(room, 'restart');
    }
  }

  /** L7: each room in one synchronous step, then the root that the batch wrote beside them. */
  function settle({ conversationId, rooms: judged, write }: Judgement): void {
    const parts = new Map(write?.documents.map((part) => [part.state.n, part]));
    for (const { room, outcomes } of judged) {
      const part = parts.get(room.name.n);
      if (part) takeWritten(room, part);
      if (write) room.conversation = { ...room.conversation, seq: write.seq, open: write.open };
      room.failures = 0;
      for (const outcome of outcomes) tell(room, outcome);
    }
    const root = parts.get(0);
    const rootRoom = root && rooms.get({ kind: 'root', conversationId, n: 0 });
    if (root && rootRoom) takeWritten(rootRoom, root);
  }

  function takeWritten(room: Room, { state, update, claims }: DocumentWrite): void {
    if (!room.closed) rooms.offer(room, [{ position: state.position, update }], claims, state);
  }

  function tell(room: Room, outcome: Outcome): void {
    switch (outcome.kind) {
      case 'posted':
        return outcome.done(outcome.result);
      case 'acked':
        if (outcome.from.acks && outcome.told.length > 0) outcome.from.send(encodeTold(outcome.told));
        if (outcome.committed.length === 0) return outcome.from.judged('idle');
        if (outcome.from.acks) outcome.from.sendLive(encodeAck(outcome.committed), null);
        return outcome.from.judged('committed');
      case 'ahead':
        outcome.from.send(encodeRoomStep1(room));
        return outcome.from.judged('ahead');
      case 'refused':
        return outcome.from.end('refused', outcome.reason);
      case 'not-member':
        return outcome.from.end('notMember');
    }
  }

  async function fail(batch: Batch, error: unknown): Promise<void> {
    logger.warn({ rooms: batch.size, error: String(error) }, 'a batch was not committed');
    if (error instanceof CommitUnknown || (stopping && error instanceof LogUnavailable)) {
      for (const [room, jobs] of batch) giveUp(room, worksOf(jobs));
      return;
    }
    for (const [room, jobs] of batch) putBack(room, jobs);
    if (error instanceof LogUnavailable) {
      await new Promise<void>((resolve) => void clock.after(RETRY_MS[Math.min(unavailable++, RETRY_MS.length - 1)]!, resolve));
      return;
    }
    for (const room of batch.keys()) {
      room.failures++;
      if (room.failures < FAILURES) continue;
      logger.error({ document: room.id, error: String(error) }, 'nothing can be committed to a document; it is quarantined');
      rooms.quarantine(room);
    }
  }

  function putBack(room: Room, jobs: readonly Job[]): void {
    room.busy = false;
    const works = worksOf(jobs);
    if (room.closed) return abandon(works);
    room.queue.putBack(works);
    waiting.add(room);
  }

  /** A room whose state is in doubt: its sessions come back to a fresh one, where what was committed is known and the rest comes again. */
  function giveUp(room: Room, works: readonly Work[]): void {
    room.busy = false;
    abandon(works);
    rooms.drop(room, 'restart');
  }

  function release(room: Room): void {
    room.busy = false;
    rooms.closeIdle(room);
  }

  return {
    enqueue(room, work) {
      if (room.closed || !room.queue.add(work)) return false;
      waiting.add(room);
      if (!running) void run();
      return true;
    },
    stop: () => void (stopping = true),
    idle: () => (running ? new Promise((resolve) => idlers.push(resolve)) : Promise.resolve()),
  };
}

const decode = (work: Work, doc: Y.Doc): Job =>
  work.kind === 'frame' ? { kind: 'frame', work, update: decodeUpdate(work.update, doc) } : { kind: 'post', work };

const worksOf = (jobs: readonly Job[]): Work[] => jobs.map(({ work }) => work);

function abandon(works: readonly Work[]): void {
  for (const work of works) if (work.kind === 'post') work.done({ kind: 'unavailable' });
}
