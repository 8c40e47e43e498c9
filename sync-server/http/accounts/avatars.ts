import { createRoute } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { me, uuid } from '../../../shared/api.ts';
import { LIMITS } from '../../../shared/limits.ts';
import { makePictures } from './picture.ts';
import { problem } from '../problem.ts';
import { makeLimiter } from '../../core/session/limiter.ts';
import { refuseAfter } from '../rate-limit.ts';
import { type App, type RouteDeps, jsonAnswer, problems, security } from '../route.ts';

/** Where one's own picture is put; its body has a limit of its own. */
export const AVATAR_PATH = '/api/me/avatar';

const RATE = { burst: 10, perMinute: 5 };
const picture = { schema: z.string().meta({ format: 'binary' }) };

/**
 * Pictures of people. The address of one names its bytes, and is told only to who is signed in; so it is served to whoever asks, may be
 * kept for ever, and is another one after each change.
 */
export function addAvatarRoutes(app: App, { accounts, clock, signedIn }: RouteDeps): void {
  const pictures = makePictures();
  const limiter = makeLimiter(RATE);
  const limitBody = bodyLimit({ maxSize: LIMITS.avatar, onError: () => Promise.reject(problem('too-large', 'At most 5 MiB.')) });
  const common = { path: AVATAR_PATH, security, responses: { 200: jsonAnswer('Oneself, changed.', me), ...problems } };

  app.openapi(
    createRoute({
      ...common,
      method: 'put',
      middleware: signedIn,
      request: { body: { content: { 'image/*': picture }, required: true } },
    }),
    async (c) => {
      const { userId } = c.var.viewer;
      refuseAfter(limiter.take(userId, clock.elapsed()));
      await limitBody(c, async () => {});
      const found = await pictures.read(new Uint8Array(await c.req.arrayBuffer()));
      if (!found) throw problem('bad-image', 'It must be a whole JPEG, PNG, WebP, GIF or AVIF.');
      const changed = await accounts.setAvatar(userId, found);
      if (!changed) throw problem('unauthorized');
      return c.json(changed, 200);
    },
  );

  app.openapi(createRoute({ ...common, method: 'delete', middleware: signedIn }), async (c) => {
    const changed = await accounts.setAvatar(c.var.viewer.userId, null);
    if (!changed) throw problem('unauthorized');
    return c.json(changed, 200);
  });

  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/avatars/{userId}/{file}',
      request: { params: z.object({ userId: uuid, file: z.string().regex(/^[0-9a-f]{32}\.webp$/) }) },
      responses: { 200: { description: 'The picture.', content: { 'image/webp': picture } }, ...problems },
    }),
    async (c) => {
      const { userId, file } = c.req.valid('param');
      const bytes = await accounts.avatar(userId, file.slice(0, 32));
      if (!bytes) throw problem('not-found');
      return c.body(new Uint8Array(bytes), 200, {
        'Content-Type': 'image/webp',
        'Cache-Control': 'public, max-age=31536000, immutable',
        'Content-Security-Policy': "default-src 'none'; sandbox",
      });
    },
  );
}
