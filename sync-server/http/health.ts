import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import type { Clock } from '../../shared/clock.ts';
import { problem } from './problem.ts';
import { type App, jsonAnswer, problems } from './route.ts';

const healthy = z.object({ status: z.literal('ok'), database: z.literal(true) });
/** A database that answers later than this is none. */
const PATIENCE_MS = 2_000;

/** Liveness and readiness: 200 while the database answers, else 503. */
export function addHealthRoute(app: App, { clock, ping }: { clock: Clock; ping: () => Promise<void> }): void {
  const answersInTime = () =>
    new Promise<boolean>((done) => {
      const stop = clock.after(PATIENCE_MS, () => done(false));
      const answered = (up: boolean) => () => {
        stop();
        done(up);
      };
      ping().then(answered(true), answered(false));
    });

  app.openapi(
    createRoute({ method: 'get', path: '/api/health', responses: { 200: jsonAnswer('Ready.', healthy), ...problems } }),
    async (c) => {
      if (!(await answersInTime())) throw problem('unavailable', 'The database does not answer.');
      return c.json({ status: 'ok', database: true } as const, 200);
    },
  );
}
