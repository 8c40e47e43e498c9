import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import {
  conversationAnswer,
  conversations,
  messagesPage,
  openConversationBody,
  readAnswer,
  readBody,
  segmentsPage,
} from '../../../shared/api.ts';
import { type Uuid, isUuid } from '../../../shared/ids.ts';
import type { ConversationCursor } from '../../core/accounts.ts';
import { ask, openDirect } from './open-direct.ts';
import { problem } from '../problem.ts';
import { refuseAfter } from '../rate-limit.ts';
import {
  type App,
  type RouteDeps,
  conversationParams,
  jsonAnswer,
  jsonBody,
  problems,
  queryLimit,
  queryNumber,
  security,
} from '../route.ts';

const CURSOR = /^([0-9]{1,13})_(.{36})$/;
const encodeCursor = ({ at, id }: ConversationCursor): string => `${at}_${id}`;
/** The cursor of a conversation list in a query. */
const cursor = z.string().transform((text, context): ConversationCursor => {
  const [, at = '', id = ''] = CURSOR.exec(text) ?? [];
  if (isUuid(id)) return { at: Number(at), id };
  context.addIssue({ code: 'custom', message: 'must be the nextBefore of the page before' });
  return z.NEVER;
});

const seqPage = z.object({ before: queryNumber.optional(), limit: queryLimit(50, 200) });

/** A person's conversations: list, open, history, segments, read position. */
export function addConversationRoutes(app: App, deps: RouteDeps): void {
  const { accounts, history, messaging, limits, clock, signedIn } = deps;
  const common = { middleware: signedIn, security };

  async function open(userId: Uuid, body: z.infer<typeof openConversationBody>): Promise<{ conversationId: Uuid; created: boolean }> {
    if ('userId' in body) return openDirect(deps, userId, body.userId);
    const { id, title, history: newcomers } = body;
    if (id !== undefined && (await history.conversation(userId, id))) return { conversationId: id, created: false };
    const others = [...new Set(body.memberIds)].filter((other) => other !== userId);
    if (others.length === 0) throw problem('bad-request', 'A conversation needs somebody else.');
    refuseAfter(limits.open(userId, clock.elapsed()));
    if ((await accounts.reachable(userId, others)).size < others.length) throw problem('not-found', 'There is no such person.');
    return ask(deps, userId, others, () => messaging.openGroup(userId, title, others, { id, history: newcomers }));
  }

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/messaging/conversations',
      request: { query: z.object({ before: cursor.optional(), limit: queryLimit(50, 200) }) },
      responses: { 200: jsonAnswer('Newest first.', conversations), ...problems },
    }),
    async (c) => {
      const { before, limit } = c.req.valid('query');
      const page = await history.conversations(c.var.viewer.userId, before ?? null, limit);
      return c.json({ conversations: page.items, nextBefore: page.nextBefore && encodeCursor(page.nextBefore) }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: '/api/messaging/conversations',
      request: { body: jsonBody(openConversationBody) },
      responses: {
        200: jsonAnswer('The conversation that was there.', conversationAnswer),
        201: jsonAnswer('A new conversation.', conversationAnswer),
        ...problems,
      },
    }),
    async (c) => {
      const { userId } = c.var.viewer;
      const { conversationId, created } = await open(userId, c.req.valid('json'));
      const conversation = await history.conversation(userId, conversationId);
      if (!conversation) throw problem('id-used', 'Another conversation has this id.');
      return c.json({ conversation }, created ? 201 : 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/messaging/conversations/{id}/messages',
      request: { params: conversationParams, query: seqPage },
      responses: { 200: jsonAnswer('Newest last.', messagesPage), ...problems },
    }),
    async (c) => {
      const { before, limit } = c.req.valid('query');
      const page = await history.messages(c.var.viewer.userId, c.req.valid('param').id, before ?? null, limit);
      if (!page) throw problem('not-found');
      return c.json({ messages: page.items, nextBefore: page.nextBefore }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/messaging/conversations/{id}/segments',
      request: { params: conversationParams, query: seqPage },
      responses: { 200: jsonAnswer('Segments with their first seq, ascending.', segmentsPage), ...problems },
    }),
    async (c) => {
      const { before, limit } = c.req.valid('query');
      const page = await history.segments(c.var.viewer.userId, c.req.valid('param').id, before ?? null, limit);
      if (!page) throw problem('not-found');
      return c.json({ segments: page.items, nextBefore: page.nextBefore }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'patch',
      path: '/api/messaging/conversations/{id}/read',
      request: { params: conversationParams, body: jsonBody(readBody) },
      responses: { 200: jsonAnswer('Where the read position stands: forward only, never beyond the last.', readAnswer), ...problems },
    }),
    async (c) => {
      const { userId } = c.var.viewer;
      const { id } = c.req.valid('param');
      if ((await messaging.markRead(userId, id, c.req.valid('json').seq)) === null) throw problem('not-found');
      const state = await history.readState(userId, id);
      if (!state) throw problem('not-found');
      return c.json(state, 200);
    },
  );
}
