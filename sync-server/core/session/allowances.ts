import type { Clock } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { LIMITS, RATES } from '../../../shared/limits.ts';
import { makeLimiter } from './limiter.ts';
import { makeTally } from './tally.ts';

/**
 * What one person may ask of this node over all of their sockets together (W13). What is written and answered has to wait where the
 * allowance is used up; what is opened beyond it is turned away.
 */
export interface Allowances {
  /** An update of so many bytes: milliseconds to wait, 0 when it was taken. */
  update(userId: Uuid, bytes: number): number;
  /** A presence message: milliseconds to wait, 0 when it was taken. */
  presence(userId: Uuid): number;
  /** Milliseconds until this person's next question may be answered. */
  question(userId: Uuid): number;
  /** So many bytes were sent in answer. */
  answered(userId: Uuid, bytes: number): void;
  /** Another socket; false: there are too many. */
  openSocket(userId: Uuid): boolean;
  closeSocket(userId: Uuid): void;
  /** Another document; false: too many are open, or were opened in too short a time. */
  openDocument(userId: Uuid): boolean;
  closeDocument(userId: Uuid): void;
}

export function makeAllowances(clock: Pick<Clock, 'elapsed'>): Allowances {
  const updates = makeLimiter(RATES.updates);
  const updateBytes = makeLimiter(RATES.updateBytes);
  const presences = makeLimiter(RATES.personPresence);
  const answers = makeLimiter(RATES.answerBytes);
  const opens = makeLimiter(RATES.personOpens);
  const sockets = makeTally(LIMITS.personSockets);
  const documents = makeTally(LIMITS.personDocuments);
  return {
    update(userId, bytes) {
      const now = clock.elapsed();
      const wait = Math.max(updates.wait(userId, now), updateBytes.wait(userId, now, bytes));
      if (wait > 0) return wait;
      updates.charge(userId, now);
      updateBytes.charge(userId, now, bytes);
      return 0;
    },
    presence: (userId) => presences.take(userId, clock.elapsed()),
    question: (userId) => answers.wait(userId, clock.elapsed()),
    answered: (userId, bytes) => answers.charge(userId, clock.elapsed(), bytes),
    openSocket: sockets.enter,
    closeSocket: sockets.leave,
    openDocument: (userId) => opens.take(userId, clock.elapsed()) === 0 && documents.enter(userId),
    closeDocument: documents.leave,
  };
}
