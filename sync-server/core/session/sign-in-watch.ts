import type { Clock } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { isPlatformSession } from '../identity.ts';
import type { Logger, StandingSignIns } from '../ports.ts';
import type { Session } from './session.ts';

/**
 * Ends the sockets whose sign-in has ended (S4), though no hint said so: one that opens while its person signs out is not there yet when
 * the hint comes, and hints may be lost. Sessions of the platform's tokens have no sign-in here: they end with their person's account (G5).
 */
export interface SignInWatch {
  /** This socket has just been opened: its sign-in is looked at once more. */
  opened(session: Session): void;
  /** Looks at all of them. */
  check(): Promise<void>;
}

/** Sockets that open are gathered this long, so that a crowd is one question. */
const GATHER_MS = 100;

export function makeSignInWatch(deps: {
  signIns: StandingSignIns;
  sessions: ReadonlySet<Session>;
  clock: Clock;
  logger: Logger;
}): SignInWatch {
  const { signIns, sessions, clock, logger } = deps;
  let fresh: Session[] = [];

  async function check(asked: Iterable<Session>): Promise<void> {
    const sids = new Set<Uuid>();
    const userIds = new Set<Uuid>();
    for (const { sid, userId } of [...asked].filter((session) => sessions.has(session)))
      if (isPlatformSession(sid)) userIds.add(userId);
      else sids.add(sid);
    const ended = new Set(sids.size > 0 ? await signIns.ended([...sids], clock.now()) : []);
    const gone = new Set(userIds.size > 0 ? await signIns.gone([...userIds]) : []);
    for (const session of [...sessions]) if (ended.has(session.sid) || gone.has(session.userId)) session.end('unauthorized');
  }

  function checkFresh(): void {
    const asked = fresh;
    fresh = [];
    check(asked).catch((error: unknown) => logger.warn({ error: String(error) }, 'sign-ins could not be looked at'));
  }

  return {
    opened(session) {
      if (fresh.push(session) === 1) clock.after(GATHER_MS, checkFresh);
    },
    check: () => check(sessions),
  };
}
