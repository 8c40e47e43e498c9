import { problem } from './problem.ts';

/**
 * One allowance per key: `burst` at once, `perMinute` in the long run. In memory, per node. When more keys are in use than it holds, all
 * others share one allowance: it grows no further, and lets nobody pass uncounted.
 */
export interface Limiter {
  /** Takes one; milliseconds to wait when there is none, else 0. */
  take(key: string, now: number): number;
  /** Keys in memory. */
  size(): number;
}

const SWEEP_FROM = 1_000;
/** Keys at most, some 10 MB. */
const KEYS_MAX = 100_000;
const OTHERS = '\0';
/** Looking through all of them costs a millisecond or two. */
const REST_MS = 1_000;

/** Of each key only the time is kept at which its allowance is full again; keys whose time has come are forgotten. */
export function makeLimiter({ burst, perMinute }: { burst: number; perMinute: number }): Limiter {
  const cost = 60_000 / perMinute;
  const fullAt = new Map<string, number>();
  let sweepAt = SWEEP_FROM;
  let restsUntil = -Infinity;

  function sweep(now: number): void {
    for (const [key, at] of fullAt) if (at <= now) fullAt.delete(key);
    restsUntil = now + REST_MS;
    sweepAt = Math.min(KEYS_MAX, Math.max(SWEEP_FROM, 2 * fullAt.size));
  }

  return {
    take(wanted, now) {
      const key = fullAt.size >= KEYS_MAX && !fullAt.has(wanted) ? OTHERS : wanted;
      const next = Math.max(now, fullAt.get(key) ?? 0) + cost;
      const wait = next - now - burst * cost;
      if (wait > 0) return wait;
      if (fullAt.size >= sweepAt && now >= restsUntil) sweep(now);
      fullAt.set(key, next);
      return 0;
    },
    size: () => fullAt.size,
  };
}

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

export interface LogInAttempt {
  address: string;
  handle: string;
  /** The device, when it is known for this account; null: any other. */
  device: string | null;
}

/** The allowances of the API. */
export interface Limits {
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
  const byAddress = makeLimiter({ burst: 60, perMinute: 30 });
  const byBoth = makeLimiter({ burst: 10, perMinute: 4 });
  const byAccount = makeLimiter({ burst: 50, perMinute: 2 });
  const byDevice = makeLimiter({ burst: 10, perMinute: 4 });
  const registrations = makeLimiter({ burst: 100, perMinute: 20 });
  const links = makeLimiter({ burst: 30, perMinute: 10 });
  const ceremonies = makeLimiter({ burst: 120, perMinute: 60 });
  const passwords = makeLimiter({ burst: 5, perMinute: 1 });
  const invites = makeLimiter({ burst: 20, perMinute: 1 });
  const opens = makeLimiter({ burst: 60, perMinute: 30 });
  const rights = makeLimiter({ burst: 120, perMinute: 60 });
  const reports = makeLimiter({ burst: 10, perMinute: 1 });
  const searches = makeLimiter({ burst: 30, perMinute: 60 });
  return {
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
