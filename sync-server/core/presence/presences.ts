import type { Clock, RandomBytes } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import type { Hint, Logger, Membership } from '../ports.ts';
import type { Room } from '../room/room.ts';
import { type NeighbourHint, makeNeighbours } from './neighbours.ts';
import { type Presence, makePresence } from './presence.ts';

/** The presence of all conversations that somebody on this node has open, and what other nodes say of them. */
export interface Presences {
  /** That of a root's room, made when somebody comes. */
  of(room: Room): Presence;
  positionsChanged(conversationId: Uuid): void;
  hear(hint: NeighbourHint): void;
  /** Hints may have been lost (L12). */
  gap(): void;
  /** This node's own hints do not come back to it: none comes. */
  isDeaf(): boolean;
  /** Tells other nodes who went, and ends. */
  stop(): Promise<void>;
}

export function makePresences(deps: {
  membership: Membership;
  publish(hint: Hint): Promise<void>;
  clock: Clock;
  random: RandomBytes;
  logger: Logger;
  announce(conversationId: Uuid, userId: Uuid): void;
}): Presences {
  const presences = new Map<Uuid, Presence>();
  const neighbours = makeNeighbours({
    ...deps,
    local: {
      conversations: () => presences.keys(),
      here: (conversationId) => presences.get(conversationId)?.here() ?? [],
      heard: (news, node) => presences.get(news[0])?.heard(news, node),
      expire(before) {
        for (const presence of presences.values()) presence.expire(before);
      },
    },
  });

  function open({ name: { conversationId }, state }: Room): Presence {
    const presence = makePresence({
      ...deps,
      conversationId,
      serverClient: state.logClient,
      nextClock: neighbours.nextClock,
      announce: (userId) => deps.announce(conversationId, userId),
      tell: neighbours.tell,
      onEmpty: () => presences.delete(conversationId),
    });
    presences.set(conversationId, presence);
    neighbours.ask(conversationId);
    return presence;
  }

  return {
    of: (room) => presences.get(room.name.conversationId) ?? open(room),
    positionsChanged: (conversationId) => presences.get(conversationId)?.positionsChanged(),
    hear: neighbours.hear,
    gap: neighbours.gap,
    isDeaf: neighbours.isDeaf,
    stop: neighbours.stop,
  };
}
