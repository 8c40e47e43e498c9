import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import type { Clock } from '../../../shared/clock.ts';
import type { KeyRing } from '../identity/key-ring.ts';
import { type App, jsonAnswer, problems } from '../route.ts';

const jwks = z.object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string() })) });
/** A new key is published before it signs, for longer than this. */
const CACHE = 'public, max-age=60';

/** The public halves of the keys of access tokens (S5), for whoever wants to check a token of ours without asking. */
export function addKeyRoutes(app: App, { keys, clock }: { keys: KeyRing; clock: Pick<Clock, 'now'> }): void {
  for (const path of ['/.well-known/jwks.json', '/api/auth/jwks'])
    app.openapi(
      createRoute({ method: 'get', path, responses: { 200: jsonAnswer('Keys of access tokens (RFC 7517).', jwks), ...problems } }),
      (c) => c.json({ keys: jwks.shape.keys.parse(keys.published(clock.now())) }, 200, { 'Cache-Control': CACHE }),
    );
}
