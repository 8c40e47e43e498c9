import { OpenAPIHono } from '@hono/zod-openapi';
import { expect, test } from 'vitest';
import { encodeExchange } from '../../shared/exchange.ts';
import { HTTP_RATES } from '../../shared/limits.ts';
import { addExchangeRoute } from './exchange.ts';
import { answerProblem, asProblem, problem } from './problem.ts';
import type { Env } from './route.ts';

const conversationId = '00000000-0000-7000-8000-000000000001';

test('[W12] a person has an allowance for all documents together, and another for each; another person has theirs', async () => {
  let userId = 'ana';
  let now = 0;
  const app = new OpenAPIHono<Env>();
  app.onError((error, c) => answerProblem(c, asProblem(error) ?? problem('internal')));
  addExchangeRoute(
    app,
    {
      authenticate: async () => ({ kind: 'signed-in', userId, sid: 's', expiresAt: 1 }),
      exchange: async () => ({ messages: [] }),
      clock: { elapsed: () => now },
    },
    (c) => c.req.path.slice('/api/sync/'.length),
  );
  const ask = async (n: number): Promise<number> =>
    (await app.request(`/api/sync/${conversationId}/${n}`, { method: 'POST', body: new Uint8Array(encodeExchange([])) })).status;
  const { burst } = HTTP_RATES.exchanges;
  const statuses: number[] = [];
  for (let n = 1; n <= burst + 1; n++) statuses.push(await ask(n));
  expect([new Set(statuses.slice(0, burst)), statuses.at(-1)]).toEqual([new Set([200]), 429]);
  userId = 'ben';
  for (let i = 0; i < HTTP_RATES.exchange.burst; i++) expect(await ask(1)).toBe(200);
  expect([await ask(1), await ask(2)]).toEqual([429, 200]);
  userId = 'ana';
  now = 60_000 / HTTP_RATES.exchanges.perMinute;
  expect([await ask(1), await ask(2)]).toEqual([200, 429]);
});
