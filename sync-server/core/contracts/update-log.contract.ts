import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { MessageId, Uuid } from '../../../shared/ids.ts';
import type { Extras } from '../../../shared/segment.ts';
import { aConversation, aMessage, aMessageId, anId, append, bytes, firstWrite } from './contract-examples.ts';
import type { Hint, HintBus, NewConversation, UpdateLog, Want } from '../ports.ts';

/** A message of the snapshot, as the suite reads it back. Times in milliseconds. */
export interface KeptMessage {
  id: MessageId;
  seq: number;
  n: number;
  senderId: Uuid;
  body: string | null;
  replyTo: string | null;
  extras: Extras | null;
  acceptedAt: number;
  editedAt: number | null;
  deletedAt: number | null;
  deletedBy: Uuid | null;
  /** Older texts, the oldest first. */
  history: string[];
  reactions: Map<Uuid, readonly string[]>;
}

/** A log, the bus that carries its hints, and a look at the snapshot it keeps. */
export interface LogWorld {
  log: UpdateLog;
  bus: HintBus;
  /** A conversation's messages in order of seq. */
  messages(conversationId: Uuid): Promise<KeptMessage[]>;
  close(): Promise<void>;
}

/** What every update log must do, whatever keeps it. */
export function updateLogContract(name: string, makeWorld: () => Promise<LogWorld>): void {
  describe(`${name}: update log`, () => {
    let world: LogWorld;
    let log: UpdateLog;
    beforeAll(async () => {
      world = await makeWorld();
      log = world.log;
    });
    afterAll(() => world.close());

    async function created(changes: Partial<NewConversation> = {}): Promise<NewConversation> {
      const conversation = aConversation(changes);
      expect(await log.create(conversation)).toBe(true);
      return conversation;
    }
    const wantOf = (conversationId: Uuid, rest: Partial<Want> = {}): Want => ({
      conversationId,
      documents: [],
      messageIds: [],
      membersVersion: -1,
      ...rest,
    });
    const positionsOf = async (conversationId: Uuid, n = 1) => (await log.read(conversationId, n, 0))!.rows.map(({ position }) => position);

    describe('creating and reading', () => {
      test('[L6] a new conversation is read back as it was written', async () => {
        const claims = [{ client: 4_000_000_000, userId: anId() }];
        const segment = { ...firstWrite(1), claims };
        const { id, members } = await created({ kind: 'group', title: 'Choir', documents: [firstWrite(0), segment] });
        expect(await log.read(id, 1, 0)).toEqual({
          conversation: { id, kind: 'group', seq: 0, open: 1, membersVersion: 1 },
          document: segment.state,
          rows: [{ position: 1, update: segment.update }],
          claims,
          members,
        });
        expect((await log.read(id, 0, 0))!.document).toEqual(firstWrite(0).state);
      });

      test('[L6] a private document is kept under its owner', async () => {
        const userId = anId();
        const members = [{ userId, role: 'owner' as const, since: 0 }];
        await created({ id: userId, kind: 'private', members, documents: [firstWrite(1)] });
        expect(await log.read(userId, 1, 0)).toMatchObject({ conversation: { id: userId, kind: 'private' }, members });
        expect(await log.read(userId, 0, 0)).toBeNull();
      });

      test('[L6] a conversation that exists is left as it is', async () => {
        const { id } = await created();
        await append(log, id);
        expect(await log.create(aConversation({ id, kind: 'group' }))).toBe(false);
        expect((await log.read(id, 1, 0))!.conversation.kind).toBe('direct');
        expect(await positionsOf(id)).toEqual([1, 2]);
      });

      test('[L6] of two who create one conversation at once, one creates it', async () => {
        for (let i = 0; i < 10; i++) {
          const conversation = aConversation();
          const answers = await Promise.all([log.create(conversation), log.create(conversation), log.create(conversation)]);
          expect(answers.filter(Boolean)).toHaveLength(1);
          expect((await log.read(conversation.id, 1, 0))!.rows).toHaveLength(1);
        }
      });

      test('[L6] a conversation that cannot be created whole is not created', async () => {
        const id = anId();
        await expect(log.create(aConversation({ id, documents: [firstWrite(0), firstWrite(1, { position: 2 })] }))).rejects.toThrow();
        expect(await log.read(id, 0, 0)).toBeNull();
        await created({ id });
      });

      test('[L3] rows and claims come in order, and only those after the position that the reader holds', async () => {
        const { id } = await created();
        const [a, b] = [anId(), anId()];
        await append(log, id, { update: bytes(2), write: { claims: [{ client: 2, userId: a }] } });
        await append(log, id, { update: bytes(3), write: { claims: [{ client: 3, userId: b }] } });
        const { document, rows, claims } = (await log.read(id, 1, 2))!;
        expect(document.position).toBe(3);
        expect(rows).toEqual([{ position: 3, update: bytes(3) }]);
        expect(claims).toEqual([{ client: 3, userId: b }]);
        expect(await positionsOf(id)).toEqual([1, 2, 3]);
        expect((await log.read(id, 1, Number.MAX_SAFE_INTEGER))!.rows).toEqual([]);
      });

      test('[L11] there is nothing to read of a document that does not exist', async () => {
        const { id } = await created();
        expect(await log.read(id, 2, 0)).toBeNull();
        expect(await log.read(anId(), 1, 0)).toBeNull();
      });
    });

    describe('transactions', () => {
      test('[L2] what does not exist is left out', async () => {
        const { id } = await created();
        const absent = anId();
        let seen = new Map();
        await log.transact([wantOf(absent), wantOf(id, { documents: [{ n: 9, position: 0 }] })], (locked) => {
          seen = locked;
          return [];
        });
        expect([...seen.keys()]).toEqual([id]);
        expect(seen.get(id).documents.size).toBe(0);
      });

      test('[L3] whoever waits for the lock sees what was committed meanwhile', async () => {
        const { id } = await created();
        const seen = await Promise.all(Array.from({ length: 20 }, (_, i) => append(log, id, { held: 1, update: bytes(i) })));
        for (const { documents } of seen) {
          const { state, rows } = documents.get(1)!;
          expect(rows.map(({ position }) => position)).toEqual(Array.from({ length: state.position - 1 }, (_, i) => i + 2));
        }
        expect(await positionsOf(id)).toEqual(Array.from({ length: 21 }, (_, i) => i + 1));
        const written = (await log.read(id, 1, 1))!.rows.map(({ update }) => update[0]!);
        expect(written.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
      });

      test('[L2] batches that name the same conversations in another order do not stop each other', async () => {
        const [a, b] = [await created(), await created()];
        const ids = [a.id, b.id];
        const batch = (order: Uuid[]) =>
          log.transact(
            order.map((id) => wantOf(id, { documents: [{ n: 1, position: 0 }] })),
            (locked) =>
              order.map((conversationId) => {
                const { conversation, documents } = locked.get(conversationId)!;
                const { state } = documents.get(1)!;
                const write = {
                  state: { ...state, position: state.position + 1 },
                  update: bytes(1),
                  claims: [],
                  fresh: false,
                  compact: false,
                };
                return { conversationId, seq: conversation.seq, open: conversation.open, documents: [write], snapshot: [] };
              }),
          );
        await Promise.all(Array.from({ length: 10 }, (_, i) => batch(i % 2 ? ids : ids.toReversed())));
        for (const id of ids) expect(await positionsOf(id)).toHaveLength(11);
      });

      test('[L3] members come only when their version is another one than the caller knows', async () => {
        const { id, members } = await created();
        const seen = async (membersVersion: number) => {
          let answer: unknown;
          await log.transact([wantOf(id, { membersVersion })], (locked) => {
            answer = locked.get(id)!.members;
            return [];
          });
          return answer;
        };
        expect(await seen(1)).toBeNull();
        expect(await seen(0)).toEqual(members);
      });

      test('[L4] used message ids are told, in whichever segment, of this conversation only', async () => {
        const [one, other] = [await created(), await created()];
        const message = aMessage(one.members[0]!.userId, 1);
        await append(log, one.id, { snapshot: [message] });
        const free = aMessageId();
        const used = new Map<Uuid, Set<MessageId>>();
        const messageIds = [message.id, free];
        await log.transact([wantOf(one.id, { messageIds }), wantOf(other.id, { messageIds })], (locked) => {
          for (const [id, { usedIds }] of locked) used.set(id, usedIds);
          return [];
        });
        expect(used.get(one.id)).toEqual(new Set([message.id]));
        expect(used.get(other.id)).toEqual(new Set());
      });

      test('[L6] states stand as written: seq, open segment, log clock, counts, closed', async () => {
        const { id } = await created();
        const closing = { logClock: 502, messages: 500, bytes: 9_000, clients: 3, closed: true };
        await log.transact([wantOf(id, { documents: [{ n: 1, position: 1 }] })], (locked) => {
          const { state } = locked.get(id)!.documents.get(1)!;
          const full = { state: { ...state, ...closing, position: 2 }, update: bytes(1), claims: [], fresh: false, compact: true };
          return [{ conversationId: id, seq: 500, open: 2, documents: [full, firstWrite(2, { firstSeq: 501 })], snapshot: [] }];
        });
        const closed = (await log.read(id, 1, 0))!;
        expect(closed.conversation).toMatchObject({ seq: 500, open: 2 });
        expect(closed.document).toEqual({ ...firstWrite(1).state, ...closing, position: 2 });
        expect((await log.read(id, 2, 0))!.document).toMatchObject({ position: 1, firstSeq: 501, closed: false });
      });

      test('[L9] an error of build leaves nothing, and the conversation free', async () => {
        const { id } = await created();
        const error = new Error('judged badly');
        await expect(
          log.transact([wantOf(id)], () => {
            throw error;
          }),
        ).rejects.toBe(error);
        expect(await positionsOf(id)).toEqual([1]);
        await append(log, id);
      });

      test('[L9] a row that does not follow the last one fails the batch, in all its conversations', async () => {
        const [good, bad] = [await created(), await created()];
        const message = aMessage(good.members[0]!.userId, 1);
        const write = (position: number) => {
          const state = { ...firstWrite(1).state, position };
          return { state, update: bytes(1), claims: [], fresh: false, compact: false };
        };
        const wants = [good, bad].map(({ id }) => wantOf(id, { documents: [{ n: 1, position: 1 }] }));
        const failed = log.transact(wants, () => [
          { conversationId: good.id, seq: 1, open: 1, documents: [write(2)], snapshot: [message] },
          { conversationId: bad.id, seq: 0, open: 1, documents: [write(3)], snapshot: [] },
        ]);
        await expect(failed).rejects.toThrow();
        expect(await positionsOf(good.id)).toEqual([1]);
        expect((await log.read(good.id, 1, 0))!.conversation.seq).toBe(0);
        expect(await world.messages(good.id)).toEqual([]);
      });
    });

    describe('snapshot', () => {
      const kept = ({ id, seq, n, senderId, body, replyTo, extras, acceptedAt, editedAt }: ReturnType<typeof aMessage>): KeptMessage => ({
        id,
        seq,
        n,
        senderId,
        body,
        replyTo,
        extras,
        acceptedAt,
        editedAt,
        deletedAt: null,
        deletedBy: null,
        history: [],
        reactions: new Map(),
      });
      const edit = (id: MessageId, body: string, editedAt: number) =>
        ({ kind: 'edit', id, body, replyTo: null, extras: { mentions: [body] }, editedAt }) as const;
      const reactions = (id: MessageId, userId: Uuid, ...emoji: string[]) => ({ kind: 'reactions', id, userId, emoji }) as const;

      test('[H3] a message stands with everything it was sent with', async () => {
        const { id, members } = await created();
        const extras = { mentions: ['a', 1, null, { deep: true }], text: '"\\u0000\\' };
        const first = aMessage(members[0]!.userId, 1, { body: 'Grüße 👋🏽\n"\\"', replyTo: `1:${aMessageId()}`, extras, editedAt: 5 });
        const second = aMessage(members[1]!.userId, 2);
        await append(log, id, { snapshot: [first, second] });
        expect(await world.messages(id)).toEqual([kept(first), kept(second)]);
      });

      test('[H3] an edit replaces the text and keeps the one before', async () => {
        const { id, members } = await created();
        const message = aMessage(members[0]!.userId, 1);
        await append(log, id, { snapshot: [message] });
        await append(log, id, { snapshot: [edit(message.id, 'second', 10)] });
        await append(log, id, { snapshot: [edit(message.id, 'third', 20), edit(message.id, 'fourth', 30)] });
        const edited = { body: 'fourth', extras: { mentions: ['fourth'] }, editedAt: 30, history: ['message 1', 'second', 'third'] };
        expect(await world.messages(id)).toEqual([{ ...kept(message), ...edited }]);
      });

      test('[H3] the newest reactions of each person count', async () => {
        const { id, members } = await created();
        const [a, b] = members.map(({ userId }) => userId) as [Uuid, Uuid];
        const message = aMessage(a, 1);
        await append(log, id, {
          snapshot: [message, reactions(message.id, a, '👍'), reactions(message.id, b, '🎉'), reactions(message.id, a, '👎', '🎉')],
        });
        expect((await world.messages(id))[0]!.reactions).toEqual(
          new Map([
            [a, ['👎', '🎉']],
            [b, ['🎉']],
          ]),
        );
        await append(log, id, { snapshot: [reactions(message.id, a), reactions(message.id, b, '❤️')] });
        expect((await world.messages(id))[0]!.reactions).toEqual(new Map([[b, ['❤️']]]));
      });

      test('[H3] a deletion takes text, extras, edit history and reactions with it, of this message only', async () => {
        const { id, members } = await created();
        const [a, b] = members.map(({ userId }) => userId) as [Uuid, Uuid];
        const [gone, stays] = [aMessage(a, 1), aMessage(a, 2)];
        const both = [gone, stays].flatMap((message) => [message, edit(message.id, 'edited', 10), reactions(message.id, b, '👍')]);
        await append(log, id, { snapshot: both });
        await append(log, id, { snapshot: [{ kind: 'deletion', id: gone.id, deletedAt: 40, by: b }] });
        const edited = { body: 'edited', extras: { mentions: ['edited'] }, editedAt: 10 };
        expect(await world.messages(id)).toEqual([
          { ...kept(gone), ...edited, body: null, extras: null, deletedAt: 40, deletedBy: b },
          { ...kept(stays), ...edited, history: ['message 2'], reactions: new Map([[b, ['👍']]]) },
        ]);
      });

      test('[H3] changes of one message in one batch come to what they come to one by one', async () => {
        const { id, members } = await created();
        const [a, b] = members.map(({ userId }) => userId) as [Uuid, Uuid];
        const [gone, stays] = [aMessage(a, 1), aMessage(b, 2)];
        await append(log, id, {
          snapshot: [
            gone,
            reactions(gone.id, b, '👍'),
            edit(gone.id, 'once', 10),
            stays,
            edit(gone.id, 'twice', 20),
            reactions(stays.id, a, '👍'),
            edit(stays.id, 'edited', 30),
            { kind: 'deletion', id: gone.id, deletedAt: 40, by: a },
          ],
        });
        expect(await world.messages(id)).toEqual([
          { ...kept(gone), body: null, extras: null, editedAt: 20, deletedAt: 40, deletedBy: a },
          {
            ...kept(stays),
            body: 'edited',
            extras: { mentions: ['edited'] },
            editedAt: 30,
            history: ['message 2'],
            reactions: new Map([[a, ['👍']]]),
          },
        ]);
      });
    });

    describe('hints', () => {
      test('[L6] a commit is told once, when it can be read; nothing written and nothing committed is not told', async () => {
        const { id } = await created();
        const hints: Hint[] = [];
        const reads: ReturnType<UpdateLog['read']>[] = [];
        const stop = await world.bus.listen(
          (hint) => {
            hints.push(hint);
            reads.push(log.read(id, 1, 1));
          },
          () => {},
        );
        await log.transact([wantOf(id)], () => []);
        await expect(append(log, id, { state: { position: 9 } })).rejects.toThrow();
        await append(log, id);
        await append(log, id);
        await vi.waitFor(() => expect(hints).toHaveLength(2), { timeout: 10_000 });
        await stop();
        expect(hints).toEqual([2, 3].map((position) => ({ kind: 'updates', documents: [[id, 1, position]] })));
        const [first, second] = await Promise.all(reads);
        expect(first!.document.position).toBeGreaterThanOrEqual(2);
        expect(second!.document.position).toBe(3);
      });

      test('[L12] who missed the hints asks which documents are ahead', async () => {
        const [one, other] = [await created(), await created()];
        await append(log, one.id);
        const held = [one, other].flatMap(({ id }) => [0, 1].map((n) => ({ conversationId: id, n, position: 1, membersVersion: 1 })));
        expect(await log.ahead([...held, { conversationId: anId(), n: 1, position: 0, membersVersion: 0 }])).toEqual([
          { conversationId: one.id, n: 1 },
        ]);
        expect(await log.ahead([])).toEqual([]);
      });
    });

    describe('compaction', () => {
      const joined = (rows: { update: Uint8Array }[]) => bytes(...rows.flatMap(({ update }) => [...update]));
      const dueOf = async (conversationId: Uuid, forMs = 0) =>
        (await log.due(forMs, 1_000)).filter((document) => document.conversationId === conversationId);

      test('[L13] one row takes the place of those that were merged, and the request is met', async () => {
        const { id } = await created();
        const claims = [{ client: 5, userId: anId() }];
        await append(log, id, { update: bytes(8), write: { compact: true, claims } });
        await append(log, id, { update: bytes(9) });
        expect(await dueOf(id)).toEqual([{ conversationId: id, n: 1 }]);
        expect(await dueOf(id, 60_000)).toEqual([]);
        await log.compact(id, 1, joined);
        const compacted = (await log.read(id, 1, 0))!;
        expect(compacted.rows).toEqual([{ position: 3, update: bytes(1, 0, 255, 8, 9) }]);
        expect(compacted.document).toMatchObject({ position: 3, bytes: 5 });
        expect(compacted.claims).toEqual(claims);
        expect(await dueOf(id)).toEqual([]);
        await append(log, id, { update: bytes(10) });
        expect(await positionsOf(id)).toEqual([3, 4]);
        expect((await log.read(id, 0, 0))!.rows).toHaveLength(1);
      });

      test('[L13] a merge that throws changes nothing', async () => {
        const { id } = await created();
        await append(log, id, { write: { compact: true } });
        const error = new Error('something pending');
        await expect(
          log.compact(id, 1, () => {
            throw error;
          }),
        ).rejects.toBe(error);
        expect(await positionsOf(id)).toEqual([1, 2]);
        expect(await dueOf(id)).toHaveLength(1);
        await append(log, id);
      });

      test('[L13] compaction and commits at once lose and double nothing', async () => {
        const { id } = await created();
        const work = Array.from({ length: 30 }, (_, i) =>
          i % 5 === 4 ? log.compact(id, 1, joined) : append(log, id, { update: bytes(i), write: { compact: true } }),
        );
        await Promise.all(work);
        await log.compact(id, 1, joined);
        const { rows, document } = (await log.read(id, 1, 0))!;
        expect(rows).toHaveLength(1);
        expect(rows[0]!.position).toBe(25);
        expect(document).toMatchObject({ position: 25, bytes: 27 });
        const expected = [1, 0, 255, ...Array.from({ length: 30 }, (_, i) => i).filter((i) => i % 5 !== 4)];
        expect([...rows[0]!.update].sort((a, b) => a - b)).toEqual(expected.sort((a, b) => a - b));
      });

      test('[L13] the oldest requests are met first', async () => {
        const [one, other] = [await created(), await created()];
        await append(log, one.id, { write: { compact: true } });
        await append(log, other.id, { write: { compact: true } });
        await append(log, one.id, { write: { compact: true } });
        const mine = (await log.due(0, 1_000)).map(({ conversationId }) => conversationId).filter((id) => [one.id, other.id].includes(id));
        expect(mine).toEqual([one.id, other.id]);
        expect(await log.due(0, 1)).toHaveLength(1);
      });

      test('[F20] one that cannot be compacted is put off, and stands before nobody', async () => {
        const [broken, other] = [await created(), await created()];
        await append(log, broken.id, { write: { compact: true } });
        await append(log, other.id, { write: { compact: true } });
        await log.putOff(broken.id, 1, 60_000);
        expect(await dueOf(broken.id)).toEqual([]);
        expect(await dueOf(other.id)).toHaveLength(1);
        expect(await dueOf(broken.id, -61_000)).toEqual([{ conversationId: broken.id, n: 1 }]);
        // What asked for nothing does not ask now.
        await log.putOff(broken.id, 0, 60_000);
        expect(await dueOf(broken.id, -61_000)).toHaveLength(1);
      });

      test('[L13] there is nothing to compact in a document that does not exist', async () => {
        await log.compact(anId(), 1, () => {
          throw new Error('merged nothing');
        });
      });
    });
  });
}
