import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Uuid } from '../../../shared/ids.ts';
import type { Hint, HintBus, InboxSource, Member, MemberChange, Membership, NewConversation, UpdateLog } from '../ports.ts';
import type { Departures, Relations } from '../rights/relations.ts';
import { aConversation, aMessage, anId, append, firstWrite } from './contract-examples.ts';

/** Rights between people, beside the log and the lists that show what they come to. */
export interface RightsWorld {
  log: UpdateLog;
  bus: HintBus;
  membership: Membership;
  relations: Relations;
  departures: Departures;
  inbox: InboxSource;
  /** Deletes the account of somebody, who need not have had one. */
  remove(userId: Uuid, removes: boolean): Promise<void>;
  close(): Promise<void>;
}

/** What every adapter of rights must do, whatever keeps them. */
export function rightsContract(name: string, makeWorld: () => Promise<RightsWorld>): void {
  describe(`${name}: rights`, () => {
    let world: RightsWorld;
    const hints: Hint[] = [];
    beforeAll(async () => {
      world = await makeWorld();
      await world.bus.listen(
        (hint) => void hints.push(hint),
        () => {},
      );
    });
    afterAll(() => world.close());

    async function created(changes: Partial<NewConversation> = {}) {
      const conversation = aConversation(changes);
      await world.log.create(conversation);
      const [a, b] = conversation.members.map(({ userId }) => userId) as [Uuid, Uuid];
      await append(world.log, conversation.id, { snapshot: [aMessage(a, 1), aMessage(a, 2)] });
      return { id: conversation.id, a, b };
    }

    /** Writes changes of members, with a root row as the core would. */
    async function change(id: Uuid, members: readonly MemberChange[], about: { title?: string; history?: 'all' | 'joined' } = {}) {
      const want = { conversationId: id, documents: [{ n: 0, position: 0 }], messageIds: [], membersVersion: -1 };
      await world.log.transact([want], (locked) => {
        const { conversation, documents } = locked.get(id)!;
        const { state } = documents.get(0)!;
        const root = {
          state: { ...state, position: state.position + 1 },
          update: Uint8Array.of(1),
          claims: [],
          fresh: false,
          compact: false,
        };
        return [{ conversationId: id, seq: conversation.seq, open: conversation.open, documents: [root], snapshot: [], members, about }];
      });
    }

    const stateOf = async (id: Uuid) => {
      const { conversation, members } = (await world.log.read(id, 0, 0))!;
      return { version: conversation.membersVersion, members: new Map(members.map((member) => [member.userId, member])) };
    };
    const memberOf = async (id: Uuid, userId: Uuid): Promise<Member | undefined> => (await stateOf(id)).members.get(userId);
    const hinted = (id: Uuid) => hints.filter((hint) => hint.kind === 'members' && hint.conversationId === id).length;
    const rowOf = async (userId: Uuid, id: Uuid) => (await world.inbox.changes(userId, null)).changed.find((row) => row.id === id);
    const askedBy = (by: Uuid, other: Uuid): Partial<NewConversation> => ({
      by,
      members: [
        { userId: by, role: 'member', since: 0 },
        { userId: other, role: 'member', since: 0, asked: true },
      ],
    });

    test('[G2] who joins, gets a role, leaves and comes back stands so in the table, and every node is told', async () => {
      const { id, a } = await created({ kind: 'group', title: 'Choir' });
      const [c, before] = [anId(), (await stateOf(id)).version];
      await change(id, [{ kind: 'join', userId: c, role: 'member', since: 2, from: 2, askedBy: null }]);
      expect(await memberOf(id, c)).toEqual({ userId: c, role: 'member', since: 2, from: 2 });
      expect(await world.membership.access(id, c)).toBe('member');
      expect((await world.membership.positions(id)).get(c)).toEqual({ read: 2, delivered: 2 });
      await change(id, [{ kind: 'role', userId: c, role: 'admin' }]);
      expect((await memberOf(id, c))?.role).toBe('admin');
      await change(id, [{ kind: 'leave', userId: c }]);
      expect(await world.membership.access(id, c)).toBe('former');
      expect(await memberOf(id, c)).toBeUndefined();
      await append(world.log, id, { snapshot: [aMessage(a, 3)] });
      await change(id, [{ kind: 'join', userId: c, role: 'member', since: 3, from: 0, askedBy: a }]);
      expect(await memberOf(id, c)).toEqual({ userId: c, role: 'member', since: 3, asked: true });
      await change(id, [{ kind: 'accept', userId: c }]);
      expect(await memberOf(id, c)).toEqual({ userId: c, role: 'member', since: 3 });
      expect((await stateOf(id)).version).toBe(before + 5);
      await expect.poll(() => hinted(id)).toBe(5);
    });

    test('[G2] title and setting change with the members’ list, and a list shows them', async () => {
      const { id, a } = await created({ kind: 'group', title: 'Choir' });
      await change(id, [], { title: 'Band', history: 'joined' });
      expect(await rowOf(a, id)).toMatchObject({ title: 'Band', history: 'joined' });
    });

    test('[L12] who holds another version of the members is told so, though the document is the same', async () => {
      const { id } = await created();
      const held = { conversationId: id, n: 1, position: 2, membersVersion: 1 };
      expect(await world.log.ahead([held])).toEqual([]);
      await change(id, []);
      expect(await world.log.ahead([held])).toEqual([{ conversationId: id, n: 1 }]);
    });

    test('[G2] whoever may not read what was has neither its preview nor its count', async () => {
      const { id, a } = await created({ kind: 'group', title: 'Choir' });
      const c = anId();
      await change(id, [{ kind: 'join', userId: c, role: 'member', since: 2, from: 2, askedBy: null }]);
      expect(await rowOf(c, id)).toMatchObject({ lastMessage: null, unreadCount: 0 });
      await append(world.log, id, { snapshot: [aMessage(a, 3)] });
      expect(await rowOf(c, id)).toMatchObject({ lastMessage: { seq: 3 }, unreadCount: 1 });
    });

    test('[G1] a block stands with the members of the direct conversation, from both sides, until it is taken back', async () => {
      const { id, a, b } = await created();
      const { version } = await stateOf(id);
      expect(await world.relations.setBlocked(a, b, id, true)).toBe(true);
      expect(await world.relations.setBlocked(a, b, id, true)).toBe(false);
      expect((await memberOf(id, a))?.blocks).toBe(true);
      expect(await memberOf(id, b)).toEqual({ userId: b, role: 'member', since: 0 });
      expect((await stateOf(id)).version).toBe(version + 1);
      expect((await world.membership.privacy(id)).apart.flat().toSorted()).toEqual([a, b].toSorted());
      expect(await world.relations.setBlocked(b, a, id, false)).toBe(false);
      expect(await world.relations.setBlocked(a, b, id, false)).toBe(true);
      expect((await memberOf(id, a))?.blocks).toBeUndefined();
      expect((await world.membership.privacy(id)).apart).toEqual([]);
      await expect.poll(() => hinted(id)).toBe(2);
    });

    test('[G1] a block that is older than the conversation counts in it', async () => {
      const [a, b, id] = [anId(), anId(), anId()];
      await world.relations.setBlocked(b, a, id, true);
      await created({ ...askedBy(a, b), id });
      expect((await memberOf(id, b))?.blocks).toBe(true);
    });

    test('[G1] in a group a block keeps presence apart and takes the blocked one’s messages out of the count', async () => {
      const { id, a, b } = await created({ kind: 'group', title: 'Choir' });
      expect((await rowOf(b, id))?.unreadCount).toBe(2);
      const { cursor } = await world.inbox.changes(b, null);
      await world.relations.setBlocked(b, a, anId(), true);
      expect((await memberOf(id, b))?.blocks).toBeUndefined();
      expect((await world.membership.privacy(id)).apart.flat().toSorted()).toEqual([a, b].toSorted());
      const { changed } = await world.inbox.changes(b, cursor);
      expect(changed.find((row) => row.id === id)?.unreadCount).toBe(0);
      await expect.poll(() => hinted(id)).toBe(1);
    });

    test('[G1] a block of who has left a group takes their messages out of its count as well, and its end brings them back', async () => {
      const { id, a, b } = await created({ kind: 'group', title: 'Choir' });
      await change(id, [{ kind: 'leave', userId: a }]);
      let { cursor } = await world.inbox.changes(b, null);
      for (const [isBlocked, unreadCount] of [
        [true, 0],
        [false, 2],
      ] as const) {
        await world.relations.setBlocked(b, a, anId(), isBlocked);
        const changes = await world.inbox.changes(b, cursor);
        expect(changes.changed.find((row) => row.id === id)?.unreadCount).toBe(unreadCount);
        ({ cursor } = changes);
      }
    });

    test('[G3] a request is on the list from its first message on, marked, and its reader is silent', async () => {
      const [a, b] = [anId(), anId()];
      const conversation = aConversation(askedBy(a, b));
      await world.log.create(conversation);
      const { id } = conversation;
      expect(await rowOf(b, id)).toBeUndefined();
      expect(await rowOf(a, id)).toBeDefined();
      await append(world.log, id, { snapshot: [aMessage(a, 1)] });
      expect(await rowOf(b, id)).toMatchObject({ request: true, unreadCount: 1 });
      expect(await world.membership.privacy(id)).toEqual({ silent: [b], apart: [] });
      await change(id, [{ kind: 'accept', userId: b }]);
      expect(await rowOf(b, id)).not.toHaveProperty('request');
      expect(await world.membership.privacy(id)).toEqual({ silent: [], apart: [] });
    });

    test('[G3] who has accepted a conversation with somebody knows them; requests that wait are counted', async () => {
      const [a, b, c] = [anId(), anId(), anId()];
      const ask = async (by: Uuid, other: Uuid) => {
        const conversation = aConversation({ ...askedBy(by, other), createdAt: Date.now() });
        await world.log.create(conversation);
        return conversation.id;
      };
      const first = await ask(a, b);
      const second = await ask(a, c);
      const anHourAgo = Date.now() - 3_600_000;
      const asked = async () => (await world.relations.asked(a, anHourAgo)).toSorted((one, other) => (one.userId < other.userId ? -1 : 1));
      const waiting = (...ids: Uuid[]) => ids.toSorted().map((userId) => ({ userId, left: false }));
      expect(await asked()).toEqual(waiting(b, c));
      expect(await world.relations.asked(a, Date.now() + 3_600_000)).toEqual([]);
      expect(await world.relations.knowing(a, [b, c])).toEqual(new Set());
      expect(await world.relations.knowing(b, [a])).toEqual(new Set([a]));
      await change(first, [{ kind: 'accept', userId: b }]);
      expect(await world.relations.knowing(a, [b, c])).toEqual(new Set([b]));
      expect(await asked()).toEqual(waiting(c));
      await change(second, [{ kind: 'leave', userId: c }]);
      expect(await asked()).toEqual([{ userId: c, left: true }]);
      expect(await world.relations.knowing(a, [])).toEqual(new Set());
    });

    test('[I3] what is taken off a list comes back with the next message', async () => {
      const { id, a, b } = await created();
      const { cursor } = await world.inbox.changes(b, null);
      expect(await world.membership.setListed(id, b, false)).toBe(true);
      expect(await world.membership.setListed(id, anId(), false)).toBe(false);
      expect((await world.inbox.changes(b, cursor)).gone).toContain(id);
      expect(await rowOf(b, id)).toBeUndefined();
      expect(await rowOf(a, id)).toBeDefined();
      const later = (await world.inbox.changes(b, null)).cursor;
      await append(world.log, id, { snapshot: [aMessage(b, 3)] });
      expect((await world.inbox.changes(b, later)).changed.map((row) => row.id)).toContain(id);
      await world.membership.setListed(id, b, false);
      await world.membership.setListed(id, b, true);
      expect(await rowOf(b, id)).toBeDefined();
    });

    test('[G5] a deleted account is due until all is done; its traces are found where it has left, too', async () => {
      const direct = await created();
      const { a } = direct;
      const group = aConversation({
        kind: 'group',
        title: 'Choir',
        members: [a, anId()].map((userId) => ({ userId, role: 'member', since: 0 })),
      });
      await world.log.create(group);
      const message = aMessage(group.members[1]!.userId, 1);
      await append(world.log, group.id, { snapshot: [message] });
      await append(world.log, group.id, { snapshot: [{ kind: 'reactions', id: message.id, userId: a, emoji: ['👍'] }] });
      const own = [{ userId: a, role: 'owner' as const, since: 0 }];
      const createPrivate = () => world.log.create(aConversation({ id: a, kind: 'private', members: own, documents: [firstWrite(1)] }));
      expect(await createPrivate()).toBe(true);
      await world.relations.setBlocked(direct.b, a, direct.id, true);
      await world.remove(a, true);
      expect((await memberOf(direct.id, a))?.gone).toBe(true);
      expect((await world.departures.due()).filter(({ userId }) => userId === a)).toEqual([{ userId: a, removes: true }]);
      const places = (await world.departures.memberships(a)).toSorted((one, other) => (one.kind < other.kind ? -1 : 1));
      expect(places).toEqual([
        { conversationId: direct.id, kind: 'direct' },
        { conversationId: group.id, kind: 'group' },
      ]);
      await change(group.id, [{ kind: 'leave', userId: a }]);
      const traces = await world.departures.traces(a, 10);
      expect(new Set(traces.map(({ conversationId, n }) => `${conversationId}/${n}`))).toEqual(
        new Set([`${direct.id}/1`, `${group.id}/1`]),
      );
      expect(await world.departures.traces(a, 1)).toHaveLength(1);
      await world.departures.finish(a);
      expect((await world.departures.due()).filter(({ userId }) => userId === a)).toEqual([]);
      expect(await world.log.read(a, 1, 0)).toBeNull();
      // A device that has not heard of it yet opens its settings.
      expect(await createPrivate()).toBe(false);
      expect(await world.log.read(a, 1, 0)).toBeNull();
      expect((await world.membership.privacy(direct.id)).apart).toEqual([]);
      await world.departures.finish(a);
    });
  });
}
