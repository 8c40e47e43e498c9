import { createRoute } from '@hono/zod-openapi';
import { conversationAnswer, patchConversationBody, putMemberBody, uuid } from '../../../shared/api.ts';
import type { Uuid } from '../../../shared/ids.ts';
import type { MemberResult, Whom } from '../../core/rights/members.ts';
import { ask } from './open-direct.ts';
import { problem } from '../problem.ts';
import { refuseAfter } from '../rate-limit.ts';
import { type App, type RouteDeps, conversationParams, jsonAnswer, jsonBody, problems, security } from '../route.ts';

const memberParams = conversationParams.extend({ userId: uuid });

const REFUSED = {
  'not-found': 'There is no such conversation, or nobody of this id in it.',
  forbidden: 'Your role in this conversation does not allow that.',
  'group-full': 'A group has at most 500 people.',
} as const;

function refuse(result: MemberResult): void {
  if (result !== 'done') throw problem(result, REFUSED[result]);
}

/** Who belongs to a conversation, and as what (G2); a request taken; a conversation off one's list. */
export function addMemberRoutes(app: App, deps: RouteDeps): void {
  const { accounts, history, messaging, limits, clock, signedIn } = deps;
  const common = { middleware: signedIn, security };
  const path = '/api/messaging/conversations/{id}';

  async function conversationOf(userId: Uuid, conversationId: Uuid) {
    const conversation = await history.conversation(userId, conversationId);
    if (!conversation) throw problem('not-found');
    return conversation;
  }

  /** Whoever is brought in has to be somebody to the one who does it. */
  async function add(actor: Uuid, conversationId: Uuid, whom: Whom): Promise<MemberResult> {
    if ((await accounts.reachable(actor, [whom.userId])).size === 0) throw problem('not-found', 'There is no such person.');
    return ask(deps, actor, [whom.userId], () => messaging.members.put(actor, conversationId, whom));
  }

  app.openapi(
    createRoute({
      ...common,
      method: 'patch',
      path,
      request: { params: conversationParams, body: jsonBody(patchConversationBody) },
      responses: { 200: jsonAnswer('The group as it is now.', conversationAnswer), ...problems },
    }),
    async (c) => {
      const { userId } = c.var.viewer;
      const { id } = c.req.valid('param');
      const { title, history: newcomers } = c.req.valid('json');
      refuseAfter(limits.rights(userId, clock.elapsed()));
      const about = { ...(title === undefined ? {} : { title }), ...(newcomers === undefined ? {} : { history: newcomers }) };
      refuse(await messaging.members.describe(userId, id, about));
      return c.json({ conversation: await conversationOf(userId, id) }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'delete',
      path,
      request: { params: conversationParams },
      responses: { 204: { description: 'Off the list, until the next message.' }, ...problems },
    }),
    async (c) => {
      refuseAfter(limits.rights(c.var.viewer.userId, clock.elapsed()));
      if (!(await messaging.setListed(c.var.viewer.userId, c.req.valid('param').id, false))) throw problem('not-found');
      return c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'put',
      path: `${path}/accept`,
      request: { params: conversationParams },
      responses: { 200: jsonAnswer('The conversation, which is no request any more.', conversationAnswer), ...problems },
    }),
    async (c) => {
      const { userId } = c.var.viewer;
      const { id } = c.req.valid('param');
      refuseAfter(limits.rights(userId, clock.elapsed()));
      refuse(await messaging.members.accept(userId, id));
      return c.json({ conversation: await conversationOf(userId, id) }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'put',
      path: `${path}/members/{userId}`,
      request: { params: memberParams, body: jsonBody(putMemberBody) },
      responses: { 200: jsonAnswer('The group with them, in this role.', conversationAnswer), ...problems },
    }),
    async (c) => {
      const { userId } = c.var.viewer;
      const { id, userId: otherId } = c.req.valid('param');
      refuseAfter(limits.rights(userId, clock.elapsed()));
      const { kind, members } = await conversationOf(userId, id);
      if (kind === 'direct') throw problem('forbidden', 'A conversation of two people stays one.');
      const whom = { userId: otherId, role: c.req.valid('json').role };
      const isMember = members.some((member) => member.id === otherId);
      refuse(await (isMember ? messaging.members.setRole(userId, id, whom) : add(userId, id, whom)));
      return c.json({ conversation: await conversationOf(userId, id) }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'delete',
      path: `${path}/members/{userId}`,
      request: { params: memberParams },
      responses: { 204: { description: 'They are no member any more.' }, ...problems },
    }),
    async (c) => {
      const { userId } = c.var.viewer;
      const { id, userId: otherId } = c.req.valid('param');
      refuseAfter(limits.rights(userId, clock.elapsed()));
      refuse(await messaging.members.remove(userId, id, otherId));
      return c.body(null, 204);
    },
  );
}
