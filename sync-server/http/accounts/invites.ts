import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { type Invite as InviteAnswer, invites as invitesSchema, madeInvite, makeInviteBody } from '../../../shared/account-api.ts';
import { uuid } from '../../../shared/api.ts';
import { makeUuid } from '../../../shared/ids.ts';
import type { Invite } from '../../core/ways-in.ts';
import { makeToken } from '../identity/link-token.ts';
import { problem } from '../problem.ts';
import { refuseAfter } from '../rate-limit.ts';
import { type App, type RouteDeps, iso, jsonAnswer, jsonBody, problems, security } from '../route.ts';

const DAY_MS = 24 * 3_600_000;
const INVITES_MAX = 20;

const described = ({ id, createdAt, expiresAt, uses, usesLeft }: Invite): InviteAnswer => ({
  id,
  createdAt: iso(createdAt),
  expiresAt: iso(expiresAt),
  uses,
  usesLeft,
});

/** One's own invites (U5): links that let others register. Where registration is closed, people make none. */
export function addInviteRoutes(app: App, { invites, limits, clock, random, registration, signedIn }: RouteDeps): void {
  const common = { middleware: signedIn, security };

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/invites',
      responses: { 200: jsonAnswer('Those that can still be used, the newest first.', invitesSchema), ...problems },
    }),
    async (c) => {
      const found = await invites.list(c.var.viewer.userId, clock.now());
      return c.json({ invites: found.map(described) }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: '/api/invites',
      request: { body: jsonBody(makeInviteBody) },
      responses: { 201: jsonAnswer('The invite, and what its link carries.', madeInvite), ...problems },
    }),
    async (c) => {
      const { uses, days } = c.req.valid('json');
      const { userId } = c.var.viewer;
      const now = clock.now();
      if (registration === 'closed') throw problem('registration-closed');
      refuseAfter(limits.invite(userId, clock.elapsed()));
      const { token, hash } = makeToken(random);
      const invite: Invite = {
        id: makeUuid(now, random),
        tokenHash: hash,
        createdBy: userId,
        createdAt: now,
        expiresAt: now + days * DAY_MS,
        uses,
        usesLeft: uses,
      };
      if (!(await invites.open(invite, INVITES_MAX)))
        throw problem('too-many', `There may be ${INVITES_MAX} open invites. Remove one first.`);
      return c.json({ invite: described(invite), token }, 201);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'delete',
      path: '/api/invites/{id}',
      request: { params: z.object({ id: uuid }) },
      responses: { 204: { description: 'Its link is worth nothing any more.' }, ...problems },
    }),
    async (c) => {
      const removed = await invites.remove(c.var.viewer.userId, c.req.valid('param').id);
      if (!removed) throw problem('not-found', 'There is no such invite any more.');
      return c.body(null, 204);
    },
  );
}
