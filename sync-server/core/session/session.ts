import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import type { Clock } from '../../../shared/clock.ts';
import { CLOSE, type CloseName } from '../../../shared/close-codes.ts';
import type { DocumentName, Uuid } from '../../../shared/ids.ts';
import { KEEP_ALIVE_MS, LIMITS } from '../../../shared/limits.ts';
import { EMPTY_AWARENESS, MESSAGE, SYNC, encodeStep2 } from '../../../shared/protocol.ts';
import { checkUpdate } from '../accept/check.ts';
import type { Committer } from '../room/committer.ts';
import type { Logger, Membership, Socket } from '../ports.ts';
import type { Presence, Visitor } from './presence.ts';
import { readStateVector, wholePayload } from './read-frame.ts';
import { type Room, type Watcher, encodeRoomStep1 } from '../room/room.ts';
import { type Hold, Quarantined, type Rooms } from '../room/rooms.ts';
import { makeBucket } from './bucket.ts';

/**
 * The server's side of one socket on one document.
 *
 *   entering ──► inside ──► ended        entering: rights and room are awaited; frames wait, bounded
 *       └──────────────────────▲
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

/** Unsent bytes at which a reader counts as too slow (W7). */
export const BUFFERED = 4 * 1024 * 1024;
/** Frames in a row without progress (W6). */
const AHEAD_IN_A_ROW = 20;
/** Frames and bytes that wait at most while the room opens. */
const EARLY_FRAMES = 64;
const EARLY_BYTES = 2 * LIMITS.step2;

export function openSession(deps: SessionDeps, visit: Visit): Session {
  const { rooms, committer, membership, clock, logger } = deps;
  const { userId, sid, name, socket } = visit;
  const step1s = makeBucket({ burst: 30, perMinute: 10, now: clock.now() });
  let early: Uint8Array[] | null = [];
  let earlyBytes = 0;
  let hold: Hold | null = null;
  let visitor: Visitor | null = null;
  let ended = false;
  let ahead = 0;
  let lastSent = clock.now();
  let stopKeepAlive = clock.after(KEEP_ALIVE_MS, keepAlive);
  let stopExpiry = (): void => {};
  if (visit.expiresAt !== null) extend(visit.expiresAt);

  const watcher: Watcher = {
    userId,
    acks: visit.acks,
    send,
    end,
    judged(verdict) {
      if (verdict === 'committed') ahead = 0;
      else if (verdict === 'ahead' && ++ahead > AHEAD_IN_A_ROW) return end('tryLater', 'no progress');
      if (hold) visit.onJudged?.(encodeRoomStep1(hold.room));
    },
  };
  const session: Session = { userId, sid, receive, closed: finish, end, extend };

  function send(message: Uint8Array): void {
    if (ended) return;
    if (socket.buffered() > BUFFERED) return end('tryLater', 'too slow');
    lastSent = clock.now();
    socket.send(message);
  }

  function keepAlive(): void {
    const silent = clock.now() - lastSent;
    if (silent >= KEEP_ALIVE_MS) send(EMPTY_AWARENESS);
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
    early = null;
    stopKeepAlive();
    stopExpiry();
    visitor?.leave();
    hold?.leave();
    deps.onEnd(session);
  }

  async function enter(): Promise<void> {
    const refusal = await access();
    if (ended) return;
    if (refusal) return end(refusal);
    const entered = (await join()) ?? (await joinFresh());
    if (ended) return entered?.leave();
    if (!entered) return end('notFound');
    hold = entered;
    if (name.kind === 'root') visitor = deps.presenceOf(entered.room).enter({ userId, send });
    const frames = early ?? [];
    early = null;
    for (const frame of frames) receive(frame);
  }

  function join(): Promise<Hold | null> {
    return rooms.enter(name, (room) => {
      send(encodeRoomStep1(room));
      return watcher;
    });
  }

  /** A person's first private document is made when its owner first opens it. */
  async function joinFresh(): Promise<Hold | null> {
    if (name.kind !== 'user') return null;
    await deps.ensurePrivate(userId);
    return join();
  }

  async function access(): Promise<CloseName | null> {
    if (name.kind === 'user') return name.conversationId === userId ? null : 'notFound';
    const standing = await membership.access(name.conversationId, userId);
    return standing === 'member' ? null : standing === 'former' ? 'notMember' : 'notFound';
  }

  function receive(frame: Uint8Array): void {
    if (ended) return;
    if (frame.byteLength > LIMITS.step2) return end('tooLarge');
    if (early) {
      earlyBytes += frame.byteLength;
      if (early.length >= EARLY_FRAMES || earlyBytes > EARLY_BYTES) return end('tryLater', 'too much before the document opened');
      early.push(frame);
      return;
    }
    if (!hold) return;
    try {
      take(hold.room, decoding.createDecoder(frame), frame.byteLength);
    } catch (error) {
      logger.info({ document: name.conversationId, error: String(error) }, 'a frame could not be read');
      end('refused', 'malformed');
    }
  }

  function take(room: Room, decoder: decoding.Decoder, size: number): void {
    const type = decoding.readVarUint(decoder);
    if (type === MESSAGE.sync) return takeSync(room, decoder, size);
    if (size > LIMITS.frame) return end('tooLarge');
    if (type === MESSAGE.awareness) return visitor?.receive(wholePayload(decoder));
    if (type === MESSAGE.queryAwareness && !decoding.hasContent(decoder)) return visitor?.resend();
    return end('refused', 'malformed');
  }

  function takeSync(room: Room, decoder: decoding.Decoder, size: number): void {
    const type = decoding.readVarUint(decoder);
    const payload = wholePayload(decoder);
    switch (type) {
      case SYNC.step1:
        return answerStep1(room, payload);
      case SYNC.step2:
        return takeUpdate(room, payload);
      case SYNC.update:
        if (size > LIMITS.frame || payload.byteLength > LIMITS.update) return end('tooLarge');
        return takeUpdate(room, payload);
      default:
        return end('refused', 'malformed');
    }
  }

  function takeUpdate(room: Room, update: Uint8Array): void {
    if (!checkUpdate(update)) return end('refused', 'malformed');
    if (!committer.enqueue(room, { kind: 'frame', from: watcher, update })) end('tryLater', 'the queue is full');
  }

  function answerStep1(room: Room, bytes: Uint8Array): void {
    if (!step1s.take(clock.now())) return end('tryLater', 'too many sync requests');
    const vector = readStateVector(bytes, LIMITS.stateVectorClients + room.doc.store.clients.size);
    if (!vector) return end('refused', 'malformed');
    if ((vector.get(room.state.logClient) ?? 0) <= room.state.logClock) return send(encodeStep2(Y.encodeStateAsUpdate(room.doc, bytes)));
    // The client knows more of the server's own structs than this room: another node may have committed them, or a backup was restored.
    rooms.refresh(room).then(
      () => {
        if (ended) return;
        if ((vector.get(room.state.logClient) ?? 0) > room.state.logClock) return end('refused', 'restored');
        send(encodeStep2(Y.encodeStateAsUpdate(room.doc, bytes)));
      },
      () => end('tryLater'),
    );
  }

  enter().catch((error: unknown) => {
    if (!(error instanceof Quarantined))
      logger.error({ document: name.conversationId, n: name.n, error: String(error) }, 'a document could not be opened');
    end('tryLater');
  });
  return session;
}
