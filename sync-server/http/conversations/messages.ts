import { createRoute } from '@hono/zod-openapi';
import type { z } from 'zod';
import { messageAnswer, sendBody } from '../../../shared/api.ts';
import type { Neutralised } from '../../../shared/close-codes.ts';
import { type Uuid, makeMessageId } from '../../../shared/ids.ts';
import type { SendResult } from '../../core/messaging-port.ts';
import { openDirect } from './open-direct.ts';
import { type ProblemError, problem } from '../problem.ts';
import { type App, type RouteDeps, jsonAnswer, jsonBody, problems, security } from '../route.ts';

const NOT_DELIVERED: Record<Exclude<Neutralised, 'duplicate'>, string> = {
  closed: 'The conversation takes no new messages now.',
  removed: 'This message was removed.',
  blocked: 'This person does not take messages from you.',
  role: 'You may not write in this conversation.',
  quota: 'There is no room left for more messages.',
};

/** Why a message was not sent, for who sent it. */
function refusal(result: Exclude<SendResult, { kind: 'sent' }>): ProblemError {
  if (result.kind === 'not-found') return problem('not-found');
  if (result.kind === 'unavailable')
    return problem('unavailable', 'Try again with the same id: it will be one message.', { headers: { 'Retry-After': '1' } });
  if (result.code === 'duplicate') return problem('id-used', 'Another message has this id.');
  return problem('not-delivered', NOT_DELIVERED[result.code]);
}

const sendRoute = {
  method: 'post',
  path: '/api/messaging/messages',
  request: { body: jsonBody(sendBody) },
  responses: {
    200: jsonAnswer('The message that has this id already.', messageAnswer),
    201: jsonAnswer('Sent.', messageAnswer),
    ...problems,
  },
} as const;

/** Sending for programs without a replica: through the same door and log as every frame (H2). */
export function addMessageRoutes(app: App, deps: RouteDeps): void {
  const { history, messaging, clock, random, signedIn } = deps;

  async function conversationOf(userId: Uuid, body: z.infer<typeof sendBody>): Promise<Uuid> {
    return 'conversationId' in body ? body.conversationId : (await openDirect(deps, userId, body.recipientId)).conversationId;
  }

  /** Who is gone takes no messages either; that may be said. */
  async function isGone(userId: Uuid, conversationId: Uuid): Promise<boolean> {
    const conversation = await history.conversation(userId, conversationId);
    return conversation?.kind === 'direct' && conversation.members.some(({ deleted }) => deleted);
  }

  app.openapi(createRoute({ ...sendRoute, middleware: signedIn, security }), async (c) => {
    const { userId } = c.var.viewer;
    const body = c.req.valid('json');
    const id = body.id ?? makeMessageId(clock.now(), random);
    const conversationId = await conversationOf(userId, body);
    const result = await messaging.send(userId, conversationId, id, [body.content, null, null]);
    const isDuplicate = result.kind === 'neutralised' && result.code === 'duplicate';
    const isBlocked = result.kind === 'neutralised' && result.code === 'blocked';
    if (isBlocked && (await isGone(userId, conversationId))) throw problem('not-delivered', 'This account was deleted.');
    if (result.kind !== 'sent' && !isDuplicate) throw refusal(result);
    const message = await history.message(userId, conversationId, id);
    // The core sees the open segment only: the sender's own message in an older one is a duplicate to it.
    if (isDuplicate && message?.senderId !== userId) throw refusal(result);
    if (!message) throw problem('not-found');
    return c.json({ message }, result.kind === 'sent' && result.created ? 201 : 200);
  });
}
