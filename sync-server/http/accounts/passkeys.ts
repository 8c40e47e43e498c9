import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import {
  type CreatedPasskey,
  type Passkey as PasskeyAnswer,
  type SignedPasskey,
  addPasskeyBody,
  addPasskeyOptionsBody,
  creationOptions as creationOptionsSchema,
  passkey as passkeySchema,
  passkeyId,
  passkeySignInBody,
  passkeys as passkeysSchema,
  renamePasskeyBody,
  requestOptions as requestOptionsSchema,
} from '../../../shared/account-api.ts';
import type { Uuid } from '../../../shared/ids.ts';
import type { Passkey } from '../../core/ways-in.ts';
import { signedInAnswer } from './auth.ts';
import { hashToken, makeToken } from '../identity/link-token.ts';
import { CEREMONY_MS, creationOptions, readChallenge, requestOptions, verifyCreated, verifySigned } from '../identity/passkey-ceremony.ts';
import { problem, wrongField } from '../problem.ts';
import { refuseAfter } from '../rate-limit.ts';
import { type App, type RouteDeps, iso, jsonAnswer, jsonBody, problems, security } from '../route.ts';
import { makeSigningIn } from './sign-in.ts';

const PASSKEYS_MAX = 20;
const params = z.object({ id: passkeyId });

const described = ({ id, name, createdAt, lastUsedAt }: Passkey): PasskeyAnswer => ({
  id,
  name,
  createdAt: iso(createdAt),
  lastUsedAt: lastUsedAt === null ? null : iso(lastUsedAt),
});

/** Passkeys (U4): signing in with one, adding, naming and removing one's own. */
export function addPasskeyRoutes(app: App, deps: RouteDeps): void {
  const { accounts, passkeys, passwordStore, passwords, limits, clock, random, logger, signedIn } = deps;
  const { signIn } = makeSigningIn(deps);
  const common = { middleware: signedIn, security };

  async function openChallenge(userId: Uuid | null): Promise<string> {
    const now = clock.now();
    const { token, hash } = makeToken(random);
    await passkeys.openChallenge({ hash, userId, expiresAt: now + CEREMONY_MS }, now);
    return token;
  }

  /** What `verify` finds, of a ceremony whose challenge was ours and is used up hereby; null when it does not hold. */
  async function conclude<Found>(
    made: CreatedPasskey | SignedPasskey,
    userId: Uuid | null,
    verify: (challenge: string) => Promise<Found>,
  ): Promise<Found | null> {
    const challenge = readChallenge(made);
    if (challenge === null || !(await passkeys.takeChallenge({ hash: hashToken(challenge), userId }, clock.now()))) return null;
    try {
      return await verify(challenge);
    } catch (error) {
      logger.info({ passkey: made.id, error: String(error) }, 'a passkey was refused');
      return null;
    }
  }

  app.openapi(
    createRoute({
      method: 'post',
      path: '/api/auth/passkey/options',
      responses: { 200: jsonAnswer('What a device is to sign, for anybody.', requestOptionsSchema), ...problems },
    }),
    async (c) => {
      refuseAfter(limits.passkey(c.var.place.address, clock.elapsed()));
      return c.json(requestOptions(c.var.place, await openChallenge(null)), 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/api/auth/passkey',
      request: { body: jsonBody(passkeySignInBody) },
      responses: { 200: signedInAnswer, ...problems },
    }),
    async (c) => {
      const { passkey: signed, client } = c.req.valid('json');
      const { place } = c.var;
      refuseAfter(limits.passkey(place.address, clock.elapsed()));
      const found = await conclude(signed, null, async (challenge) => {
        const passkey = await passkeys.find(signed.id);
        if (!passkey) throw new Error('nobody has it');
        const counter = await verifySigned(signed, { place, challenge, passkey });
        if (!(await passkeys.use(passkey.id, counter, clock.now()))) throw new Error('its count did not move on');
        return passkey;
      });
      const answer = found && (await signIn(c, { userId: found.userId, client }));
      if (!answer) throw problem('unauthorized', 'This passkey was not accepted. Please try again.');
      return c.json(answer, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/me/passkeys',
      responses: { 200: jsonAnswer('The ways into one’s account.', passkeysSchema), ...problems },
    }),
    async (c) => {
      const { userId } = c.var.viewer;
      const [found, hash] = [await passkeys.list(userId), await passwordStore.hashOf(userId)];
      return c.json({ passkeys: found.map(described), hasPassword: hash !== null }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: '/api/me/passkeys/options',
      request: { body: jsonBody(addPasskeyOptionsBody) },
      responses: { 200: jsonAnswer('What a device needs to make a passkey.', creationOptionsSchema), ...problems },
    }),
    async (c) => {
      const { userId } = c.var.viewer;
      refuseAfter(limits.password(userId, clock.elapsed()));
      // A borrowed session must not become a way in of its own.
      const hash = await passwordStore.hashOf(userId);
      const isOwner = hash === null || (await passwords.matches(hash, c.req.valid('json').password ?? ''));
      if (!isOwner) throw wrongField('wrong-password', 'password');
      const me = await accounts.me(userId);
      if (!me) throw problem('unauthorized');
      const known = await passkeys.list(userId);
      if (known.length >= PASSKEYS_MAX) throw problem('too-many', `There may be ${PASSKEYS_MAX} passkeys. Remove one first.`);
      return c.json(creationOptions(c.var.place, me, known, await openChallenge(userId)), 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: '/api/me/passkeys',
      request: { body: jsonBody(addPasskeyBody) },
      responses: { 201: jsonAnswer('It signs one in from now on.', passkeySchema), ...problems },
    }),
    async (c) => {
      const { name, passkey: created } = c.req.valid('json');
      const { userId } = c.var.viewer;
      const { place } = c.var;
      const made = await conclude(created, userId, (challenge) => verifyCreated(created, { place, challenge }));
      const passkey = made && { ...made, userId, name, createdAt: clock.now(), lastUsedAt: null };
      if (!passkey || !(await passkeys.add(passkey, PASSKEYS_MAX)))
        throw problem('bad-passkey', 'This passkey was not accepted. Please try again.');
      return c.json(described(passkey), 201);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'patch',
      path: '/api/me/passkeys/{id}',
      request: { params, body: jsonBody(renamePasskeyBody) },
      responses: { 200: jsonAnswer('It has another name.', passkeySchema), ...problems },
    }),
    async (c) => {
      const renamed = await passkeys.rename(c.var.viewer.userId, c.req.valid('param').id, c.req.valid('json').name);
      if (!renamed) throw problem('not-found', 'There is no such passkey any more.');
      return c.json(described(renamed), 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'delete',
      path: '/api/me/passkeys/{id}',
      request: { params },
      responses: { 204: { description: 'It signs nobody in any more.' }, ...problems },
    }),
    async (c) => {
      const removed = await passkeys.remove(c.var.viewer.userId, c.req.valid('param').id);
      if (!removed) throw problem('not-found', 'There is no such passkey any more.');
      return c.body(null, 204);
    },
  );
}
