import { type Accessor, createMemo } from 'solid-js';
import type { User } from '../../shared/api.ts';
import { type MessageId, type Uuid, directConversationId } from '../../shared/ids.ts';
import type { Api } from '../sync/api.ts';
import type { Sync } from '../sync/open-sync.ts';
import { blockKey } from '../sync/outbox/entry.ts';
import { type Outcome, outcomeOf } from './attempt.ts';
import { createChanges } from './create-observed.ts';

/** How a person protects themselves from others (G1, G4). */
export interface Protection {
  /** Whom this person has blocked, with what the server does not know yet; by handle. */
  blocked: Accessor<readonly User[]>;
  isBlocked: (userId: Uuid) => boolean;
  /** With or without a network. */
  setBlocked: (userId: Uuid, isBlocked: boolean) => Promise<void>;
  /** Asks the operator to look at a message. */
  report: (conversationId: Uuid, messageId: MessageId, reason: string) => Promise<Outcome<void>>;
}

interface Options {
  sync: Sync;
  api: Pick<Api, 'report'>;
  me: Uuid;
  /** Somebody that was found or looked at here. */
  person: (userId: Uuid) => User | undefined;
}

export function createProtection({ sync, api, me, person }: Options): Protection {
  const { blocks, outbox } = sync;
  const changes = createChanges(sync.subscribe);

  function isBlocked(userId: Uuid): boolean {
    changes();
    const entry = outbox.get(blockKey(userId));
    return entry?.kind === 'block' ? entry.isBlocked : blocks.people().has(userId);
  }

  return {
    isBlocked,
    blocked: createMemo(() => {
      changes();
      const waiting = outbox.entries().flatMap((entry) => (entry.kind === 'block' ? (person(entry.userId) ?? []) : []));
      const all = new Map([...waiting.map((user) => [user.id, user] as const), ...blocks.people()]);
      return [...all.values()].filter(({ id }) => isBlocked(id)).sort((a, b) => (a.handle < b.handle ? -1 : 1));
    }),
    async setBlocked(userId, next) {
      outbox.block(await directConversationId(me, userId), userId, next);
    },
    report: (conversationId, messageId, reason) => outcomeOf(api.report(conversationId, messageId, reason)),
  };
}
