import { createRoute } from '@hono/zod-openapi';
import { inviteBody, invitation, registration } from '../../../shared/account-api.ts';
import { registerBody } from '../../../shared/api.ts';
import { makeUuid } from '../../../shared/ids.ts';
import type { InviteUse } from '../../core/accounts.ts';
import { signedInAnswer } from './auth.ts';
import { hashToken } from '../identity/link-token.ts';
import { problem } from '../problem.ts';
import { type App, type RouteDeps, jsonAnswer, jsonBody, problems } from '../route.ts';
import { refuseAfter } from '../rate-limit.ts';
import { makeSigningIn } from './sign-in.ts';

const NOT_OPEN = {
  closed: 'Registration is closed here. Ask whoever runs this server.',
  invite: 'Registration is by invitation only here.',
};

/** Who may register, and registering (S1, U5). Where people may not invite, the operator's links still let somebody in. */
export function addRegistrationRoutes(app: App, deps: RouteDeps): void {
  const { accounts, invites, passwords, limits, clock, random } = deps;
  const { signIn } = makeSigningIn(deps);
  const inviteUse = (token: string): InviteUse => ({
    tokenHash: hashToken(token),
    fromPeople: deps.registration !== 'closed',
    now: clock.now(),
  });

  /** The invite that this registration uses up; null where nobody needs one. */
  function needed(invite: string | undefined): InviteUse | null {
    if (deps.registration === 'open') return null;
    if (invite === undefined) throw problem('registration-closed', NOT_OPEN[deps.registration]);
    return inviteUse(invite);
  }

  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/auth/registration',
      responses: { 200: jsonAnswer('Who may register here.', registration), ...problems },
    }),
    (c) => c.json({ registration: deps.registration }, 200),
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/api/auth/invite',
      request: { body: jsonBody(inviteBody) },
      responses: { 200: jsonAnswer('An invite that can be used, and who made it.', invitation), ...problems },
    }),
    async (c) => {
      refuseAfter(limits.link(c.var.place.address, clock.elapsed()));
      const found = await invites.look(inviteUse(c.req.valid('json').invite));
      if (!found) throw problem('link-ended');
      return c.json({ invitedBy: found.displayName }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/api/auth/register',
      request: { body: jsonBody(registerBody) },
      responses: { 201: signedInAnswer, ...problems },
    }),
    async (c) => {
      const { handle, displayName, password, client, invite } = c.req.valid('json');
      const use = needed(invite);
      const now = clock.now();
      refuseAfter(limits.register(c.var.place.address, clock.elapsed()));
      const passwordHash = await passwords.hash(password);
      const created = await accounts.create({ id: makeUuid(now, random), handle, displayName, passwordHash, createdAt: now }, use);
      if (created.kind !== 'created')
        throw problem(created.kind, created.kind === 'handle-taken' ? `Somebody else is @${handle}.` : undefined);
      const answer = await signIn(c, { userId: created.me.id, client });
      if (!answer) throw problem('unauthorized');
      return c.json(answer, 201);
    },
  );
}
