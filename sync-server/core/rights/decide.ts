import type { ConversationKind, Role } from '../../../shared/conversation.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { LIMITS } from '../../../shared/limits.ts';
import type { Member, MemberChange } from '../ports.ts';

/** Why a change of members is not made. `not-found`: whoever asks is no member, or whom it is about is none. */
export type Refusal = 'not-found' | 'forbidden' | 'group-full';
/** What a change comes to; an empty list: it is so already. */
export type Decision = { changes: MemberChange[] } | { refused: Refusal };

const RANK = { member: 0, admin: 1, owner: 2 } as const satisfies Record<Role, number>;
const isAbove = (one: Member, other: Member): boolean => RANK[one.role] > RANK[other.role];
const isModerator = ({ role }: Member): boolean => RANK[role] >= RANK.admin;

type Members = ReadonlyMap<Uuid, Member>;

/** Title and settings are for moderators. */
export function mayDescribe(members: Members, actor: Uuid): Refusal | null {
  const self = members.get(actor);
  if (!self) return 'not-found';
  return isModerator(self) ? null : 'forbidden';
}

/**
 * Adds somebody (moderators do), or gives them another role (the owner does); a new owner takes the place of the old one, who stays as
 * admin. Without `join` nobody is added: whether they may be brought in was not looked at.
 */
export function decidePut(
  members: Members,
  actor: Uuid,
  whom: { userId: Uuid; role: Role | undefined; join: { since: number; from: number; askedBy: Uuid | null } | null },
): Decision {
  const self = members.get(actor);
  if (!self) return { refused: 'not-found' };
  const { userId, role, join } = whom;
  const other = members.get(userId);
  if (!other) {
    if (!join) return { refused: 'not-found' };
    if (!isModerator(self)) return { refused: 'forbidden' };
    if (role !== undefined && role !== 'member' && self.role !== 'owner') return { refused: 'forbidden' };
    if (role === 'owner') return { refused: 'forbidden' };
    if (members.size >= LIMITS.groupMembers) return { refused: 'group-full' };
    return { changes: [{ kind: 'join', userId, role: role ?? 'member', ...join }] };
  }
  if (role === undefined || role === other.role) return { changes: [] };
  if (self.role !== 'owner' || userId === actor) return { refused: 'forbidden' };
  // Nobody answers for a group that they have not accepted.
  if (role === 'owner' && other.asked) return { refused: 'forbidden' };
  const change: MemberChange = { kind: 'role', userId, role };
  return { changes: role === 'owner' ? [{ kind: 'role', userId: actor, role: 'admin' }, change] : [change] };
}

/** Takes somebody out, who ranks below, or oneself. An owner who leaves is followed by the one who is there longest, admins first. */
export function decideRemove(members: Members, actor: Uuid, userId: Uuid): Decision {
  const self = members.get(actor);
  const other = members.get(userId);
  if (!self) return { refused: 'not-found' };
  if (!other) return { changes: [] };
  if (actor !== userId && !isAbove(self, other)) return { refused: 'forbidden' };
  const heir = other.role === 'owner' ? heirOf(members, userId) : undefined;
  const passed: MemberChange[] = heir ? [{ kind: 'role', userId: heir, role: 'owner' }] : [];
  return { changes: [...passed, { kind: 'leave', userId }] };
}

/** Takes a request. Where all others had not accepted when the owner left, the first who does is the owner. */
export function decideAccept(members: Members, actor: Uuid, kind: ConversationKind): Decision {
  const self = members.get(actor);
  if (!self) return { refused: 'not-found' };
  const isOrphaned = kind === 'group' && ![...members.values()].some(({ role }) => role === 'owner');
  const accepted: MemberChange[] = self.asked ? [{ kind: 'accept', userId: actor }] : [];
  return { changes: isOrphaned ? [...accepted, { kind: 'role', userId: actor, role: 'owner' }] : accepted };
}

function heirOf(members: Members, leaving: Uuid): Uuid | undefined {
  const others = [...members.values()].filter(({ userId, asked }) => userId !== leaving && !asked);
  const inOrder = others.toSorted((a, b) => RANK[b.role] - RANK[a.role] || a.since - b.since || (a.userId < b.userId ? -1 : 1));
  return inOrder[0]?.userId;
}
