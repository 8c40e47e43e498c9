import { createHash } from 'node:crypto';
import type { RandomBytes } from '../../../shared/clock.ts';
import { type Uuid, makeUuid } from '../../../shared/ids.ts';
import type { ForeignAccounts } from '../../core/identity.ts';
import type { PlatformPerson } from './platform.ts';

/** Finds the account of a platform's person, or makes it; takes over a name that changed there. Null: they have deleted it since (G5). */
export type Enrol = (person: PlatformPerson, now: number) => Promise<Uuid | null>;

/**
 * An account belongs to issuer and subject, never to a handle: who has the same handle as somebody here is another person, and gets
 * another one with a few digits that stay the same.
 */
export function makeEnrol({ foreignAccounts, random }: { foreignAccounts: ForeignAccounts; random: RandomBytes }): Enrol {
  return async (person, now) => {
    const found = await foreignAccounts.find(person);
    if (found) {
      if (found.name !== person.name) await foreignAccounts.rename(person, person.name);
      return found.userId;
    }
    const id = makeUuid(now, random);
    for (const handle of handlesFor(person)) {
      const result = await foreignAccounts.create(person, { id, handle, displayName: person.name, createdAt: now }, person.issuedAt);
      if (result === 'created') return id;
      if (result === 'gone') return null;
      if (result === 'exists') break;
    }
    const other = await foreignAccounts.find(person);
    if (!other) throw new Error('a person of the other platform got no handle');
    return other.userId;
  };
}

/** What to try, from the plainest: a handle in full, then with more and more of what is the person's own. */
function handlesFor({ handle, issuer, subject }: PlatformPerson): string[] {
  const own = createHash('sha256').update(`${issuer}\n${subject}`).digest('hex');
  const stem = handle ?? 'user';
  const longer = [4, 8, 16].map((digits) => `${stem.slice(0, 29 - digits)}-${own.slice(0, digits)}`);
  return handle === null ? longer : [handle, ...longer];
}
