import * as Y from 'yjs';
import type { RandomBytes } from '../../../shared/clock.ts';
import {
  type ConversationKind,
  type GroupHistory,
  type Role,
  type RootMember,
  readRoot,
  removeMember,
  setAbout,
  setMember,
} from '../../../shared/conversation.ts';
import type { Uuid } from '../../../shared/ids.ts';
import type { ConversationWrite, DocumentWrite, Locked, Member, MemberChange, UpdateLog } from '../ports.ts';
import { closeSegment, nextSegment } from '../room/roll-over.ts';
import { writeAsServer } from '../room/server-write.ts';
import type { Relations } from './relations.ts';
import { type Decision, type Refusal, decideAccept, decidePut, decideRemove, mayDescribe } from './decide.ts';

export type MemberResult = 'done' | Refusal;

/** Whom a change is about. */
export interface Whom {
  userId: Uuid;
  role: Role | undefined;
}

/** Changes of who belongs to a conversation, and as what (G2). Each is one transaction under the conversation's lock. */
export interface Members {
  /** Changes what a group is called, or what its newcomers may read. */
  describe(actor: Uuid, conversationId: Uuid, about: { title?: string; history?: GroupHistory }): Promise<MemberResult>;
  /** Adds somebody, who is asked where they do not know who adds them (G3), or sets their role. */
  put(actor: Uuid, conversationId: Uuid, whom: Whom): Promise<MemberResult>;
  /** Sets the role of a member; who is none any more stays out. */
  setRole(actor: Uuid, conversationId: Uuid, whom: Whom): Promise<MemberResult>;
  /** Takes somebody out; oneself: leaves. */
  remove(actor: Uuid, conversationId: Uuid, userId: Uuid): Promise<MemberResult>;
  /** Takes a request. */
  accept(actor: Uuid, conversationId: Uuid): Promise<MemberResult>;
  /** What is stored of a member changed elsewhere: every room is to see it. */
  touch(conversationId: Uuid): Promise<void>;
}

/** Another node opened a segment between the look at the conversation and its lock. */
class SegmentMoved extends Error {
  override name = 'SegmentMoved';
}
const TRIES = 4;

/** A conversation under its lock. */
interface Under {
  kind: ConversationKind;
  members: Map<Uuid, Member>;
  history: GroupHistory;
  seq: number;
}

interface Plan {
  changes: readonly MemberChange[];
  about?: { title?: string; history?: GroupHistory };
}

export function makeMembers({ log, relations, random }: { log: UpdateLog; relations: Relations; random: RandomBytes }): Members {
  /** `decide` sees the conversation under its lock; what it says is written with the root that shows it. */
  async function change(conversationId: Uuid, decide: (under: Under) => Plan | Refusal): Promise<MemberResult> {
    for (let tries = 1; ; tries++) {
      const { conversation } = (await log.read(conversationId, 0, Number.MAX_SAFE_INTEGER)) ?? {};
      if (!conversation || conversation.kind === 'private') return 'not-found';
      try {
        return await changeOnce(conversationId, conversation.open, decide);
      } catch (error) {
        if (!(error instanceof SegmentMoved) || tries === TRIES) throw error;
      }
    }
  }

  async function changeOnce(conversationId: Uuid, open: number, decide: (under: Under) => Plan | Refusal): Promise<MemberResult> {
    let result: MemberResult = 'not-found';
    const documents = [
      { n: 0, position: 0 },
      { n: open, position: Number.MAX_SAFE_INTEGER },
    ];
    await log.transact([{ conversationId, documents, messageIds: [], membersVersion: -1 }], (locked) => {
      const under = locked.get(conversationId);
      const root = under?.documents.get(0);
      if (!under?.members || !root || under.conversation.kind === 'private') return [];
      const members = new Map(under.members.map((member) => [member.userId, member]));
      const doc = new Y.Doc();
      for (const { update } of root.rows) Y.applyUpdate(doc, update);
      const { seq, kind } = under.conversation;
      if (under.conversation.open !== open) throw new SegmentMoved();
      const plan = decide({ members, seq, kind, history: readRoot(doc)?.history ?? 'all' });
      if (typeof plan === 'string') {
        result = plan;
        return [];
      }
      result = 'done';
      if (plan.changes.length === 0 && !plan.about) return [];
      return [writeOf(under, members, plan)];
    });
    return result;
  }

  /** The root as it is to stand, and a new segment to begin with for those who may not read what was. */
  function writeOf(under: Locked, members: ReadonlyMap<Uuid, Member>, { changes, about }: Plan): ConversationWrite {
    const { id, seq, open } = under.conversation;
    const root = under.documents.get(0)!;
    const last = under.documents.get(open)?.state;
    const next = last && last.messages > 0 && changes.some(beginsAnew) ? nextSegment(last, random) : null;
    const isShown = next !== null || about !== undefined || changes.some(({ kind }) => kind !== 'accept');
    const written = (): DocumentWrite =>
      writeAsServer(root.state, root.rows, (doc) => {
        next?.nameIn(doc);
        for (const change of changes) showChange(doc, members, change);
        if (about) setAbout(doc, about);
      });
    return {
      conversationId: id,
      seq,
      open: next?.open ?? open,
      documents: [...(last && next ? [closeSegment(last), next.segment] : []), ...(isShown ? [written()] : [])],
      snapshot: [],
      ...(changes.length > 0 ? { members: changes } : {}),
      ...(about ? { about } : {}),
    };
  }

  return {
    describe: (actor, conversationId, about) =>
      change(conversationId, ({ members, kind }) => {
        if (kind === 'direct' && members.has(actor)) return 'forbidden';
        return mayDescribe(members, actor) ?? { changes: [], about };
      }),
    async put(actor, conversationId, whom) {
      const askedBy = (await relations.knowing(actor, [whom.userId])).has(whom.userId) ? null : actor;
      return change(conversationId, ({ members, kind, seq, history }) => {
        if (kind === 'direct' && members.has(actor)) return 'forbidden';
        const from = history === 'joined' ? seq : 0;
        return planOf(decidePut(members, actor, { ...whom, join: { since: seq, from, askedBy } }));
      });
    },
    setRole: (actor, conversationId, whom) =>
      change(conversationId, ({ members, kind }) => {
        if (kind === 'direct' && members.has(actor)) return 'forbidden';
        return planOf(decidePut(members, actor, { ...whom, join: null }));
      }),
    remove: (actor, conversationId, userId) =>
      change(conversationId, ({ members, kind }) => {
        if (kind === 'direct' && members.has(actor)) return 'forbidden';
        return planOf(decideRemove(members, actor, userId));
      }),
    accept: (actor, conversationId) => change(conversationId, ({ members, kind }) => planOf(decideAccept(members, actor, kind))),
    touch: (conversationId) =>
      log.transact([{ conversationId, documents: [], messageIds: [], membersVersion: -1 }], (locked) => {
        const { conversation } = locked.get(conversationId) ?? {};
        if (!conversation) return [];
        const { seq, open } = conversation;
        return [{ conversationId, seq, open, documents: [], snapshot: [], members: [] }];
      }),
  };
}

const planOf = (decision: Decision): Plan | Refusal => ('refused' in decision ? decision.refused : decision);

const beginsAnew = (change: MemberChange): boolean => change.kind === 'join' && change.from > 0;

/** The root shows it too (D2). */
function showChange(doc: Y.Doc, members: ReadonlyMap<Uuid, Member>, change: MemberChange): void {
  switch (change.kind) {
    case 'join':
      return setMember(doc, change.userId, shown(change));
    case 'role':
      return setMember(doc, change.userId, { ...shown(members.get(change.userId)!), role: change.role });
    case 'leave':
      return removeMember(doc, change.userId);
    case 'accept':
  }
}

const shown = ({ role, since, from = 0 }: Pick<Member, 'role' | 'since' | 'from'>): RootMember => ({
  role,
  since,
  ...(from > 0 ? { from } : {}),
});
