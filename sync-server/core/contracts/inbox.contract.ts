import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Uuid } from '../../../shared/ids.ts';
import { aConversation, aMessage, anId, append, firstWrite } from './contract-examples.ts';
import type { Hint, HintBus, InboxSource, Membership, UpdateLog } from '../ports.ts';

/** An inbox's source beside what writes the things that it tells of. */
export interface InboxWorld {
  log: UpdateLog;
  bus: HintBus;
  membership: Membership;
  inbox: InboxSource;
  /** Takes a member out of a conversation. */
  remove(conversationId: Uuid, userId: Uuid): Promise<void>;
  close(): Promise<void>;
}

/** What every inbox source must do, whatever keeps it. */
export function inboxContract(name: string, makeWorld: () => Promise<InboxWorld>): void {
  describe(`${name}: inbox`, () => {
    let world: InboxWorld;
    beforeAll(async () => {
      world = await makeWorld();
    });
    afterAll(() => world.close());

    /** A conversation of two with one message, and a reader who is up to date. */
    async function created() {
      const conversation = aConversation();
      await world.log.create(conversation);
      const [a, b] = conversation.members.map(({ userId }) => userId) as [Uuid, Uuid];
      const first = aMessage(a, 1);
      await append(world.log, conversation.id, { snapshot: [first] });
      return { id: conversation.id, a, b, first };
    }

    /** Follows one person's list: each call answers what changed since the one before. */
    async function follow(userId: Uuid) {
      let { cursor } = await world.inbox.changes(userId, null);
      return async () => {
        const { changed, gone, cursor: next } = await world.inbox.changes(userId, cursor);
        cursor = next;
        return { changed, gone };
      };
    }

    const idsOf = (rows: readonly { id: Uuid }[]): Uuid[] => rows.map(({ id }) => id);

    test('[I2] without a cursor the whole list comes, the newest first, and nobody else’s', async () => {
      const { id, a, b, first } = await created();
      const later = aConversation({ createdAt: first.acceptedAt + 60_000, members: [{ userId: b, role: 'member', since: 0 }] });
      await world.log.create(later);
      await created();
      const { changed, gone } = await world.inbox.changes(b, null);
      expect(idsOf(changed)).toEqual([later.id, id]);
      expect(gone).toEqual([]);
      expect(changed[1]).toMatchObject({
        lastMessage: { id: first.id, seq: 1, senderId: a, preview: 'message 1' },
        unreadCount: 1,
        lastReadSeq: 0,
      });
    });

    test('[I3] a message, its edit and its deletion change the list of every member', async () => {
      const { id, a, b, first } = await created();
      const [ofA, ofB] = [await follow(a), await follow(b)];
      const last = async () => (await ofB()).changed.find((row) => row.id === id)?.lastMessage?.preview;
      const second = aMessage(a, 2);
      await append(world.log, id, { snapshot: [second] });
      expect(await last()).toBe('message 2');
      await append(world.log, id, { snapshot: [{ kind: 'edit', id: second.id, body: 'new', replyTo: null, extras: null, editedAt: 1 }] });
      expect(await last()).toBe('new');
      await append(world.log, id, { snapshot: [{ kind: 'deletion', id: second.id, deletedAt: 1, by: a }] });
      expect(await last()).toBeNull();
      await append(world.log, id, { snapshot: [{ kind: 'deletion', id: first.id, deletedAt: 1, by: a }] });
      expect((await ofB()).changed).toMatchObject([{ id, unreadCount: 0 }]);
      expect(idsOf((await ofA()).changed)).toContain(id);
    });

    test('[I3] a read position changes the list of its reader, and of nobody else', async () => {
      const { id, a, b } = await created();
      const [ofA, ofB] = [await follow(a), await follow(b)];
      await world.membership.setRead(id, b, 1);
      expect((await ofB()).changed).toMatchObject([{ id, lastReadSeq: 1, unreadCount: 0 }]);
      expect((await ofA()).changed).toEqual([]);
    });

    test('[I3] a new conversation comes, and its creation is hinted', async () => {
      const userId = anId();
      const next = await follow(userId);
      const hints: Hint[] = [];
      const stop = await world.bus.listen(
        (hint) => hints.push(hint),
        () => {},
      );
      const conversation = aConversation({ members: [{ userId, role: 'member', since: 0 }] });
      await world.log.create(conversation);
      expect(idsOf((await next()).changed)).toEqual([conversation.id]);
      const [id] = [conversation.id];
      await expect
        .poll(() => hints.flatMap((hint) => (hint.kind === 'updates' ? hint.documents : [])))
        .toEqual(
          expect.arrayContaining([
            [id, 0, 1],
            [id, 1, 1],
          ]),
        );
      await stop();
    });

    test('[I3] who was taken out is told that it is gone', async () => {
      const { id, b } = await created();
      const next = await follow(b);
      await world.remove(id, b);
      expect(await next()).toEqual({ changed: [], gone: [id] });
      expect((await world.inbox.changes(b, null)).changed).toEqual([]);
    });

    test('[I3] reactions and deliveries change no list', async () => {
      const { id, b, first } = await created();
      const next = await follow(b);
      await next();
      await append(world.log, id, { snapshot: [{ kind: 'reactions', id: first.id, userId: b, emoji: ['👍'] }] });
      await world.membership.setDelivered(b, new Map([[id, 1]]));
      expect(await next()).toEqual({ changed: [], gone: [] });
    });

    test('[I2] a private document is nobody’s conversation', async () => {
      const userId = anId();
      const members = [{ userId, role: 'owner' as const, since: 0 }];
      await world.log.create(aConversation({ id: userId, kind: 'private', members, documents: [firstWrite(1)] }));
      expect((await world.inbox.changes(userId, null)).changed).toEqual([]);
    });

    test('[I2] a cursor that is of no use brings the whole list', async () => {
      const { id, b } = await created();
      for (const cursor of ['', 'nonsense', '7.00000001.5', '99999999999999999999'])
        expect(idsOf((await world.inbox.changes(b, cursor)).changed)).toEqual([id]);
    });

    test('[I3] those are concerned who are or were members', async () => {
      const [one, other] = [await created(), await created()];
      await world.remove(one.id, one.b);
      const asked = [one.a, one.b, other.a, anId()];
      expect(new Set(await world.inbox.concerned([one.id], asked))).toEqual(new Set([one.a, one.b]));
      expect(await world.inbox.concerned([anId()], asked)).toEqual([]);
    });
  });
}
