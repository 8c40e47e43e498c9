import { type Uuid, directConversationId } from '../../../shared/ids.ts';
import { problem } from '../problem.ts';
import { refuseAfter } from '../rate-limit.ts';
import type { RouteDeps } from '../route.ts';

/** Brings others into a conversation by `task`; refuses whoever has asked too many people today who do not know them (G3). */
export async function ask<T>(
  { messaging }: Pick<RouteDeps, 'messaging'>,
  userId: Uuid,
  others: readonly Uuid[],
  task: () => Promise<T>,
): Promise<T> {
  const done = await messaging.ask(userId, others, task);
  if (done !== null) return done;
  const detail = 'You have asked enough people today who do not know you. Wait until they answer, or until tomorrow.';
  throw problem('too-many-requests', detail, { headers: { 'Retry-After': '3600' } });
}

/**
 * The direct conversation with somebody, which is opened where there is none. Who has blocked the other, or was blocked, is answered like
 * anybody else (G1); whose account was deleted is nobody, but a conversation with them stays.
 */
export async function openDirect(
  deps: Pick<RouteDeps, 'accounts' | 'history' | 'messaging' | 'limits' | 'clock'>,
  userId: Uuid,
  otherId: Uuid,
): Promise<{ conversationId: Uuid; created: boolean }> {
  const { accounts, history, messaging, limits, clock } = deps;
  if (otherId === userId) throw problem('bad-request', 'A conversation needs somebody else.');
  const open = () => messaging.openDirect(userId, otherId);
  if (await history.conversation(userId, await directConversationId(userId, otherId))) return open();
  refuseAfter(limits.open(userId, clock.elapsed()));
  if ((await accounts.existing([otherId])).size === 0) throw problem('not-found', 'There is no such person.');
  return ask(deps, userId, [otherId], open);
}
