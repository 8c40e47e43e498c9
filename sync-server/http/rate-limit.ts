import { HTTP_RATES } from '../../shared/limits.ts';
import { makeLimiter } from '../core/session/limiter.ts';
import { problem } from './problem.ts';

/** What an address is counted as: an IPv6 network of 64 bits is one subscriber. */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail = ''] = address.toLowerCase().split('%')[0]!.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const zeros = address.includes('::') ? Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0') : [];
  return [...before, ...zeros, ...after]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}

/** Whether an address is this machine's own, or none. */
export const isOwnAddress = (address: string): boolean => /^$|^::1$|^(?:::ffff:)?127\./i.test(address);

export interface LogInAttempt {
  address: string;
  handle: string;
  /** The device, when it is known for this account; null: any other. */
  device: string | null;
}

/** The allowances of the API. Each answers how many milliseconds to wait; 0: it was taken. */
export interface Limits {
  /** Any request of an address. This machine's own, and one that is not known, are not counted: that is a proxy, or a test. */
  address(address: string, now: number): number;
  /** Any request of somebody who is signed in. */
  person(userId: string, changes: boolean, now: number): number;
  /**
   * A log-in: milliseconds to wait. Counted by address, by account and address, and by account. A device that the person has signed in
   * from before is counted by itself alone, so that no guessing of others locks them out (S7).
   */
  logIn(attempt: LogInAttempt, now: number): number;
  register(address: string, now: number): number;
  /** Reset links and invites that somebody presents. */
  link(address: string, now: number): number;
  /** Ceremonies of passkeys: their beginnings and ends. */
  passkey(address: string, now: number): number;
  /** A signed-in person's own password, asked for once more. */
  password(userId: string, now: number): number;
  /** Invites that somebody makes. */
  invite(userId: string, now: number): number;
  /** People search and look-up. */
  people(userId: string, now: number): number;
  /** New conversations. */
  open(userId: string, now: number): number;
  /** Changes of members and blocks. */
  rights(userId: string, now: number): number;
  /** Reports to the operator. */
  report(userId: string, now: number): number;
}

export function makeLimits(): Limits {
  const byAddress = makeLimiter(HTTP_RATES.logInAddress);
  const byBoth = makeLimiter(HTTP_RATES.logInBoth);
  const byAccount = makeLimiter(HTTP_RATES.logInAccount);
  const byDevice = makeLimiter(HTTP_RATES.logInDevice);
  const registrations = makeLimiter(HTTP_RATES.register);
  const links = makeLimiter(HTTP_RATES.link);
  const ceremonies = makeLimiter(HTTP_RATES.passkey);
  const passwords = makeLimiter(HTTP_RATES.password);
  const invites = makeLimiter(HTTP_RATES.invite);
  const opens = makeLimiter(HTTP_RATES.open);
  const rights = makeLimiter(HTTP_RATES.rights);
  const reports = makeLimiter(HTTP_RATES.report);
  const searches = makeLimiter(HTTP_RATES.people);
  const addresses = makeLimiter(HTTP_RATES.address);
  const reading = makeLimiter(HTTP_RATES.reads);
  const writing = makeLimiter(HTTP_RATES.writes);
  return {
    address: (address, now) => (isOwnAddress(address) ? 0 : addresses.take(addressKey(address), now)),
    person: (userId, changes, now) => (changes ? writing : reading).take(userId, now),
    logIn({ address, handle, device }, now) {
      if (device !== null) return byDevice.take(`${device} ${handle}`, now);
      const from = addressKey(address);
      return byAddress.take(from, now) || byBoth.take(`${from} ${handle}`, now) || byAccount.take(handle, now);
    },
    register: (address, now) => registrations.take(addressKey(address), now),
    link: (address, now) => links.take(addressKey(address), now),
    passkey: (address, now) => ceremonies.take(addressKey(address), now),
    password: (userId, now) => passwords.take(userId, now),
    invite: (userId, now) => invites.take(userId, now),
    people: (userId, now) => searches.take(userId, now),
    open: (userId, now) => opens.take(userId, now),
    rights: (userId, now) => rights.take(userId, now),
    report: (userId, now) => reports.take(userId, now),
  };
}

/** Refuses, with the time to wait, when an allowance is used up. */
export function refuseAfter(waitMs: number): void {
  if (waitMs === 0) return;
  const seconds = Math.ceil(waitMs / 1000);
  throw problem('too-many-requests', `Try again in ${seconds} s.`, { headers: { 'Retry-After': String(seconds) } });
}
