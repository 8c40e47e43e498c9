import type { Clock } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import type { Inbox } from './inbox.ts';
import type { InboxSource, Logger } from '../ports.ts';

/** The inboxes of a node: hints say which conversations changed, and whoever is concerned is woken. */
export interface Inboxes {
  watch(userId: Uuid, inbox: Inbox): () => void;
  conversationsChanged(conversationIds: Iterable<Uuid>): void;
  personChanged(userId: Uuid): void;
  /** Hints may have been lost (L12). */
  everythingChanged(): void;
}

/** Hints are gathered this long, so that a busy second is a few questions. */
const GATHER_MS = 20;

export function makeInboxes(deps: { source: InboxSource; clock: Clock; logger: Logger }): Inboxes {
  const { source, clock, logger } = deps;
  const watching = new Map<Uuid, Set<Inbox>>();
  let changed = new Set<Uuid>();

  function wakePerson(userId: Uuid): void {
    for (const inbox of watching.get(userId) ?? []) inbox.wake();
  }

  function wakeAll(): void {
    for (const userId of watching.keys()) wakePerson(userId);
  }

  async function wakeConcerned(): Promise<void> {
    const conversationIds = [...changed];
    changed = new Set();
    try {
      for (const userId of await source.concerned(conversationIds, [...watching.keys()])) wakePerson(userId);
    } catch (error) {
      logger.warn({ error: String(error) }, 'whom a change concerns could not be read');
      wakeAll();
    }
  }

  return {
    watch(userId, inbox) {
      const inboxes = watching.get(userId) ?? new Set();
      watching.set(userId, inboxes.add(inbox));
      return () => {
        inboxes.delete(inbox);
        if (inboxes.size === 0 && watching.get(userId) === inboxes) watching.delete(userId);
      };
    },
    conversationsChanged(conversationIds) {
      if (watching.size === 0) return;
      const idle = changed.size === 0;
      for (const id of conversationIds) changed.add(id);
      if (idle && changed.size > 0) clock.after(GATHER_MS, () => void wakeConcerned());
    },
    personChanged: wakePerson,
    everythingChanged: wakeAll,
  };
}
