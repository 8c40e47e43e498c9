import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Uuid } from '../../../shared/ids.ts';
import { aConversation, aMessage, anId, append, firstWrite } from './contract-examples.ts';
import type { Membership, NewConversation, UpdateLog } from '../ports.ts';

/** Membership beside the log that creates what it is about. */
export interface MembershipWorld {
  log: UpdateLog;
  membership: Membership;
  /** Takes a member out of a conversation, who then is a former one. */
  remove(conversationId: Uuid, userId: Uuid): Promise<void>;
  close(): Promise<void>;
}

/** What every membership must do, whatever keeps it. */
export function membershipContract(name: string, makeWorld: () => Promise<MembershipWorld>): void {
  describe(`${name}: membership`, () => {
    let world: MembershipWorld;
    beforeAll(async () => {
      world = await makeWorld();
    });
    afterAll(() => world.close());

    /** A conversation of two with messages 1 to 3. */
    async function created(changes: Partial<NewConversation> = {}): Promise<{ id: Uuid; a: Uuid; b: Uuid }> {
      const conversation = aConversation(changes);
      await world.log.create(conversation);
      const [a, b] = conversation.members.map(({ userId }) => userId) as [Uuid, Uuid];
      await append(world.log, conversation.id, { snapshot: [1, 2, 3].map((seq) => aMessage(a, seq)) });
      return { id: conversation.id, a, b };
    }

    test('[H4] only members are members', async () => {
      const { id, a, b } = await created();
      const { membership } = world;
      expect(await membership.access(id, a)).toBe('member');
      expect(await membership.access(id, anId())).toBe('never');
      expect(await membership.access(anId(), a)).toBe('never');
      await world.remove(id, b);
      expect(await membership.access(id, b)).toBe('former');
    });

    test('[D1] the owner of a private document is its one member', async () => {
      const userId = anId();
      const members = [{ userId, role: 'owner' as const, since: 0 }];
      await world.log.create(aConversation({ id: userId, kind: 'private', members, documents: [firstWrite(1)] }));
      expect(await world.membership.access(userId, userId)).toBe('member');
      expect(await world.membership.access(userId, anId())).toBe('never');
    });

    test('[P4] who joins has read up to where they joined', async () => {
      const [a, b] = [anId(), anId()];
      const { id } = await created({
        members: [
          { userId: a, role: 'owner', since: 0 },
          { userId: b, role: 'member', since: 2 },
        ],
      });
      expect(await world.membership.positions(id)).toEqual(
        new Map([
          [a, { read: 0, delivered: 0 }],
          [b, { read: 2, delivered: 2 }],
        ]),
      );
    });

    test('[P4] a read position moves forward only, and never beyond the last message', async () => {
      const { id, a, b } = await created();
      const { membership } = world;
      expect(await membership.setRead(id, a, 2)).toBe(2);
      expect(await membership.setRead(id, a, 1)).toBe(2);
      expect(await membership.setRead(id, a, 99)).toBe(3);
      const positions = await membership.positions(id);
      expect(positions.get(a)!.read).toBe(3);
      expect(positions.get(b)!.read).toBe(0);
    });

    test('[P4] read positions that arrive at once come to the highest', async () => {
      const { id, a } = await created();
      await Promise.all([1, 3, 2, 1, 2].map((seq) => world.membership.setRead(id, a, seq)));
      expect((await world.membership.positions(id)).get(a)!.read).toBe(3);
    });

    test('[I5] what is delivered moves forward only, never beyond the last message, and says where it moved', async () => {
      const [one, other] = [await created(), await created()];
      const { membership } = world;
      const deliver = (seqs: [Uuid, number][]) => membership.setDelivered(one.a, new Map(seqs));
      const delivered = async () => (await membership.positions(one.id)).get(one.a)!.delivered;
      expect(
        await deliver([
          [one.id, 2],
          [other.id, 1],
          [anId(), 1],
        ]),
      ).toEqual([one.id]);
      expect(await delivered()).toBe(2);
      expect(await deliver([[one.id, 1]])).toEqual([]);
      expect(await delivered()).toBe(2);
      expect(await deliver([[one.id, 99]])).toEqual([one.id]);
      expect(await delivered()).toBe(3);
      expect(await deliver([])).toEqual([]);
      expect((await membership.positions(other.id)).get(other.a)!.delivered).toBe(0);
      await world.remove(one.id, one.b);
      expect(await membership.setDelivered(one.b, new Map([[one.id, 1]]))).toEqual([]);
    });

    test('[P4] who is no member has no read position', async () => {
      const { id, a, b } = await created();
      const { membership } = world;
      expect(await membership.setRead(id, anId(), 1)).toBeNull();
      expect(await membership.setRead(anId(), a, 1)).toBeNull();
      await world.remove(id, b);
      expect(await membership.setRead(id, b, 1)).toBeNull();
      expect([...(await membership.positions(id)).keys()]).toEqual([a]);
    });
  });
}
