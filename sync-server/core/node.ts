import type { Clock, RandomBytes } from '../../shared/clock.ts';
import { CLOSE, SPREAD_MOST_MS, encodeSpread } from '../../shared/close-codes.ts';
import type { Restored } from '../../shared/inbox.ts';
import { type DocumentName, type Uuid, directConversationId } from '../../shared/ids.ts';
import { type ChannelsVisit, openChannels } from './session/channels.ts';
import { makeCommitter } from './room/committer.ts';
import { compact } from './room/compact.ts';
import { type ExchangeResult, exchange } from './session/exchange.ts';
import { openInbox } from './session/inbox.ts';
import { makeInboxes } from './session/inboxes.ts';
import { makeMessaging } from './messaging.ts';
import type { Messaging } from './messaging-port.ts';
import {
  CommitUnknown,
  type Hint,
  type HintBus,
  type InboxSource,
  LogUnavailable,
  type Logger,
  type Membership,
  type Permissions,
  type Socket,
  type StandingSignIns,
  type UpdateLog,
} from './ports.ts';
import { makeAsking } from './rights/asking.ts';
import { makeDepartures } from './rights/departures.ts';
import { makeMembers } from './rights/members.ts';
import type { Departures, Relations } from './rights/relations.ts';
import { makePresences } from './presence/presences.ts';
import { BrokenDocument, type Room } from './room/room.ts';
import { makeRooms } from './room/rooms.ts';
import { makeAllowances } from './session/allowances.ts';
import { type Session, type Visit, openSession } from './session/session.ts';
import { makeSignInWatch } from './session/sign-in-watch.ts';

/** One sync-server node: rooms over the log, kept current by hints and a slow poll (L12), with compaction (L13). */
export interface Node {
  messaging: Messaging;
  open(visit: Visit): Session;
  /** A socket with many documents and the inbox (W9). */
  openChannels(visit: ChannelsVisit): Session;
  /** One exchange over HTTP (W12). */
  exchange(who: Pick<Visit, 'userId' | 'sid' | 'name'>, messages: readonly Uint8Array[]): Promise<ExchangeResult>;
  /** Rooms and sessions of this node, for metrics. */
  counts(): { rooms: number; sessions: number };
  /** Closes all sessions with 1012, commits what waits, stops listening. */
  stop(): Promise<void>;
}

/** A lost hint costs at most this long. */
const POLL_MS = 5_000;
/** How often this node looks for documents that are due for compaction. */
const COMPACT_MS = 10_000;
/** A document is compacted this long after it asked, so that a burst of deletions is one compaction. */
const COMPACT_AFTER_MS = 10_000;
const COMPACT_AT_ONCE = 32;
/** One that cannot be compacted, whatever is tried, is looked at again so much later. */
const BROKEN_MS = 3_600_000;

/** Those who come back from a node that stopped are a thousand a second for the others. */
const SPREAD_MS = 1;
/** How often this node looks for deleted accounts that are still to be seen to. */
const DEPART_MS = 10_000;

export async function startNode(deps: {
  log: UpdateLog;
  /** The last backup that the database went back to, told to every device. */
  restored?: Restored | null;
  bus: HintBus;
  membership: Membership;
  relations: Relations;
  departures: Departures;
  inbox: InboxSource;
  signIns: StandingSignIns;
  permissions: Permissions;
  clock: Clock;
  random: RandomBytes;
  logger: Logger;
}): Promise<Node> {
  const { log, bus, membership, relations, clock, logger } = deps;
  const rooms = makeRooms(deps);
  const committer = makeCommitter({ ...deps, rooms });
  const presences = makePresences({ ...deps, publish: bus.publish, announce: announceRead });
  const inboxes = makeInboxes({ ...deps, source: deps.inbox });
  const sessions = new Set<Session>();
  const signInWatch = makeSignInWatch({ ...deps, sessions });
  const allowances = makeAllowances(clock);
  let stopped = false;
  let stopTimers: (() => void)[] = [];

  const warn = (message: string) => (error: unknown) => logger.warn({ error: String(error) }, message);

  function announceRead(conversationId: Uuid, userId: Uuid): void {
    announce(conversationId, userId, true);
  }

  function announce(conversationId: Uuid, userId: Uuid, read: boolean): void {
    presences.positionsChanged(conversationId);
    publish({ kind: 'positions', conversationId, userId, read });
  }

  function publish(hint: Hint): void {
    bus.publish(hint).catch(warn('a hint was not sent'));
  }

  function endSessions({ userId, sid }: { userId: Uuid; sid?: Uuid }): void {
    for (const session of [...sessions])
      if (session.userId === userId && (sid === undefined || session.sid === sid)) session.end('unauthorized');
  }

  function extendSession(sid: Uuid, expiresAt: number): void {
    for (const session of sessions) if (session.sid === sid) session.extend(expiresAt);
  }

  /** Whoever is no member any more is let go, and presence is shown to whom it may be. */
  function membersChanged(conversationId: Uuid): void {
    inboxes.conversationsChanged([conversationId]);
    presences.positionsChanged(conversationId);
    rooms.membersChanged(conversationId).catch(warn('members could not be read'));
  }

  function refresh(room: Room): Promise<void> {
    return rooms.refresh(room).catch(warn('a room could not be refreshed'));
  }

  function onHint(hint: Hint): void {
    switch (hint.kind) {
      case 'positions':
        if (hint.read) inboxes.personChanged(hint.userId);
        return presences.positionsChanged(hint.conversationId);
      case 'members':
        return membersChanged(hint.conversationId);
      case 'signed-out':
        return endSessions(hint);
      case 'renewed':
        return extendSession(hint.sid, hint.expiresAt);
      case 'presence':
      case 'who-is-here':
        return presences.hear(hint);
      case 'updates':
        inboxes.conversationsChanged(hint.documents.map(([conversationId]) => conversationId));
        for (const [conversationId, n, position] of hint.documents) {
          for (const kind of n === 0 ? (['root'] as const) : (['segment', 'user'] as const))
            rooms.hinted({ kind, conversationId, n } as DocumentName, position);
        }
    }
  }

  function roomOf(conversationId: Uuid, n: number): Room | undefined {
    return n === 0
      ? rooms.get({ kind: 'root', conversationId, n })
      : (rooms.get({ kind: 'segment', conversationId, n }) ?? rooms.get({ kind: 'user', conversationId, n }));
  }

  /** Reads again whatever may have been missed. */
  async function poll(): Promise<void> {
    // Lists read by themselves too, but not as often (I6).
    if (presences.isDeaf()) inboxes.everythingChanged();
    const held = [...rooms.open()].map(({ name: { conversationId, n }, state: { position }, conversation: { membersVersion } }) => ({
      conversationId,
      n,
      position,
      membersVersion,
    }));
    if (held.length === 0) return;
    for (const { conversationId, n } of await log.ahead(held)) {
      const room = roomOf(conversationId, n);
      if (!room) continue;
      await refresh(room);
      presences.positionsChanged(conversationId);
    }
  }

  async function compactDue(): Promise<void> {
    for (let went = COMPACT_AT_ONCE; went === COMPACT_AT_ONCE && !stopped;) {
      went = 0;
      for (const { conversationId, n } of await log.due(COMPACT_AFTER_MS, COMPACT_AT_ONCE)) {
        if (await compactOne(conversationId, n)) went++;
      }
    }
  }

  /** False: not now. */
  async function compactOne(conversationId: Uuid, n: number): Promise<boolean> {
    try {
      await log.compact(conversationId, n, compact);
    } catch (error) {
      if (error instanceof LogUnavailable || error instanceof CommitUnknown) {
        warn(`a document could not be compacted: ${conversationId}/${n}`)(error);
        return false;
      }
      logger.error({ conversationId, n, error: String(error) }, 'a document cannot be compacted; it is put off');
      // Whatever else failed may go well the next time, and stands in no other's way until then.
      await log.putOff(conversationId, n, error instanceof BrokenDocument ? BROKEN_MS : 0);
    }
    return true;
  }

  function every(ms: number, task: () => Promise<void>, message: string): () => void {
    let stop = clock.after(ms, turn);
    function turn(): void {
      void task()
        .catch(warn(message))
        .then(() => {
          if (!stopped) stop = clock.after(ms, turn);
        });
    }
    return () => stop();
  }

  const members = makeMembers(deps);
  const { ensurePrivate, ...writes } = makeMessaging({ ...deps, rooms, committer, members, announce: announceRead });
  const departures = makeDepartures({ ...deps, source: deps.departures, members });

  function onGap(): void {
    inboxes.everythingChanged();
    void poll().catch(warn('the log could not be polled'));
    void signInWatch.check().catch(warn('sign-ins could not be looked at'));
    presences.gap();
  }

  function openDocument(visit: Visit, onEnd: (session: Session) => void = () => {}): Session {
    return openSession({ rooms, committer, membership, allowances, presenceOf: presences.of, ensurePrivate, clock, logger, onEnd }, visit);
  }

  function enlist({ userId, sid, socket }: ChannelsVisit | Visit, open: (onEnd: (session: Session) => void) => Session): Session {
    if (!allowances.openSocket(userId)) return turnAway(userId, sid, socket);
    const session = open((ended) => {
      sessions.delete(ended);
      allowances.closeSocket(userId);
    });
    sessions.add(session);
    signInWatch.opened(session);
    if (stopped) session.end('restart');
    return session;
  }

  const unlisten = await bus.listen(onHint, onGap);
  stopTimers = [
    every(POLL_MS, poll, 'the log could not be polled'),
    every(POLL_MS, signInWatch.check, 'sign-ins could not be looked at'),
    every(COMPACT_MS, compactDue, 'compaction could not be planned'),
    every(DEPART_MS, departures.run, 'deleted accounts could not be seen to'),
  ];

  return {
    messaging: {
      ...writes,
      members,
      ask: makeAsking(deps),
      async setBlocked(userId, otherId, blocked) {
        await relations.setBlocked(userId, otherId, await directConversationId(userId, otherId), blocked);
      },
      depart(userId) {
        departures.run().catch(warn(`a deleted account could not be seen to: ${userId}`));
      },
      endSessions(who) {
        endSessions(who);
        publish({ kind: 'signed-out', ...who });
      },
      extendSession(sid, expiresAt) {
        extendSession(sid, expiresAt);
        publish({ kind: 'renewed', sid, expiresAt });
      },
    },
    open: (visit) => enlist(visit, (onEnd) => openDocument(visit, onEnd)),
    openChannels: (visit) =>
      enlist(visit, (onEnd) =>
        openChannels(
          {
            clock,
            onEnd,
            open: openDocument,
            openInbox: (way) =>
              openInbox({
                ...way,
                source: deps.inbox,
                restored: deps.restored ?? null,
                membership,
                allowances,
                clock,
                logger,
                watch: (inbox) => inboxes.watch(way.userId, inbox),
                announce: (conversationId, userId) => announce(conversationId, userId, false),
              }),
          },
          visit,
        ),
      ),
    exchange: (who, messages) => exchange({ clock, open: openDocument }, who, messages),
    counts: () => ({ rooms: [...rooms.open()].length, sessions: sessions.size }),
    async stop() {
      stopped = true;
      committer.stop();
      for (const stop of stopTimers) stop();
      const reason = encodeSpread(Math.min(sessions.size * SPREAD_MS, SPREAD_MOST_MS));
      for (const session of [...sessions]) session.end('restart', reason);
      await committer.idle();
      await presences.stop();
      await unlisten();
    },
  };
}

/** A person has no more sockets to open: this one never begins. */
function turnAway(userId: Uuid, sid: string, socket: Socket): Session {
  socket.close(CLOSE.tryLater.code, 'too many connections');
  return { userId, sid, receive() {}, closed() {}, end() {}, extend() {} };
}
