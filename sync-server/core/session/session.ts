import type { Clock } from '../../../shared/clock.ts';
import { CLOSE, type CloseName } from '../../../shared/close-codes.ts';
import type { DocumentName, Uuid } from '../../../shared/ids.ts';
import { KEEP_ALIVE_MS, LIMITS, RATES } from '../../../shared/limits.ts';
import { EMPTY_AWARENESS } from '../../../shared/protocol.ts';
import type { Committer } from '../room/committer.ts';
import type { Logger, Membership, Socket } from '../ports.ts';
import { joinRoom } from './join-room.ts';
import type { Presence, Visitor } from '../presence/presence.ts';
import { makeQuestions } from './questions.ts';
import { type ClientMessage, readFrame } from './read-frame.ts';
import { type Room, encodeRoomStep1 } from '../room/room.ts';
import type { Watcher } from '../room/work.ts';
import { type Hold, NotNow, type Rooms } from '../room/rooms.ts';
import type { Allowances } from './allowances.ts';
import { makeIntake } from './intake.ts';
import { makeBucket } from './limiter.ts';
import { makeLiveFeed, watchReader } from './slow-reader.ts';

/**
 * The server's side of one socket on one document.
 *
 *   entering ──► inside ──► ended        entering: rights and room are awaited, frames wait
 *       └──────────────────────▲
 *
 *   socket ─► intake: one frame after the other, as fast as it may (W13) ─► room, presence
 *   socket ◄─ live feed: what changes, as fast as it is read (W7) ◄────────── room, presence
 */
export interface Session {
  readonly userId: Uuid;
  readonly sid: string;
  /** A frame from the socket. Bad ones end the session with a close code; it never throws. */
  receive(frame: Uint8Array): void;
  /** The socket is gone. */
  closed(): void;
  /** Closes the socket with a code of the one table. */
  end(close: CloseName, reason?: string): void;
  /** The session was renewed over HTTP. `expiresAt` in milliseconds. */
  extend(expiresAt: number): void;
}

export interface SessionDeps {
  rooms: Rooms;
  committer: Committer;
  membership: Membership;
  allowances: Allowances;
  /** The presence of a root's room (P1). */
  presenceOf(room: Room): Presence;
  /** Makes sure that a person's private document exists. */
  ensurePrivate(userId: Uuid): Promise<void>;
  clock: Clock;
  logger: Logger;
  /** Called once, when the session has ended. */
  onEnd(session: Session): void;
}

/** Who opens which document over which socket. `expiresAt` in milliseconds; null: whoever carries the socket sees to its end. */
export interface Visit {
  userId: Uuid;
  sid: string;
  expiresAt: number | null;
  name: DocumentName;
  /** Sub-protocol `homing.1` was selected. */
  acks: boolean;
  socket: Socket;
  /** An update of this session was judged, and acked or dropped; `step1` is what the server has now. */
  onJudged?(step1: Uint8Array): void;
}

/** A room's queue that is full is asked again after this. */
const QUEUE_MS = 50;
/** A question of a reader who is behind is looked at again after this. */
const BEHIND_MS = 100;

export function openSession(deps: SessionDeps, visit: Visit): Session {
  const { rooms, committer, membership, allowances, clock, logger } = deps;
  const { userId, sid, name } = visit;
  const socket = visit.expiresAt === null ? visit.socket : watchReader(visit.socket, clock, () => end('tryLater', 'too slow'));
  const feed = makeLiveFeed({ socket, send, catchUp });
  const intake = makeIntake({ socket, clock, take, isPatient: feed.isBehind, giveUp: (reason) => end('tryLater', reason) });
  const questions = makeQuestions({ ...deps, userId, send, end });
  const presences = makeBucket(RATES.presence);
  let hold: Hold | null = null;
  let visitor: Visitor | null = null;
  let ended = false;
  let isCounted = false;
  let ahead = 0;
  let lastSent = clock.elapsed();
  let stopKeepAlive = clock.after(KEEP_ALIVE_MS, keepAlive);
  let stopExpiry = (): void => {};
  if (visit.expiresAt !== null) extend(visit.expiresAt);

  const watcher: Watcher = {
    userId,
    acks: visit.acks,
    send,
    sendLive: (message, update) => (update && !questions.hasAnswered() ? undefined : feed.send(message, update)),
    end,
    judged(verdict) {
      if (verdict === 'committed') ahead = 0;
      else if (verdict === 'ahead' && ++ahead > LIMITS.aheadInARow) return end('tryLater', 'no progress');
      if (hold) visit.onJudged?.(encodeRoomStep1(hold.room));
    },
  };
  const session: Session = { userId, sid, receive, closed: finish, end, extend };

  function send(message: Uint8Array): void {
    if (ended) return;
    lastSent = clock.elapsed();
    socket.send(message);
  }

  /** W7: the step 1 stands for all acks that were left out. */
  function catchUp(missed: ReadonlyMap<number, number>): void {
    if (ended || !hold) return;
    questions.catchUp(hold.room, missed);
    if (visit.acks) send(encodeRoomStep1(hold.room));
    visitor?.resend();
  }

  function keepAlive(): void {
    const silent = clock.elapsed() - lastSent;
    if (silent >= KEEP_ALIVE_MS) feed.send(EMPTY_AWARENESS, null);
    if (!ended) stopKeepAlive = clock.after(silent >= KEEP_ALIVE_MS ? KEEP_ALIVE_MS : KEEP_ALIVE_MS - silent, keepAlive);
  }

  function extend(expiresAt: number): void {
    stopExpiry();
    if (!ended) stopExpiry = clock.after(expiresAt - clock.now(), () => end('expired'));
  }

  function end(close: CloseName, reason?: string): void {
    if (ended) return;
    socket.close(CLOSE[close].code, reason ?? CLOSE[close].means);
    finish();
  }

  function finish(): void {
    if (ended) return;
    ended = true;
    intake.stop();
    feed.stop();
    stopKeepAlive();
    stopExpiry();
    visitor?.leave();
    hold?.leave();
    if (isCounted) allowances.closeDocument(userId);
    deps.onEnd(session);
  }

  async function enter(): Promise<void> {
    // Whoever opens a session holds it before it can end.
    await Promise.resolve();
    if (ended) return;
    isCounted = allowances.openDocument(userId);
    if (!isCounted) return end('tryLater', 'too many documents');
    const refusal = await access();
    if (ended) return;
    if (refusal) return end(refusal);
    const entered = await joinFresh(await joinRoom(rooms, name, userId, watch));
    if (typeof entered === 'string') return end(entered);
    if (ended) return entered.leave();
    hold = entered;
    if (name.kind === 'root') visitor = deps.presenceOf(entered.room).enter({ userId, send: (message) => feed.send(message, null) });
    intake.open();
  }

  function watch(room: Room): Watcher {
    send(encodeRoomStep1(room));
    return watcher;
  }

  /** A person's first private document is made when its owner first opens it. */
  async function joinFresh(entered: Hold | CloseName): Promise<Hold | CloseName> {
    if (entered !== 'notFound' || name.kind !== 'user') return entered;
    await deps.ensurePrivate(userId);
    return joinRoom(rooms, name, userId, watch);
  }

  async function access(): Promise<CloseName | null> {
    if (name.kind === 'user') return name.conversationId === userId ? null : 'notFound';
    const standing = await membership.access(name.conversationId, userId);
    return standing === 'member' ? null : standing === 'former' ? 'notMember' : 'notFound';
  }

  function receive(frame: Uint8Array): void {
    if (frame.byteLength > LIMITS.step2) return end('tooLarge');
    intake.receive(frame);
  }

  /** Takes a frame, or says how long it has to wait (W13). */
  function take(frame: Uint8Array): number {
    if (!hold) return 0;
    const message = readFrame(frame);
    switch (message.kind) {
      case 'question':
        return feed.isBehind() ? BEHIND_MS : questions.take(hold.room, message.vector);
      case 'update':
        return takeUpdate(hold.room, message.update);
      case 'presence':
      case 'who is here':
        return takePresence(message);
      case 'bad':
        end(message.close, message.close === 'refused' ? 'malformed' : undefined);
        return 0;
    }
    return message satisfies never;
  }

  function takeUpdate(room: Room, update: Uint8Array): number {
    if (!room.closed && !room.queue.hasRoomFor(userId, update.byteLength)) return QUEUE_MS;
    const wait = allowances.update(userId, update.byteLength);
    if (wait === 0 && !committer.enqueue(room, { kind: 'frame', from: watcher, update })) end('tryLater');
    return wait;
  }

  /** P1: only a root's room knows who is there. */
  function takePresence(message: Extract<ClientMessage, { kind: 'presence' | 'who is here' }>): number {
    if (!visitor) return 0;
    const wait = presences.take(clock.elapsed()) || allowances.presence(userId);
    if (wait > 0) return wait;
    if (message.kind === 'who is here') visitor.resend();
    else if (!visitor.receive(message.update)) end('refused', 'malformed');
    return 0;
  }

  enter().catch((error: unknown) => {
    if (error instanceof NotNow) return end('tryLater', error.message);
    logger.error({ document: name.conversationId, n: name.n, error: String(error) }, 'a document could not be opened');
    end('tryLater');
  });
  return session;
}
