import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Role } from '../../../shared/conversation.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { LIMITS } from '../../../shared/limits.ts';
import type { Member, MemberChange } from '../ports.ts';
import { decideAccept, decidePut, decideRemove, mayDescribe } from './decide.ts';

const ROLES = ['owner', 'admin', 'member'] as const;
const people = (...roles: Role[]): Map<Uuid, Member> => new Map(roles.map((role, i) => [`u${i}`, { userId: `u${i}`, role, since: i }]));
const put = (members: Map<Uuid, Member>, actor: Uuid, userId: Uuid, role?: Role) =>
  decidePut(members, actor, { userId, role, join: { since: 9, from: 0, askedBy: null } });
const what = (decision: ReturnType<typeof put>): string =>
  'refused' in decision
    ? decision.refused
    : decision.changes.map((change) => `${change.kind} ${change.userId}${change.kind === 'role' ? ` ${change.role}` : ''}`).join(', ');

function apply(members: Map<Uuid, Member>, changes: readonly MemberChange[]): void {
  for (const change of changes) {
    if (change.kind === 'leave') members.delete(change.userId);
    else if (change.kind === 'join') members.set(change.userId, { userId: change.userId, role: change.role, since: change.since });
    else if (change.kind === 'role') members.set(change.userId, { ...members.get(change.userId)!, role: change.role });
  }
}

describe('[G2] who may change members', () => {
  const [owner, admin, member, stranger] = ['u0', 'u1', 'u2', 'x'];
  const group = () => people('owner', 'admin', 'member', 'member');

  test.each([
    [owner, 'join new'],
    [admin, 'join new'],
    [member, 'forbidden'],
    [stranger, 'not-found'],
  ])('%s adds somebody: %s', (actor, outcome) => expect(what(put(group(), actor, 'new'))).toBe(outcome));

  test.each([
    [owner, 'role u2 admin'],
    [admin, 'forbidden'],
    [member, 'forbidden'],
    [stranger, 'not-found'],
  ])('%s makes a member an admin: %s', (actor, outcome) => expect(what(put(group(), actor, member, 'admin'))).toBe(outcome));

  test.each([
    [owner, 'admin', 'join new'],
    [admin, 'admin', 'forbidden'],
    [owner, 'owner', 'forbidden'],
    [admin, 'member', 'join new'],
  ] as const)('%s adds somebody as %s: %s', (actor, role, outcome) => expect(what(put(group(), actor, 'new', role))).toBe(outcome));

  test.each([
    [owner, admin, 'leave u1'],
    [owner, member, 'leave u2'],
    [admin, member, 'leave u2'],
    [admin, admin, 'leave u1'],
    [admin, owner, 'forbidden'],
    [member, 'u3', 'forbidden'],
    [member, admin, 'forbidden'],
    [member, member, 'leave u2'],
    [owner, stranger, ''],
    [stranger, member, 'not-found'],
    [stranger, stranger, 'not-found'],
  ])('%s removes %s: %s', (actor, whom, outcome) => expect(what(decideRemove(group(), actor, whom))).toBe(outcome));

  test('an admin does not remove another admin', () =>
    expect(what(decideRemove(people('owner', 'admin', 'admin'), 'u1', 'u2'))).toBe('forbidden'));

  test.each([
    [owner, null],
    [admin, null],
    [member, 'forbidden'],
    [stranger, 'not-found'],
  ])('%s changes the title: %s', (actor, outcome) => expect(mayDescribe(group(), actor)).toBe(outcome));

  test('the owner passes the group on and stays as admin', () =>
    expect(what(put(group(), owner, member, 'owner'))).toBe('role u0 admin, role u2 owner'));
  test('nobody changes their own role', () => expect(what(put(group(), owner, owner, 'member'))).toBe('forbidden'));
  test('what is so already is no change', () => expect(what(put(group(), owner, admin, 'admin'))).toBe(''));

  test('an owner who leaves is followed by the oldest admin, else the oldest member, who has accepted', () => {
    expect(what(decideRemove(people('owner', 'member', 'admin', 'admin'), owner, owner))).toBe('role u2 owner, leave u0');
    expect(what(decideRemove(people('owner', 'member', 'member'), owner, owner))).toBe('role u1 owner, leave u0');
    expect(what(decideRemove(people('owner'), owner, owner))).toBe('leave u0');
    const members = people('owner', 'member', 'member');
    members.get('u1')!.asked = true;
    expect(what(decideRemove(members, owner, owner))).toBe('role u2 owner, leave u0');
  });

  test('a group is passed on to nobody who has not accepted it; where nobody had when the owner left, the first who does has it', () => {
    const members = people('owner', 'member', 'member');
    for (const userId of ['u1', 'u2']) members.get(userId)!.asked = true;
    expect(what(put(members, owner, 'u1', 'owner'))).toBe('forbidden');
    expect(what(put(members, owner, 'u1', 'admin'))).toBe('role u1 admin');
    expect(what(decideAccept(members, 'u1', 'group'))).toBe('accept u1');
    expect(what(decideRemove(members, owner, owner))).toBe('leave u0');
    members.delete(owner);
    expect(what(decideAccept(members, 'u2', 'group'))).toBe('accept u2, role u2 owner');
    expect(what(decideAccept(members, 'u2', 'direct'))).toBe('accept u2');
    expect(what(decideAccept(members, stranger, 'group'))).toBe('not-found');
  });

  test('who left while their role was being set is not brought back by it', () => {
    expect(decidePut(group(), owner, { userId: 'new', role: 'admin', join: null })).toEqual({ refused: 'not-found' });
    expect(decidePut(group(), owner, { userId: member, role: 'admin', join: null })).toMatchObject({ changes: [{ kind: 'role' }] });
  });

  test('a group takes 500 people', () => {
    const full = people('owner', ...Array.from({ length: LIMITS.groupMembers - 1 }, () => 'member' as const));
    expect(what(put(full, owner, 'new'))).toBe('group-full');
    full.delete('u7');
    expect(what(put(full, owner, 'new'))).toBe('join new');
  });

  test('whatever is asked, a group has one owner, while anybody is there', () => {
    const id = fc.integer({ min: 0, max: 5 }).map((i) => `u${i}`);
    const step = fc.record({ actor: id, other: id, role: fc.option(fc.constantFrom(...ROLES), { nil: undefined }), leaves: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const members = people('owner', 'admin', 'member');
        for (const { actor, other, role, leaves } of steps) {
          const decision = leaves ? decideRemove(members, actor, other) : put(members, actor, other, role);
          if ('changes' in decision) apply(members, decision.changes);
          const owners = [...members.values()].filter((member) => member.role === 'owner');
          expect(owners).toHaveLength(Math.min(1, members.size));
        }
      }),
    );
  });
});
