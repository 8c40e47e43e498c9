import { type Uuid, directConversationId } from '../../shared/ids.ts';
import { problem } from './problem.ts';
import { refuseAfter } from './rate-limit.ts';
import type { RouteDeps } from './route.ts';

/** Refuses whoever has asked too many people today who do not know them (G3). */
export async function refuseTooManyRequests({ messaging }: Pick<RouteDeps, 'messaging'>, userId: Uuid, others: readonly Uuid[]) {
  if (await messaging.mayAsk(userId, others)) return;
  const detail = 'You have written to many people today who do not know you. Wait until some of them answer, or until tomorrow.';
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
  if (!(await history.conversation(userId, await directConversationId(userId, otherId)))) {
    refuseAfter(limits.open(userId, clock.now()));
    if ((await accounts.existing([otherId])).size === 0) throw problem('not-found', 'There is no such person.');
    await refuseTooManyRequests(deps, userId, [otherId]);
  }
  return messaging.openDirect(userId, otherId);
}
