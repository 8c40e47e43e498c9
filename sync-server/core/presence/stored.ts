import type { Uuid } from '../../../shared/ids.ts';
import type { Logger, Membership, Positions } from '../ports.ts';
import { type Discretion, makeDiscretion } from './discretion.ts';

export interface Known {
  /** Null: it is not known yet, and nobody is told anything. */
  readonly discretion: Discretion | null;
  readonly positions: ReadonlyMap<Uuid, Positions>;
}

/** What the tables say of a conversation's members: how far each has read (P4), and who is kept from whom (P6). */
export interface Stored {
  positions(): Known['positions'];
  discretion(): Known['discretion'];
  /** The tables were read since `forget`, or could not be. */
  hasLooked(): boolean;
  /** Reads them; false: they could not be read. */
  look(): Promise<boolean>;
  /** Somebody's read position was stored; false: it is no news. */
  moved(userId: Uuid, read: number): boolean;
  /** What is known may be old. */
  forget(): void;
}

export function makeStored(deps: { conversationId: Uuid; membership: Membership; logger: Logger; onLooked(before: Known): void }): Stored {
  const { conversationId, membership, logger } = deps;
  let positions = new Map<Uuid, Positions>();
  let discretion: Discretion | null = null;
  let hasLooked = false;
  let begun = 0;
  let taken = 0;
  let forgotten = 0;

  function take(found: ReadonlyMap<Uuid, Positions>, next: Discretion): void {
    const before = { discretion, positions };
    discretion = next;
    positions = new Map(
      [...found].map(([userId, { read, delivered }]) => [userId, later({ read, delivered }, before.positions.get(userId))]),
    );
    deps.onLooked(before);
  }

  return {
    positions: () => positions,
    discretion: () => discretion,
    hasLooked: () => hasLooked,
    async look() {
      const turn = ++begun;
      try {
        const [found, privacy] = await Promise.all([membership.positions(conversationId), membership.privacy(conversationId)]);
        // Of two looks the one that began later counts, whichever ends first.
        if (turn > Math.max(taken, forgotten)) {
          taken = turn;
          take(found, makeDiscretion(privacy));
        }
        return true;
      } catch (error) {
        logger.warn({ conversationId, error: String(error) }, 'read positions could not be loaded');
        return false;
      } finally {
        hasLooked ||= turn > forgotten;
      }
    },
    moved(userId, read) {
      const before = positions.get(userId);
      if (read <= (before?.read ?? 0)) return false;
      positions.set(userId, { delivered: 0, ...before, read });
      return true;
    },
    forget() {
      hasLooked = false;
      discretion = null;
      forgotten = begun;
    },
  };
}

const later = (now: Positions, before: Positions | undefined): Positions => ({
  read: Math.max(now.read, before?.read ?? 0),
  delivered: Math.max(now.delivered, before?.delivered ?? 0),
});
