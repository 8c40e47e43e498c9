import type { Clock, RandomBytes } from '../../shared/clock.ts';
import { type ConversationKind, type Role, createRoot } from '../../shared/conversation.ts';
import { type Uuid, directConversationId, makeUuid } from '../../shared/ids.ts';
import { createSegment } from '../../shared/segment.ts';
import { createPrivate } from '../../shared/user-document.ts';
import type { Committer } from './room/committer.ts';
import type { Messaging, SendResult } from './messaging-port.ts';
import type { Logger, Member, Membership, NewConversation, UpdateLog } from './ports.ts';
import type { Members } from './rights/members.ts';
import type { Relations } from './rights/relations.ts';
import type { Work } from './room/work.ts';
import type { Rooms } from './room/rooms.ts';
import { freshState, writeAsServer } from './room/server-write.ts';

/** How long a send waits for the log; it may still be committed later, and trying again with its id is safe. */
const SEND_MS = 10_000;
/** Tries of a send whose segment closed on the way. */
const SEND_TRIES = 4;

export function makeMessaging(deps: {
  log: UpdateLog;
  rooms: Rooms;
  committer: Committer;
  membership: Membership;
  relations: Relations;
  members: Members;
  clock: Clock;
  random: RandomBytes;
  logger: Logger;
  /** A person's stored read position changed, or what their list shows. */
  announce(conversationId: Uuid, userId: Uuid): void;
}): Pick<Messaging, 'openDirect' | 'openGroup' | 'setListed' | 'send' | 'markRead'> & {
  ensurePrivate(userId: Uuid): Promise<void>;
} {
  const { log, rooms, committer, membership, relations, clock, random, logger } = deps;

  function newConversation(about: Omit<NewConversation, 'createdAt' | 'documents'> & { kind: ConversationKind }): NewConversation {
    const createdAt = clock.now();
    const members = new Map(about.members.map(({ userId, role, since }) => [userId, { role, since }]));
    const root = writeAsServer(freshState(0, 0, random), [], (doc) => createRoot(doc, { ...about, createdAt, members }));
    const segment = writeAsServer(freshState(1, 1, random), [], (doc) => createSegment(doc, 1, 1));
    return { ...about, createdAt, documents: [root, segment] };
  }

  /** First members: those who do not know the one who asks them are `asked` (G3). */
  async function membersOf(userId: Uuid, own: Role, others: readonly Uuid[]): Promise<Member[]> {
    const knowing = await relations.knowing(userId, others);
    const rest = others.map((id): Member => ({ userId: id, role: 'member', since: 0, ...(knowing.has(id) ? {} : { asked: true }) }));
    return [{ userId, role: own, since: 0 }, ...rest];
  }

  /** Somebody opens a direct conversation that is there. Where nothing was said yet both came to it: neither was asked. */
  async function meet(userId: Uuid, conversationId: Uuid): Promise<void> {
    const there = await log.read(conversationId, 0, Number.MAX_SAFE_INTEGER);
    const isAsked = there?.members.some((member) => member.userId === userId && member.asked);
    if (there?.conversation.seq === 0 && isAsked) await deps.members.accept(userId, conversationId);
    deps.announce(conversationId, userId);
  }

  /** One try in what is the open segment now. */
  async function sendOnce(conversationId: Uuid, post: Omit<Extract<Work, { kind: 'post' }>, 'done'>): Promise<SendResult> {
    const { conversation } = (await log.read(conversationId, 0, Number.MAX_SAFE_INTEGER)) ?? {};
    if (!conversation || conversation.kind === 'private') return { kind: 'not-found' };
    const hold = await rooms.enter({ kind: 'segment', conversationId, n: conversation.open });
    if (!hold) return { kind: 'unavailable' };
    try {
      return await new Promise((resolve) => {
        const done = (result: SendResult): void => {
          stop();
          resolve(result);
        };
        const stop = clock.after(SEND_MS, () => done({ kind: 'unavailable' }));
        if (!committer.enqueue(hold.room, { ...post, done })) done({ kind: 'unavailable' });
      });
    } finally {
      hold.leave();
    }
  }

  return {
    async openDirect(userId, otherId) {
      const conversationId = await directConversationId(userId, otherId);
      if (await membership.setListed(conversationId, userId, true)) {
        await meet(userId, conversationId);
        return { conversationId, created: false };
      }
      const members = (await membersOf(userId, 'member', [otherId])).toSorted((a, b) => (a.userId < b.userId ? -1 : 1));
      const about = { id: conversationId, kind: 'direct' as const, title: null, by: userId, members };
      const created = await log.create(newConversation(about));
      if (!created && (await membership.setListed(conversationId, userId, true))) await meet(userId, conversationId);
      return { conversationId, created };
    },
    async openGroup(userId, title, memberIds, { id = makeUuid(clock.now(), random), history = 'all' } = {}) {
      const others = [...new Set(memberIds)].filter((id) => id !== userId);
      const members = await membersOf(userId, 'owner', others);
      return { conversationId: id, created: await log.create(newConversation({ id, kind: 'group', title, history, by: userId, members })) };
    },
    async setListed(userId, conversationId, listed) {
      const isMember = await membership.setListed(conversationId, userId, listed);
      if (isMember) deps.announce(conversationId, userId);
      return isMember;
    },
    async send(userId, conversationId, id, value) {
      if ((await membership.access(conversationId, userId)) !== 'member') return { kind: 'not-found' };
      let result: SendResult = { kind: 'unavailable' };
      try {
        for (let i = 0; i < SEND_TRIES; i++) {
          result = await sendOnce(conversationId, { kind: 'post', writer: userId, id, value });
          if (result.kind !== 'neutralised' || result.code !== 'closed') return result;
        }
      } catch (error) {
        logger.warn({ conversationId, error: String(error) }, 'a message could not be sent');
        return { kind: 'unavailable' };
      }
      return { kind: 'unavailable' };
    },
    async markRead(userId, conversationId, seq) {
      const stored = await membership.setRead(conversationId, userId, seq);
      if (stored !== null) deps.announce(conversationId, userId);
      return stored;
    },
    async ensurePrivate(userId) {
      const segment = writeAsServer(freshState(1, 0, random), [], (doc) => createPrivate(doc, 1));
      const members: Member[] = [{ userId, role: 'owner', since: 0 }];
      await log.create({ id: userId, kind: 'private', title: null, createdAt: clock.now(), members, documents: [segment] });
    },
  };
}
